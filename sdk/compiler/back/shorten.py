"""Instructions, and pairs of them that are shorter as one: what an assembler does as it writes.

Only neighbours in straight code are looked at: no label lies between them. Prices: gas/schedules.
Never: changes what code does. (A load's offset does not wrap where an addition would: no access in bounds can tell.)
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

from contractvm.dataclass import dataclass
from sdk.compiler.symbols import Span

BRANCHES: Final = frozenset({"br", "br_if", "br_table"})
LEAVING: Final = frozenset({"br", "br_table", "return", "unreachable"})
"""What is behind them in a block is never reached."""


@dataclass(slots=True)
class Instruction:
    """`imm` as in `contractvm.wasm.module.Code`, but a Defined or an import's name where an index will be."""

    name: str
    imm: object
    span: Span | None


def shorten(code: list[Instruction], name: str, imm: object) -> bool:
    """Change the code's end so that it does what it would do with this instruction behind it; False if it cannot."""
    rule = _RULES.get(name)
    return bool(code) and rule is not None and rule(code, name, imm)


def _get(code: list[Instruction], name: str, imm: object) -> bool:
    """`set x, get x` is `tee x`."""
    last = code[-1]
    if last.name == "local.set" and last.imm == imm:
        last.name = "local.tee"
        return True
    return False


def _drop(code: list[Instruction], name: str, imm: object) -> bool:
    """What only pushes is not pushed."""
    last = code[-1]
    if last.name in ("i32.const", "i64.const", "local.get"):
        code.pop()
        return True
    if last.name == "local.tee":
        last.name = "local.set"
        return True
    return False


def _wrap(code: list[Instruction], name: str, imm: object) -> bool:
    last = code[-1]
    if last.name == "i64.const" and isinstance(last.imm, int):
        last.name, last.imm = "i32.const", last.imm & 0xFFFF_FFFF
        return True
    if last.name in ("i64.extend_i32_u", "i64.extend_i32_s"):
        code.pop()
        return True
    return False


def _widen(code: list[Instruction], name: str, imm: object) -> bool:
    last = code[-1]
    if last.name == "i32.const" and isinstance(last.imm, int):
        last.name = "i64.const"
        return True
    if last.name == "i32.load8_u":
        last.name = "i64.load8_u"
        return True
    if last.name == "i32.load16_u":
        last.name = "i64.load16_u"
        return True
    if last.name == "i32.load":
        last.name = "i64.load32_u"
        return True
    return False


def _no_op_zero(code: list[Instruction], name: str, imm: object) -> bool:
    """Adding, subtracting, or-ing, shifting by the constant 0."""
    last = code[-1]
    if last.name in ("i32.const", "i64.const") and last.imm == 0:
        code.pop()
        return True
    return False


def _equal(code: list[Instruction], name: str, imm: object) -> bool:
    """Comparing with the constant 0."""
    last = code[-1]
    if last.name in ("i32.const", "i64.const") and last.imm == 0:
        last.name, last.imm = f"{name[:3]}.eqz", None
        return True
    return False


def _access(code: list[Instruction], name: str, imm: object) -> bool:
    """A constant added to a load's address is its offset."""
    if len(code) < 2 or code[-1].name != "i32.add" or code[-2].name != "i32.const":
        return False
    addend = code[-2].imm
    if not isinstance(imm, tuple) or not isinstance(addend, int) or addend >= 1 << 31:
        return False
    span = code[-1].span
    del code[-2:]
    code.append(Instruction(name, (imm[0], imm[1] + addend), span))
    return True


def _test(code: list[Instruction], name: str, imm: object) -> bool:
    """What is not zero twice is tested as it is."""
    while len(code) > 1 and code[-1].name == "i32.eqz" and code[-2].name == "i32.eqz":
        del code[-2:]
    return False


def _eqz(code: list[Instruction], name: str, imm: object) -> bool:
    """The other comparison instead of a comparison's denial."""
    last = code[-1]
    if last.name in _DENIED:
        last.name = _DENIED[last.name]
        return True
    return False


_OPPOSITES = (("eq", "ne"), ("lt_u", "ge_u"), ("gt_u", "le_u"), ("lt_s", "ge_s"), ("gt_s", "le_s"))
_DENIED: Final[Mapping[str, str]] = MappingProxyType(
    {
        f"{width}.{one}": f"{width}.{other}"
        for width in ("i32", "i64")
        for pair in _OPPOSITES
        for one, other in (pair, pair[::-1])
    }
)
_LOADS = (
    *("i32.load", "i64.load", "i32.load8_s", "i32.load8_u", "i32.load16_s", "i32.load16_u", "i64.load8_s"),
    *("i64.load8_u", "i64.load16_s", "i64.load16_u", "i64.load32_s", "i64.load32_u"),
)
_ZERO_IS_NOTHING = ("add", "sub", "or", "xor", "shl", "shr_u", "shr_s", "rotl", "rotr")
_RULES: Final[Mapping[str, Callable[[list[Instruction], str, object], bool]]] = MappingProxyType(
    {
        "local.get": _get,
        "drop": _drop,
        "i32.wrap_i64": _wrap,
        "i64.extend_i32_u": _widen,
        "i32.eqz": _eqz,
        "if": _test,
        "br_if": _test,
    }
    | {f"{width}.eq": _equal for width in ("i32", "i64")}
    | {f"{width}.{name}": _no_op_zero for width in ("i32", "i64") for name in _ZERO_IS_NOTHING}
    | dict.fromkeys(_LOADS, _access)
)
