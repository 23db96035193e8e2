"""LLVM IR of host functions that only read facts of their frame: compiled code does them without Python.

Such a function pays, looks whether all is well, and acts. Where anything is not (the gas in the register does not do, a
range passes the memory's end, an argument is over its limit) nothing has happened yet, and the host's own function is
called from the start: so every failure, and every refill of gas, is that function's.

Source: `contractvm.host.row.How`; the block of facts is `contractvm.host.facts`. Never: knows an instruction of any
machine, a price's name, or what a fact means.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Final

from contractvm.dataclass import dataclass
from contractvm.host import HostRow, How
from contractvm.host.facts import BYTES, FORM, OFFSET
from contractvm.native.context import FAILED, FINISHED, REVERTED, WORD
from contractvm.native.crossing import Callout, operands_of
from contractvm.native.glue import LIKELY, MEMORY, TYPES, Lines, function, result_type

MILLI: Final = 1000


@dataclass(frozen=True, slots=True)
class Costs:
    """Milligas of a call, and of each 32 bytes it moves; the most bytes a frame may end with."""

    call: int
    word: int
    output_bytes: int


class Reading:
    """One such function; `row` tells which, `facts` where the context has the block, `slow` is how Python is called.

    `callee` is where the context has the host's function.
    """

    __slots__ = ("callee", "costs", "facts", "how", "row", "slow")

    def __init__(self, row: HostRow, how: How, costs: Costs, facts: int, slow: Callout, callee: int) -> None:
        self.row = row
        self.how = how
        self.costs = costs
        self.facts = facts
        self.slow = slow
        self.callee = callee

    @property
    def name(self) -> str:
        return f"host.{self.row.name}"

    def call(self, gas: str, operands: Sequence[str]) -> str:
        """The text of a call."""
        given = [f"{TYPES[kind]} {operand}" for kind, operand in zip(self.row.params, operands, strict=True)]
        arguments = ", ".join(["ptr %ctx", f"i64 {gas}", *given])
        return f"call fastcc {result_type(self.row.results)} @{self.name}({arguments})"

    def text(self) -> str:
        """The function itself."""
        f = Lines()
        f.label("entry")
        _EMIT[self.how](self, f)
        f.label("slow")
        operands = [f"%p{n}" for n in range(len(self.row.params))]
        got = f.value(self.slow.call("%gas", "0", f.get(self.callee, "ptr"), operands, ()))
        f.do(f"ret {result_type(self.row.results)} {got}")
        parameters = ", ".join(["ptr noalias %ctx", "i64 %gas", *operands_of(self.row.params)])
        return function(f"internal fastcc {result_type(self.row.results)}", self.name, parameters, f, "#2")

    def _at(self) -> int:
        """Where the context has the fact."""
        return self.facts + OFFSET[self.row.fact]

    def _proceed(self, f: Lines, cost: str, *conditions: str) -> str:
        """Pay and go on if that can be done and all conditions hold; the gas then left."""
        left = f.value(f"sub i64 %gas, {cost}")
        good = f.value(f"icmp sge i64 {left}, 0")
        for condition in conditions:
            good = f.value(f"and i1 {good}, {condition}")
        f.do(f"br i1 {good}, label %fast, label %slow, {LIKELY}")
        f.label("fast")
        return left

    def _cost(self, f: Lines, size: str) -> str:
        """The price of a call that moves `size` bytes."""
        words = f.value(f"lshr i64 {f.value(f'add i64 {size}, 31')}, 5")
        return f.value(f"add i64 {f.value(f'mul i64 {words}, {self.costs.word}')}, {self.costs.call}")

    def _fits(self, f: Lines, pointer: str, size: str) -> str:
        """Whether a range lies in memory."""
        return f.value(f"icmp ule i64 {f.value(f'add i64 {pointer}, {size}')}, {f.get('size')}")

    def _return(self, f: Lines, left: str, value: str = "") -> None:
        if not value:
            f.do(f"ret i64 {left}")
            return
        type_ = result_type(self.row.results)
        pair = f.value(f"insertvalue {type_} poison, i64 {left}, 0")
        f.do(f"ret {type_} {f.value(f'insertvalue {type_} {pair}, {TYPES[self.row.results]} {value}, 1')}")

    def write(self, f: Lines) -> None:
        size, out = BYTES[FORM[self.row.fact]], f.value("zext i32 %p0 to i64")
        left = self._proceed(f, str(self.costs.call), self._fits(f, out, str(size)))
        to = f.value(f"getelementptr i8, ptr {f.get('base', 'ptr')}, i64 {out}")
        for at in range(0, size, WORD):
            type_ = "i64" if size - at >= WORD else "i32"
            piece = f.get(self._at() + at, type_)
            f.do(f"store {type_} {piece}, ptr {f.value(f'getelementptr i8, ptr {to}, i64 {at}')}, align 1, {MEMORY}")
        self._return(f, left)

    def number(self, f: Lines) -> None:
        self._return(f, self._proceed(f, str(self.costs.call)), f.get(self._at()))

    def gas_left(self, f: Lines) -> None:
        left = self._proceed(f, str(self.costs.call))
        reserve = f.get("reserve")
        self._return(f, left, f.value(f"udiv i64 {f.value(f'add i64 {left}, {reserve}')}, {MILLI}"))

    def size(self, f: Lines) -> None:
        left = self._proceed(f, str(self.costs.call))
        self._return(f, left, f.value(f"trunc i64 {f.get(self._at() + WORD)} to i32"))

    def copy(self, f: Lines) -> None:
        out, offset, cap = (f.value(f"zext i32 %p{n} to i64") for n in range(3))
        length = f.get(self._at() + WORD)
        wanted = f.value(f"add i64 {offset}, {cap}")
        end = f.value(f"select i1 {f.value(f'icmp ult i64 {wanted}, {length}')}, i64 {wanted}, i64 {length}")
        some = f.value(f"icmp ugt i64 {end}, {offset}")
        size = f.value(f"select i1 {some}, i64 {f.value(f'sub i64 {end}, {offset}')}, i64 0")
        left = self._proceed(f, self._cost(f, size), self._fits(f, out, cap))
        source = f.value(f"getelementptr i8, ptr {f.get(self._at(), 'ptr')}, i64 {offset}")
        to = f.value(f"getelementptr i8, ptr {f.get('base', 'ptr')}, i64 {out}")
        f.call("memmove", "ptr", f"ptr {to}", f"ptr {source}", f"i64 {size}")
        self._return(f, left, f.value(f"trunc i64 {length} to i32"))

    def end(self, f: Lines) -> None:
        pointer, size = (f.value(f"zext i32 %p{n} to i64") for n in range(2))
        allowed = f.value(f"icmp ule i64 {size}, {self.costs.output_bytes}")
        left = self._proceed(f, self._cost(f, size), self._fits(f, pointer, size), allowed)
        f.set("output", pointer)
        f.set("output_size", size)
        code = FINISHED if self.how is How.FINISH else REVERTED
        f.do(f"call void @rt.fail(ptr %ctx, i64 {left}, i64 {code})")
        f.do(f"ret i64 {FAILED}")


_EMIT: Final[Mapping[How, Callable[[Reading, Lines], None]]] = MappingProxyType(
    {
        How.WRITE: Reading.write,
        How.NUMBER: Reading.number,
        How.GAS_LEFT: Reading.gas_left,
        How.SIZE: Reading.size,
        How.COPY: Reading.copy,
        How.FINISH: Reading.end,
        How.REVERT: Reading.end,
    }
)
