"""Operands worth trying, and how much gas a call gets: each next call of a long series on one instance.

Never: the generator of modules; and randomness other than the given generator's.
"""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from contractvm.wasm.module import I32, FuncType
from tests.fuzz.bodies import BITS, PAGE, edge_biased

MOST_PAGES = 4
"""Of a generated memory."""


@dataclass(frozen=True, slots=True)
class Call:
    """A call to make; `milligas` is None where the case's own gas is meant."""

    name: str
    operands: tuple[int, ...]
    milligas: int | None = None


def operand(rng: Random, type_: int) -> int:
    """A bit pattern: 0, 1, -1, the least and greatest, about a power of two or a memory's end, or anything."""
    bits = BITS[type_]
    mask = (1 << bits) - 1
    pick = rng.randrange(10)
    if pick < 2:
        return rng.choice((0, 1, mask, 1 << (bits - 1), mask >> 1))
    if pick < 4:
        return ((1 << rng.randrange(bits)) * rng.choice((1, -1)) + rng.randrange(-2, 3)) & mask
    if pick < 6:
        return (PAGE * rng.randint(1, MOST_PAGES) - rng.randrange(20)) & mask
    if pick < 7 and type_ == I32:
        return -rng.randrange(1, 70_000) & mask
    return edge_biased(rng, type_)


def fresh_call(rng: Random, functions: list[tuple[str, FuncType]]) -> Call:
    """A call of one of the functions with enough gas."""
    name, type_ = rng.choice(functions)
    return Call(name, tuple(operand(rng, t) for t in type_.params))


def limited(rng: Random, call: Call, last: Call | None, spent: int | None) -> Call:
    """The call with gas that may run out; sometimes the last one again with about as much as it used.

    `spent` is what the last one used, None when it ran out.
    """
    pick = rng.random()
    if pick < 0.3 and last is not None and spent:
        near = rng.choice((spent, spent - 1, spent + 1, spent - 100, rng.randrange(spent)))
        return Call(last.name, last.operands, max(near, 0))
    if pick < 0.5:
        return Call(call.name, call.operands, int(10 ** rng.uniform(1, 6)))
    return call
