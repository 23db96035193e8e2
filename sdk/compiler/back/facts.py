"""What surrounds a call (`msg.sender`, `block.number`, ...), asked of the host.

Facts that cannot change while a frame runs are asked for once where a function needs them more than once: `gather`
counts, and puts them into locals when the function begins.
Source: docs/language.md, "The surroundings"; the host table for what each function writes.
Never: keeps a balance or the gas, which change.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import Final

from contractvm.wasm.module import I32, I64
from sdk.compiler import tree
from sdk.compiler.back.asm import Body, Types
from sdk.compiler.back.bytes import get_at, scratch
from sdk.compiler.back.slots import slots
from sdk.compiler.back.writer import ALLOCATE, WORD, Writer
from sdk.compiler.types import ADDRESS, BYTES, BYTES4

ADDRESS_SLOTS: Final[Types] = slots(ADDRESS)
ADDRESS_AREA: Final = 24
"""Bytes of an address's slots: the host writes 20, the rest stays zeros."""


def _address(host: str) -> Callable[[Body], None]:
    def write(b: Body) -> None:
        area = b.assembly.area("address", ADDRESS_AREA)
        b.i32(area)
        b.host(host)
        get_at(b, ADDRESS_SLOTS, area)

    return write


def _amount(host: str) -> Callable[[Body], None]:
    def write(b: Body) -> None:
        area = scratch(b)
        b.i32(area)
        b.host(host)
        get_at(b, WORD, area)

    return write


def _number(host: str) -> Callable[[Body], None]:
    def write(b: Body) -> None:
        b.host(host)

    return write


def _data(b: Body) -> None:
    with b.temporaries(I32, I32) as (size, start):
        b.host("input_size")
        b.set(size)
        b.get(size)
        b.call(ALLOCATE)
        b.set(start)
        b.get(start)
        b.i32(0)
        b.get(size)
        b.host("input_copy")
        b.op("drop")
        b.get(start, size)


def _sig(b: Body) -> None:
    """Four bytes; zeros where the input ends before."""
    area = b.assembly.area("msg.sig", 8)
    for value in (area, 0, BYTES4.size):
        b.i32(value)
    b.host("input_copy")
    b.op("drop")
    b.i32(area)
    b.load("i64.load32_u")


FIXED: Final[Mapping[str, tuple[Callable[[Body], None], Types]]] = MappingProxyType(
    {
        "msg.sender": (_address("caller"), ADDRESS_SLOTS),
        "msg.value": (_amount("value"), WORD),
        "msg.data": (_data, slots(BYTES)),
        "msg.sig": (_sig, slots(BYTES4)),
        "self.address": (_address("self_address"), ADDRESS_SLOTS),
        "tx.origin": (_address("origin"), ADDRESS_SLOTS),
        "tx.gas_price": (_amount("gas_price"), WORD),
        "block.number": (_number("block_number"), (I64,)),
        "block.timestamp": (_number("block_timestamp"), (I64,)),
        "block.coinbase": (_address("coinbase"), ADDRESS_SLOTS),
        "block.base_fee": (_amount("base_fee"), WORD),
        "chain.id": (_number("chain_id"), (I64,)),
    }
)
"""How to push what cannot change while a frame runs, and its slots."""


def fact(w: Writer, node: tree.Builtin) -> None:
    """Push a fact, from locals where it was gathered."""
    held = w.facts.get(node.name)
    if held is not None:
        w.b.get(*held)
    else:
        FIXED[node.name][0](w.b)


def gather(w: Writer, statements: Iterable[tree.Statement]) -> None:
    """Ask for each fact that a function needs more than once, or in a loop, and keep it in locals."""
    found: Counter[str] = Counter()
    for statement in statements:
        _count(statement, 1, found)
    for name in FIXED:
        if found[name] > 1:
            write, types = FIXED[name]
            w.facts[name] = w.b.fresh(types)
            write(w.b)
            w.b.set(*w.facts[name])


_LOOPS = (tree.While, tree.ForRange, tree.ForEach, tree.ForMap)
_OTHERS = (tree.Local, tree.Function)


def _count(node: object, weight: int, found: Counter[str]) -> None:
    if isinstance(node, tuple):
        for one in node:
            _count(one, weight, found)
    elif type(node).__module__ == tree.__name__ and not isinstance(node, _OTHERS):
        if isinstance(node, tree.Builtin) and node.name in FIXED:
            found[node.name] += weight
        for name in type(node).__slots__:  # type: ignore[attr-defined]
            _count(getattr(node, name), weight + isinstance(node, _LOOPS), found)
