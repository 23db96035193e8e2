"""What leaves compiled frames besides a trap: tail calls to where it cannot jump, a stack that is used up.

Both are exceptions that only the code which entered the frames sees. Never: reaches whoever called the engine.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from contractvm.wasm.externs import Func


class TailCall(Exception):
    """Unwinds the frames that a tail call replaces, up to the Python code that entered them and makes the call."""

    def __init__(self, function: Func, operands: Sequence[Any], weight: int) -> None:
        super().__init__()
        self.function = function
        self.operands = operands
        self.weight = weight


def leave_for(function: Func, operands: Sequence[Any], weight: int) -> Any:
    """Call the host's function, which takes no frame; unwind for any other. Raises: TailCall."""
    if function.instance is None:
        return function.call(*operands, weight)
    raise TailCall(function, operands, weight)


class NoRoom(RecursionError):
    """Nothing ran: the thread has too little stack left for compiled code."""
