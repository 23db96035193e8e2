"""What is compared: how each step of a case ended and what the instance then holds.

Step 0 is the instantiation, the others are the case's calls. References compare as null or not, functions of our own
tiers by index too. Never: an engine's own objects.
"""

from __future__ import annotations

from dataclasses import dataclass

OK = "ok"
OUT_OF_GAS = "out of gas"
EXHAUSTED = "call stack exhausted"
HOST_TRAP = "host call argument out of range"

NULL, REFERENCE = "null", "reference"

Value = int | str

State = tuple[bytes | bytearray, tuple[Value, ...], tuple[tuple[Value, ...], ...]]
"""Memory, globals and tables of an instance."""


@dataclass(frozen=True, slots=True)
class Step:
    """One step's end. `place` is (function index, byte offset) of a trap; `milligas` what it used, None if unknown."""

    end: str
    results: tuple[Value, ...] = ()
    place: tuple[int | None, int | None] | None = None
    backtrace: tuple[tuple[int | None, int | None], ...] = ()
    """Of a trap, the innermost place first; the first is `place`."""
    milligas: int | None = None
    memory: str = ""
    """Length and digest."""
    globals: tuple[Value, ...] = ()
    tables: tuple[tuple[Value, ...], ...] = ()
    log: tuple[tuple[str | int, ...], ...] = ()


@dataclass(frozen=True, slots=True)
class Difference:
    """Where two runs of a case part: the step's number, the field, and both values."""

    step: int
    what: str
    left: object
    right: object
    sides: tuple[str, str]

    def __str__(self) -> str:
        where = "instantiation" if self.step == 0 else f"call {self.step}"
        return f"{where}: {self.what} is {self.left!r} in {self.sides[0]}, {self.right!r} in {self.sides[1]}"
