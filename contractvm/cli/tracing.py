"""`--trace`: one line an instruction, from the reference tier's callback.

Never: changes what it watches.
"""

from __future__ import annotations

import sys

SHOWN = 8
"""Operands shown, from the top of the stack."""


class Tracer:
    """Writes function, byte offset, instruction, gas used with its run, and the stack's top. Lives for one run."""

    __slots__ = ("_limit", "_stream")

    def __init__(self, limit: int, to_error: bool) -> None:
        """`limit` is the run's in whole gas; `to_error` keeps standard output free for one JSON object."""
        self._limit = limit * 1000
        self._stream = sys.stderr if to_error else sys.stdout

    def __call__(
        self, function: int, offset: int, name: str, immediate: object, milligas: int, stack: list[object]
    ) -> None:
        text = name if immediate is None else f"{name} {immediate_text(immediate)}"
        top = " ".join(map(str, stack[-SHOWN:]))
        dots = "... " if len(stack) > SHOWN else ""
        gas, rest = divmod(self._limit - milligas, 1000)
        self._stream.write(f"{function:>4} {offset:#8x}  {text:<32} gas {gas}.{rest:03d}  [{dots}{top}]\n")


def immediate_text(immediate: object) -> str:
    """An immediate as WAT would write it, roughly: tuples spread, types in brackets."""
    if isinstance(immediate, tuple):
        return " ".join(map(str, immediate))
    return str(immediate)
