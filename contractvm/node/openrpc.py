"""The node's methods as a document: OpenRPC for programs (`rpc.discover`), a table for people (`docs/rpc.md`).

Both are written from the rows alone, so they cannot say anything else. Source: OpenRPC specification 1.3.2.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from contractvm import __version__
from contractvm.node.rows import Method, Param
from contractvm.node.values import ADDRESS, BOOLEAN, DATA, HASH, QUANTITY, Schema

RESULTS: Final[Mapping[str, Schema]] = {
    "quantity": QUANTITY.schema,
    "data": DATA.schema,
    "hash": HASH.schema,
    "address": ADDRESS.schema,
    "boolean": BOOLEAN.schema,
    "text": {"type": "string"},
    "number": {"type": "integer"},
    "null": {"type": "null"},
    "true": {"const": True},
    "list of addresses": {"type": "array", "items": ADDRESS.schema},
}
"""What results are that need no words."""
SECTIONS: Final[Mapping[str, str]] = {
    "eth": "the chain, as every Ethereum client asks for it",
    "net": "the network, which is this node alone",
    "web3": "the client and its hash",
    "rpc": "the methods themselves",
    "txpool": "what waits to be mined",
    "debug": "steps and calls of transactions",
    "trace": "calls of transactions, in parity's form",
    "cvm": "what Ethereum has no word for",
    "personal": "accounts of the node, as geth has them",
    "wallet": "the node as a wallet",
    "evm": "time, blocks and snapshots, for tests",
    "anvil": "the state as a test wants it; `hardhat_` and `tenderly_` names are the same",
    "miner": "mining on and off",
}


def document(methods: Mapping[str, Method]) -> dict[str, Any]:
    """The OpenRPC document; an alias is a method of its own that says whose."""
    return {
        "openrpc": "1.3.2",
        "info": {
            "title": "contractvm node",
            "version": __version__,
            "description": "JSON-RPC 2.0 over HTTP and WebSocket, as Ethereum's execution clients serve it.",
        },
        "methods": [_method(name, methods[name]) for name in sorted(methods)],
    }


def _method(name: str, method: Method) -> dict[str, Any]:
    summary = method.summary if name == method.name else f"{method.summary} (another name of {method.name})"
    return {
        "name": name,
        "summary": summary,
        "paramStructure": "either",
        "params": [_param(param) for param in method.params],
        "result": {"name": method.result, "schema": RESULTS.get(method.result, {})},
    }


def _param(param: Param) -> dict[str, Any]:
    return {"name": param.name, "required": param.required, "schema": param.kind.schema}


def page(methods: Mapping[str, Method]) -> str:
    """`docs/rpc.md`."""
    return "\n".join(_lines(methods)) + "\n"


def _lines(methods: Mapping[str, Method]) -> Iterator[str]:
    own = {method.name: method for method in methods.values()}
    yield "# Methods of the node"
    yield ""
    yield "<!-- Written by `python -m contractvm.node.reference`: do not edit. -->"
    yield ""
    yield f"{len(own)} methods under {len(methods)} names. Parameters in brackets may be left out or be null; they are"
    yield "given in order, or by name in an object. `rpc.discover` answers with the same as an OpenRPC document."
    for section in sorted({_section(name) for name in own}, key=list(SECTIONS).index):
        yield from ("", f"## {section}: {SECTIONS[section]}", "")
        yield from ("| method | parameters | result | |", "| --- " * 4 + "|")
        for name in sorted(own):
            if _section(name) == section:
                method = own[name]
                params = ", ".join(param.name if param.required else f"[{param.name}]" for param in method.params)
                also = f" Also {', '.join(f'`{alias}`' for alias in method.aliases)}." if method.aliases else ""
                yield f"| `{name}` | {params} | {method.result} | {method.summary}{also} |"


def _section(name: str) -> str:
    return name.replace(".", "_").split("_")[0]
