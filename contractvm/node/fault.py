"""What a request is answered with when it cannot be served: code, message, data.

Messages begin with the phrases that clients match. Source: JSON-RPC 2.0 section 5.1; EIP-1474 for codes from -32000;
geth for code 3 with flat revert data. Never: shows a traceback, a path or a secret.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Final

from contractvm.chain import Pruned, UnknownBlock
from contractvm.errors import ContractVMError, Fatal
from contractvm.estimate import CannotSucceed
from contractvm.execute import Executed
from contractvm.machine import Status
from sdk.abi import explain
from state.database import HeightError
from state.errors import StoreError, StoreFull

log: Final = logging.getLogger("contractvm.node")

PARSE: Final = -32700
REQUEST: Final = -32600
UNKNOWN_METHOD: Final = -32601
PARAMS: Final = -32602
INTERNAL: Final = -32603
SERVER: Final = -32000
NOT_FOUND: Final = -32001
LIMIT: Final = -32005
REVERTED: Final = 3
PRUNED: Final = 4444
"""Geth's, of blocks that are no longer kept."""


class Fault(Exception):
    """An answer that is an error."""

    def __init__(self, code: int, message: str, data: object = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.data = data

    def document(self) -> dict[str, object]:
        """The `error` member of a response."""
        document: dict[str, object] = {"code": self.code, "message": self.message}
        if self.data is not None:
            document["data"] = self.data
        return document


def bad_params(message: str) -> Fault:
    """The caller's parameters cannot be read."""
    return Fault(PARAMS, f"invalid params: {message}")


def reverted(output: bytes, errors: Sequence[str] = ()) -> str:
    """That code reverted and why, as clients match it; `errors` are signatures of custom errors."""
    reason = explain(output, errors).text.removeprefix("reverted").strip() if output else ""
    return f"execution reverted: {reason}" if reason else "execution reverted"


def failed(executed: Executed, errors: Sequence[str] = ()) -> Fault:
    """A call that did not succeed; `errors` are signatures of custom errors."""
    if executed.status is Status.REVERT:
        return Fault(REVERTED, reverted(executed.output, errors), "0x" + executed.output.hex())
    if executed.trap is not None:
        return Fault(SERVER, f"execution trapped: {executed.trap}")
    words = executed.detail or executed.status.name.lower().replace("_", " ")
    return Fault(SERVER, words if words.startswith("out of gas") else f"execution failed: {words}")


def fault_of(error: Exception, errors: Sequence[str] = ()) -> Fault | None:
    """The answer for an error raised on purpose; None for one that is our bug."""
    match error:
        case Fault():
            return error
        case CannotSucceed(executed=executed) if executed is not None and executed.status is Status.REVERT:
            return failed(executed, errors)
        case Pruned():
            return Fault(PRUNED, f"pruned history unavailable: {error}")
        case UnknownBlock():
            return Fault(NOT_FOUND, f"header not found: {error}")
        case HeightError():
            return Fault(SERVER, f"missing trie node: {error}")
        case StoreFull():
            log.error("%s", error)
            return Fault(SERVER, "the store failed: the disk took no more; the node's log says which, and what to do")
        case StoreError():
            log.error("%s", error)
            return Fault(SERVER, "the store failed: what was asked for cannot be read; the node's log says more")
        case Fatal():
            return None
        case ContractVMError():
            return Fault(SERVER, str(error))
    return None
