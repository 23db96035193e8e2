"""Remaining gas of one frame, in milligas, as a cell that generated code can close over.

The cell is the representation on purpose: the portable tier's functions read and write it as a `nonlocal`, the
interpreter and the host through `left`, so there is one count and nothing to synchronise.
Never: knows what anything costs.
"""

from __future__ import annotations

from types import CellType

MILLI = 1000


class GasExhausted(Exception):
    """The meter could not pay. Machines raise their own out-of-gas error from it."""


class Meter:
    """Counts a frame's milligas down. `limit` is whole gas.

    `count` holds the instructions executed, where a machine is asked to count them.
    """

    __slots__ = ("cell", "count", "limit")

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.cell = CellType(limit * MILLI)
        self.count = CellType(0)

    @property
    def left(self) -> int:
        """Milligas left; negative after a charge that could not be paid."""
        return self.cell.cell_contents  # type: ignore[no-any-return]

    @left.setter
    def left(self, milligas: int) -> None:
        self.cell.cell_contents = milligas

    @property
    def gas_left(self) -> int:
        """Whole gas left, rounded down: what `gas_left` tells a contract and what a frame gives back."""
        left: int = self.cell.cell_contents
        return max(left, 0) // MILLI

    def charge(self, milligas: int) -> None:
        """Take `milligas`. Raises: GasExhausted, with the count left negative."""
        left = self.cell.cell_contents - milligas
        self.cell.cell_contents = left
        if left < 0:
            raise GasExhausted

    def forward(self, asked: int) -> int:
        """Take min(asked, 63/64 of what is left) whole gas for a callee and return it. Source: EIP-150."""
        left = self.gas_left
        gas = min(asked, left - left // 64)
        self.cell.cell_contents -= gas * MILLI
        return gas

    def give_back(self, gas: int) -> None:
        """Return whole gas that a callee did not use."""
        self.cell.cell_contents += gas * MILLI

    def take_all(self) -> None:
        """Empty the meter: what running out of gas costs."""
        self.cell.cell_contents = 0
