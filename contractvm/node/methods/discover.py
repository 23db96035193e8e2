"""What can be asked here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from contractvm.node.node import Node
from contractvm.node.openrpc import document
from contractvm.node.rows import Rows

rows = Rows()


@rows.method("rpc.discover", result="OpenRPC document")
def discover(node: Node) -> dict[str, Any]:
    """Every method with its parameters, as an OpenRPC document."""
    return document(node.methods)


@rows.method("rpc_modules", result="versions by prefix")
def modules(node: Node) -> Mapping[str, str]:
    """The prefixes of the methods that are served, as geth answers."""
    return {name.split("_")[0]: "1.0" for name in sorted(node.methods) if "_" in name}
