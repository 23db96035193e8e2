"""What the pure instructions are in LLVM IR: arithmetic, comparisons, conversions, wide arithmetic.

Each lowering takes operands (names or literals of IR values) and appends to a `Lines`-like sink; a comparison leaves an
`i1`, which the body widens only where a number is wanted. Shift counts are masked, remainders of the smallest integer
by -1 are defined, as wasm wants and LLVM does not by itself.
Source: WebAssembly core specification, section 4.3.2; LLVM language reference. Never: a check that can trap, but for
division, which tells its conditions to the body's `trap_if`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final, Protocol

from contractvm.native.context import DIVIDE_BY_ZERO, OVERFLOW

COMPARISONS: Final = MappingProxyType(
    {
        "eq": "eq",
        "ne": "ne",
        "lt_s": "slt",
        "lt_u": "ult",
        "gt_s": "sgt",
        "gt_u": "ugt",
        "le_s": "sle",
        "le_u": "ule",
        "ge_s": "sge",
        "ge_u": "uge",
    }
)
_PLAIN: Final = MappingProxyType({name: name for name in ("add", "sub", "mul", "and", "or", "xor")})
_SHIFTS: Final = MappingProxyType({"shl": "shl", "shr_s": "ashr", "shr_u": "lshr"})
_ROTATIONS: Final = MappingProxyType({"rotl": "fshl", "rotr": "fshr"})
_COUNTS: Final = MappingProxyType({"clz": "ctlz", "ctz": "cttz"})
_DIVISIONS: Final = MappingProxyType({"div_s": "sdiv", "div_u": "udiv", "rem_s": "srem", "rem_u": "urem"})

DECLARATIONS: Final = "\n".join(
    [f"declare {t} @llvm.{n}.{t}({t}, {t}, {t})" for t in ("i32", "i64") for n in ("fshl", "fshr")]
    + [f"declare {t} @llvm.{n}.{t}({t}, i1)" for t in ("i32", "i64") for n in ("ctlz", "cttz")]
    + [f"declare {t} @llvm.ctpop.{t}({t})" for t in ("i32", "i64")]
)


class Sink(Protocol):
    """Where IR goes: a body."""

    def value(self, text: str) -> str:
        """Append an instruction and return its value's name."""
        ...

    def trap_if(self, condition: str, code: int) -> None:
        """Trap with a code of the context when an i1 holds."""
        ...


Lowering = Callable[[Sink, str, str], str]
"""Takes the sink, the left and the right operand; returns the result's name."""


def literal(value: int, bits: int) -> str:
    """The literal of a bit pattern, read as a signed number."""
    sign = 1 << (bits - 1)
    return str((value ^ sign) - sign)


def constant(operand: str) -> int | None:
    """The signed value of a literal operand; None for the name of a value."""
    return None if operand[0] == "%" else int(operand)


def _operator(instruction: str, type_: str) -> Lowering:
    return lambda f, a, b: f.value(f"{instruction} {type_} {a}, {b}")


def _shift(instruction: str, type_: str) -> Lowering:
    mask = int(type_[1:]) - 1

    def lower(f: Sink, a: str, b: str) -> str:
        known = constant(b)
        count = str(known & mask) if known is not None else f.value(f"and {type_} {b}, {mask}")
        return f.value(f"{instruction} {type_} {a}, {count}")

    return lower


def _rotation(intrinsic: str, type_: str) -> Lowering:
    return lambda f, a, b: f.value(f"call {type_} @llvm.{intrinsic}.{type_}({type_} {a}, {type_} {a}, {type_} {b})")


def _division(name: str, type_: str) -> Lowering:
    instruction, bits = _DIVISIONS[name], int(type_[1:])
    smallest = -(1 << (bits - 1))

    def lower(f: Sink, a: str, b: str) -> str:
        known = constant(b)
        if known is None or known == 0:
            f.trap_if(f.value(f"icmp eq {type_} {b}, 0"), DIVIDE_BY_ZERO)
        if name == "div_s" and (known is None or known == -1):
            low = f.value(f"icmp eq {type_} {a}, {smallest}")
            high = f.value(f"icmp eq {type_} {b}, -1")
            f.trap_if(f.value(f"and i1 {low}, {high}"), OVERFLOW)
        if name == "rem_s" and (known is None or known == -1):
            # The smallest integer rem -1 is 0 here and undefined there; any integer rem 1 is 0.
            b = f.value(f"select i1 {f.value(f'icmp eq {type_} {b}, -1')}, {type_} 1, {type_} {b}")
        return f.value(f"{instruction} {type_} {a}, {b}")

    return lower


def _binary() -> dict[str, Lowering]:
    table: dict[str, Lowering] = {}
    for t in ("i32", "i64"):
        table |= {f"{t}.{n}": _operator(text, t) for n, text in _PLAIN.items()}
        table |= {f"{t}.{n}": _shift(text, t) for n, text in _SHIFTS.items()}
        table |= {f"{t}.{n}": _rotation(text, t) for n, text in _ROTATIONS.items()}
        table |= {f"{t}.{n}": _division(n, t) for n in _DIVISIONS}
    return table


BINARY: Final[Mapping[str, Lowering]] = MappingProxyType(_binary())
"""Instructions of two operands of one type with a result of that type."""

Conversion = Callable[[Sink, str], str]


def _convert(text: str) -> Conversion:
    return lambda f, a: f.value(text.format(a=a))


def _extend(narrow: str, type_: str) -> Conversion:
    return lambda f, a: f.value(f"sext {narrow} {f.value(f'trunc {type_} {a} to {narrow}')} to {type_}")


def _unary() -> dict[str, tuple[Conversion, str]]:
    table: dict[str, tuple[Conversion, str]] = {
        "i32.wrap_i64": (_convert("trunc i64 {a} to i32"), "i32"),
        "i64.extend_i32_s": (_convert("sext i32 {a} to i64"), "i64"),
        "i64.extend_i32_u": (_convert("zext i32 {a} to i64"), "i64"),
        "i32.extend8_s": (_extend("i8", "i32"), "i32"),
        "i32.extend16_s": (_extend("i16", "i32"), "i32"),
        "i64.extend8_s": (_extend("i8", "i64"), "i64"),
        "i64.extend16_s": (_extend("i16", "i64"), "i64"),
        "i64.extend32_s": (_extend("i32", "i64"), "i64"),
    }
    for t in ("i32", "i64"):
        for name, intrinsic in _COUNTS.items():
            table[f"{t}.{name}"] = _convert(f"call {t} @llvm.{intrinsic}.{t}({t} {{a}}, i1 false)"), t
        table[f"{t}.popcnt"] = _convert(f"call {t} @llvm.ctpop.{t}({t} {{a}})"), t
    return table


UNARY: Final[Mapping[str, tuple[Conversion, str]]] = MappingProxyType(_unary())
"""Instructions of one operand, with their result's type."""


def _pair(f: Sink, low: str, high: str) -> str:
    """A 128-bit value from its halves."""
    wide = f.value(f"zext i64 {low} to i128")
    upper = f.value(f"shl i128 {f.value(f'zext i64 {high} to i128')}, 64")
    return f.value(f"or i128 {wide}, {upper}")


def _halves(f: Sink, wide: str) -> tuple[str, str]:
    low = f.value(f"trunc i128 {wide} to i64")
    return low, f.value(f"trunc i128 {f.value(f'lshr i128 {wide}, 64')} to i64")


def wide(f: Sink, name: str, operands: list[str]) -> tuple[str, str]:
    """The two results (low, high) of a wide-arithmetic instruction."""
    kind = name.removeprefix("i64.")
    if kind in ("add128", "sub128"):
        left, right = _pair(f, operands[0], operands[1]), _pair(f, operands[2], operands[3])
        return _halves(f, f.value(f"{kind[:3]} i128 {left}, {right}"))
    extension = "sext" if kind == "mul_wide_s" else "zext"
    left, right = (f.value(f"{extension} i64 {operand} to i128") for operand in operands)
    return _halves(f, f.value(f"mul i128 {left}, {right}"))


WIDE: Final = frozenset({"i64.add128", "i64.sub128", "i64.mul_wide_s", "i64.mul_wide_u"})
