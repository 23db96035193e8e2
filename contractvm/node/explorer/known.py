"""What is known of a contract beyond its bytes: what its build left with the node.

Never: reads the disk; artifacts are the node's.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from contractvm.node.node import Node
from sdk.interface import Interface


@dataclass(frozen=True, slots=True)
class Known:
    """A contract's build. `sources` are texts by file name, `layout` says where each field is stored."""

    name: str
    interface: Interface
    sources: Mapping[str, str] = field(default_factory=dict)
    layout: Mapping[str, Any] | None = None
    compiler: str = ""


def known_of(node: Node, code_hash: bytes) -> Known | None:
    """What is known of the code with this hash."""
    return None
