"""Gas before each instruction, to the milligas: what the meter shows, and what its run was paid ahead.

A run is paid for when it is entered, so the meter alone jumps where runs begin. The plan that every tier reads says
what of a run lies behind an instruction. Source: design of the chain, section 5. Never: prices anything itself.
"""

from __future__ import annotations

from contractvm.rules import Rules
from contractvm.wasm.compiled import Compiled
from contractvm.wasm.contract import reload

Ahead = dict[int, int]


class Remaining:
    """Knows what of a run lies ahead, by code, function and byte offset. Made when it is first asked for."""

    __slots__ = ("_ahead", "_compiled")

    def __init__(self) -> None:
        self._compiled: dict[bytes, Compiled] = {}
        self._ahead: dict[tuple[bytes, int], Ahead] = {}

    def expect(self, code_hash: bytes, code: bytes, rules: Rules) -> None:
        """Be told of code before it is asked for."""
        if code_hash not in self._compiled:
            self._compiled[code_hash] = reload(code, rules).compiled

    def before(self, code_hash: bytes, function: int, offset: int, milligas: int) -> int:
        """Milligas that are left before an instruction, while the meter shows `milligas`."""
        ahead = self._ahead.get((code_hash, function))
        if ahead is None:
            ahead = self._ahead[code_hash, function] = self._plan(self._compiled[code_hash], function)
        return milligas + ahead[offset]

    def _plan(self, compiled: Compiled, function: int) -> Ahead:
        code, refund, price = compiled.function(function).code, compiled.plan(function).refund, compiled.price
        return {offset: refund[at] + price[code.ops[at]] for at, offset in enumerate(code.offsets)}
