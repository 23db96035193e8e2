"""What operators and functions of numbers mean: exact results, then the width.

Follows docs/language.md, "Integers" and "Unchecked". Never: knows how a number is kept.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

from tests.sdk.semantics.values import (
    Account,
    BoolT,
    BytesLiteral,
    BytesT,
    EnumT,
    Fixed,
    FixedT,
    IllTyped,
    IntT,
    Member,
    Num,
    Remote,
    Type,
    coerce,
    panic,
    same,
    type_of,
)

EXACT: dict[str, Callable[[int, int], int]] = {
    "Add": operator.add,
    "Sub": operator.sub,
    "Mult": operator.mul,
    "FloorDiv": operator.floordiv,
    "Mod": operator.mod,
    "BitAnd": operator.and_,
    "BitOr": operator.or_,
    "BitXor": operator.xor,
}
ORDERS: dict[str, Callable[[Any, Any], bool]] = {
    "Lt": operator.lt,
    "LtE": operator.le,
    "Gt": operator.gt,
    "GtE": operator.ge,
}


def fit(type_: IntT, exact: int, checked: bool) -> Num:
    """The exact result in its type: Panic 0x11 outside, or modulo 2^n."""
    if not type_.holds(exact) and checked:
        raise panic(0x11)
    return Num(type_, type_.wrap(exact))


def is_number(value: Any) -> bool:
    return isinstance(value, (int, Num)) and not isinstance(value, bool)


def binary(op: str, left: Any, right: Any, checked: bool) -> Any:
    """`left op right`, of literals or of one type."""
    if op == "Add" and not (is_number(left) and is_number(right)):
        return joined(left, right)
    if isinstance(left, BytesLiteral) and op == "Mult":
        return BytesLiteral(bytes(left) * right)
    if not (is_number(left) and is_number(right)):
        raise IllTyped(f"{op} of {left!r} and {right!r}")
    if op in ("LShift", "RShift", "Pow"):
        return powered(op, left, right, checked)
    if isinstance(left, int) and isinstance(right, int):
        return EXACT[op](left, right)
    if isinstance(left, int):
        left = coerce(left, right.type)
    right = coerce(right, left.type)
    if op in ("FloorDiv", "Mod") and right.n == 0:
        raise panic(0x12)
    return fit(left.type, EXACT[op](left.n, right.n), checked)


def powered(op: str, left: Any, right: Any, checked: bool) -> Any:
    """`<<`, `>>` and `**`, whose right side is unsigned and of any width."""
    if isinstance(right, Num) and right.type.signed:
        raise IllTyped("a signed exponent")
    n = right if isinstance(right, int) else right.n
    if isinstance(left, int):
        if not isinstance(right, int):
            raise IllTyped("the type of a literal's power")
        return left**n if op == "Pow" else left << n if op == "LShift" else left >> n
    if op == "RShift":
        return Num(left.type, left.n >> min(n, 256))
    if op == "LShift":
        return fit(left.type, left.n << n if n < 512 else (0 if left.n == 0 else left.n << 512), checked)
    return to_the_power(left, n, checked)


def to_the_power(base: Num, n: int, checked: bool) -> Num:
    """`base ** n`; of large exponents the exact result is not worked out where it surely does not fit."""
    if n > 300 and abs(base.n) > 1:
        if checked:
            raise panic(0x11)
        modulus = 1 << base.type.bits
        return Num(base.type, base.type.wrap(pow(base.n % modulus, n, modulus)))
    return fit(base.type, base.n**n if abs(base.n) > 1 or n < 2 else base.n ** (2 + n % 2), checked)


def joined(left: Any, right: Any) -> Any:
    """`+` of strings or bytes."""
    if isinstance(left, str) and isinstance(right, str):
        return left + right
    if isinstance(left, BytesLiteral) and isinstance(right, BytesLiteral):
        return BytesLiteral(bytes(left) + bytes(right))
    return raw(left) + raw(right)


def raw(value: Any) -> bytes:
    """Of Bytes, bytesN or a literal."""
    if isinstance(value, Fixed):
        return value.data
    if isinstance(value, bytes):
        return bytes(value)
    raise IllTyped(f"{value!r} is no bytes")


def negative(value: Any, checked: bool) -> Any:
    if isinstance(value, int) and not isinstance(value, bool):
        return -value
    if not isinstance(value, Num) or not value.type.signed:
        raise IllTyped(f"-{value!r}")
    return fit(value.type, -value.n, checked)


def inverted(value: Any) -> Any:
    if isinstance(value, int) and not isinstance(value, bool):
        return ~value
    if not isinstance(value, Num) or not value.type.signed:
        raise IllTyped(f"~{value!r}")
    return Num(value.type, ~value.n)


def compared(op: str, left: Any, right: Any) -> bool:
    """One comparison, but `in`."""
    if op in ("Eq", "NotEq"):
        return same(left, right) == (op == "Eq")
    if isinstance(left, int) and isinstance(right, int):
        return ORDERS[op](left, right)
    if isinstance(left, (int, BytesLiteral)):
        left = coerce(left, type_of(right))
    right = coerce(right, type_of(left))
    if isinstance(left, Num):
        return ORDERS[op](left.n, right.n)
    if isinstance(left, (Fixed, Account)):
        return ORDERS[op](left.data, right.data)
    raise IllTyped(f"{left!r} has no order")


def converted(value: Any, type_: Type, checked: bool) -> Any:
    """`type_(value)`, as the table of conversions has it."""
    match value, type_:
        case bool(), IntT():
            return Num(type_, int(value))
        case int(), IntT() | EnumT():
            return converted_number(value, type_, checked)
        case Num(n=n), IntT() | EnumT():
            return converted_number(n, type_, checked)
        case Fixed(data), IntT(bits, False) if bits == 8 * len(data):
            return Num(type_, int.from_bytes(data, "big"))
        case Account(data), IntT(bits, False) if bits >= 160:
            return Num(type_, int.from_bytes(data, "big"))
        case Num(IntT(bits, False), n), FixedT(size) if bits == 8 * size:
            return Fixed(n.to_bytes(size, "big"))
        case BytesLiteral(), _:
            return coerce(value, type_)
        case bytes(), FixedT(size):
            if len(value) != size:
                raise panic(0x11)
            return Fixed(value)
        case Fixed(data), FixedT(size):
            return Fixed(data[:size].ljust(size, b"\0"))
        case Account(data), FixedT(20):
            return Fixed(data)
        case ((Fixed(data) | Account(data)), BytesT()):
            return data
    if isinstance(type_, BoolT):
        raise IllTyped("bool(...)")
    return coerce(value, type_)


def converted_number(n: int, type_: IntT | EnumT, checked: bool) -> Any:
    if isinstance(type_, IntT):
        return fit(type_, n, checked)
    if n not in [number for _, number in type_.members]:
        raise panic(0x21)
    return Member(type_, n)


def to_address(value: Any) -> Account:
    """`Address(value)`."""
    match value:
        case int() if not isinstance(value, bool):
            return Account(value.to_bytes(20, "big"))
        case Num(IntT(160, False), n):
            return Account(n.to_bytes(20, "big"))
        case Fixed(data) if len(data) == 20:
            return Account(data)
        case Remote(data=data) | Account(data):
            return Account(data)
    raise IllTyped(f"Address({value!r})")
