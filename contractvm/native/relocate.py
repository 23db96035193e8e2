"""Relocation arithmetic: what each kind of relocation writes, for x86-64 and AArch64.

Follows the System V ABI's AMD64 supplement, section 4.4 "Relocation", and "ELF for the Arm 64-bit Architecture",
section 5.7 "Relocation": the kinds that LLVM's small position-independent code uses, and no others. Pure arithmetic on
the bytes of one section: never writes outside them, whatever the entries say.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable, Sequence
from enum import Enum

from contractvm.dataclass import dataclass
from contractvm.native.elf import BadObject, Machine, RawRelocation

NOWHERE = 1 << 100
"""Address of a symbol that has no place in memory: it fits no field, so that using it is found out."""

_S32 = struct.Struct("<i")
_U32 = struct.Struct("<I")
_S64 = struct.Struct("<q")
_U64 = struct.Struct("<Q")

_X86_64, _X86_PC32, _X86_PLT32, _X86_PC64 = 1, 2, 4, 24
_X86_GOT = frozenset({9, 41, 42})
"""GOTPCREL, GOTPCRELX, REX_GOTPCRELX: the short cuts that the last two allow a linker are not taken."""


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where symbols are, by symbol index. `slots`: where the eight bytes are that hold the symbol's address."""

    symbols: Sequence[int]
    slots: Sequence[int]


Apply = Callable[[memoryview, int, Iterable[RawRelocation], Addresses], None]
"""(bytes of the section, its address, relocations, addresses) -> nothing: the section's bytes are changed."""


def apply(machine: Machine, section: memoryview, base: int, entries: Iterable[RawRelocation], at: Addresses) -> None:
    """Apply relocations to a section's bytes, which will stand at address `base`.

    Raises:
        BadObject: an unknown kind, a symbol without an address, a place outside the section, a value that does not fit.
    """
    try:
        _MACHINES[machine](section, base, entries, at)
    except (struct.error, IndexError, OverflowError) as error:
        # The loops lean on the checks that packing and indexing make anyway: a second check would double their time.
        raise BadObject(f"a relocation is out of its section, or what it names is out of reach: {error}") from error


def _x86_64(section: memoryview, base: int, entries: Iterable[RawRelocation], at: Addresses) -> None:
    symbols, put = at.symbols, _S32.pack_into
    for offset, kind, symbol, addend in entries:
        if kind == _X86_PC32 or kind == _X86_PLT32:
            put(section, offset, symbols[symbol] + addend - base - offset)
        elif kind == _X86_64:
            _U64.pack_into(section, offset, symbols[symbol] + addend)
        elif kind in _X86_GOT:
            put(section, offset, at.slots[symbol] + addend - base - offset)
        elif kind == _X86_PC64:
            _S64.pack_into(section, offset, symbols[symbol] + addend - base - offset)
        else:
            raise BadObject(f"relocation of unknown kind {kind} (x86-64)")


class _Base(Enum):
    """What an AArch64 relocation measures from."""

    ADDRESS = "the address itself"
    PLACE = "the distance from the place"
    PAGE = "the distance between the pages"


@dataclass(frozen=True, slots=True)
class _Field:
    """A field of an AArch64 instruction: `width` bits of the value from bit `drop` on, put at bit `at`.

    `whole`: the value must fit (signed); otherwise only its low `drop + width` bits count. `got`: of the symbol's slot.
    """

    base: _Base
    drop: int
    width: int
    at: int
    whole: bool = True
    got: bool = False


def _low12(drop: int, got: bool = False) -> _Field:
    return _Field(_Base.ADDRESS, drop, 12 - drop, 10, whole=False, got=got)


_ADR = frozenset({274, 275, 311})
"""ADR and ADRP have their two lowest bits apart, at bit 29."""

_FIELDS = {
    273: _Field(_Base.PLACE, 2, 19, 5),  # LD_PREL_LO19
    274: _Field(_Base.PLACE, 0, 21, 5),  # ADR_PREL_LO21
    275: _Field(_Base.PAGE, 12, 21, 5),  # ADR_PREL_PG_HI21
    277: _low12(0),  # ADD_ABS_LO12_NC
    278: _low12(0),  # LDST8_ABS_LO12_NC
    279: _Field(_Base.PLACE, 2, 14, 5),  # TSTBR14
    280: _Field(_Base.PLACE, 2, 19, 5),  # CONDBR19
    282: _Field(_Base.PLACE, 2, 26, 0),  # JUMP26
    283: _Field(_Base.PLACE, 2, 26, 0),  # CALL26
    284: _low12(1),  # LDST16_ABS_LO12_NC
    285: _low12(2),  # LDST32_ABS_LO12_NC
    286: _low12(3),  # LDST64_ABS_LO12_NC
    299: _low12(4),  # LDST128_ABS_LO12_NC
    311: _Field(_Base.PAGE, 12, 21, 5, got=True),  # ADR_GOT_PAGE
    312: _low12(3, got=True),  # LD64_GOT_LO12_NC
}
"""By kind of relocation. Source: "ELF for the Arm 64-bit Architecture", tables of section 5.7."""

_ARM_ABS64, _ARM_PREL64, _ARM_PREL32 = 257, 260, 261


def _aarch64(section: memoryview, base: int, entries: Iterable[RawRelocation], at: Addresses) -> None:
    for offset, kind, symbol, addend in entries:
        place = base + offset
        field = _FIELDS.get(kind)
        if field is not None:
            target = (at.slots if field.got else at.symbols)[symbol] + addend
            (word,) = _U32.unpack_from(section, offset)
            _U32.pack_into(section, offset, _insert(word, kind, field, target, place))
        elif kind == _ARM_ABS64:
            _U64.pack_into(section, offset, at.symbols[symbol] + addend)
        elif kind == _ARM_PREL32:
            _S32.pack_into(section, offset, at.symbols[symbol] + addend - place)
        elif kind == _ARM_PREL64:
            _S64.pack_into(section, offset, at.symbols[symbol] + addend - place)
        else:
            raise BadObject(f"relocation of unknown kind {kind} (AArch64)")


def _insert(word: int, kind: int, field: _Field, target: int, place: int) -> int:
    """The instruction `word` with its field set."""
    if not 0 <= target < 1 << 64:
        raise BadObject(f"a relocation of kind {kind} names what has no address")
    value = target
    if field.base is _Base.PLACE:
        value = target - place
    elif field.base is _Base.PAGE:
        value = (target >> 12 << 12) - (place >> 12 << 12)
    if value & ((1 << field.drop) - 1):
        raise BadObject(f"a relocation of kind {kind} names a misaligned address")
    bits = value >> field.drop
    if field.whole and not -(1 << field.width - 1) <= bits < 1 << field.width - 1:
        raise BadObject(f"a relocation of kind {kind} reaches too far")
    bits &= (1 << field.width) - 1
    if kind in _ADR:
        return word & ~(0x7FFFF << 5 | 3 << 29) | bits >> 2 << 5 | (bits & 3) << 29
    # Loads and stores of more than a byte have twelve bits for fewer: the upper ones are zero then.
    width = 12 if field.at == 10 else field.width
    return word & ~((1 << width) - 1 << field.at) | bits << field.at


_MACHINES: dict[Machine, Apply] = {Machine.X86_64: _x86_64, Machine.AARCH64: _aarch64}
