"""How many bytes of stack each function of an object takes, read from its unwinding table.

Follows DWARF 5, section 6.4 "Call Frame Information", in the form of the System V ABI's AMD64 supplement, section 4.2.4
"EH_FRAME sections". The compiler describes at each instruction where the caller's frame begins (the CFA) as a register
plus an offset; while that register is the stack pointer, the greatest offset is the frame's size. Objects must be made
with the attribute `uwtable` on every function. Nothing is executed; the bytes are not trusted.

What it cannot see: a frame whose CFA hangs on another register (a stack allocation of unknown size, or one aligned to
more than the stack is) is `UNBOUNDED`; the 128 bytes below the stack pointer that an x86-64 function that calls nothing
may use (once in a thread, not once in a frame); and the stack arguments of a function reached by a tail call, which
stand in the room of the function whose frame it takes over.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator, Mapping

from contractvm.dataclass import dataclass
from contractvm.native import elf
from contractvm.native.elf import BadObject, Machine, Object, Section

UNBOUNDED = 2**63 - 1
"""Size, in bytes, of a frame that has no fixed one: above every limit it is compared with."""

_STACK_POINTER = {Machine.X86_64: 7, Machine.AARCH64: 31}
"""DWARF's number of the stack pointer. Source: the ABIs' tables of DWARF register numbers."""

_POINTER_FORM = 0x1B
"""The one form of addresses LLVM writes in position-independent code: signed, four bytes, relative to the place."""

_U16, _U32 = struct.Struct("<H"), struct.Struct("<I")


def frame_sizes(data: bytes) -> dict[str, int]:
    """Bytes of stack one call of each function takes, return address included, by symbol name (local ones too).

    A function whose frame has no fixed size has `UNBOUNDED`. See the module's docstring for what is not counted.

    Raises:
        BadObject: not an object, an unwinding table this reader does not know, a function without an entry in it, two
            functions of one name.
    """
    obj = elf.read(data)
    sizes = _sizes_by_place(obj)
    found: dict[str, int] = {}
    for index, (_, info, _, section, value, _) in enumerate(obj.symbols):
        if info & 0xF == elf.STT_FUNC and section != elf.SHN_UNDEF:
            name = obj.name(index)
            if (section, value) not in sizes:
                raise BadObject(f"function {name!r} has no entry in {elf.UNWIND}: it needs the attribute uwtable")
            if name in found:
                raise BadObject(f"two functions are called {name!r}")
            found[name] = sizes[section, value]
    return found


def _sizes_by_place(obj: Object) -> dict[tuple[int, int], int]:
    """(section index, offset of a function in it) -> bytes of stack, for each entry of the unwinding table."""
    sizes: dict[tuple[int, int], int] = {}
    for section in obj.sections:
        if section.name == elf.UNWIND and section.kind != elf.SHT_RELA:
            starts = _starts(obj, section)
            for place, size in _entries(obj.machine, bytes(obj.content(section))):
                if place not in starts:
                    raise BadObject(f"an entry of {elf.UNWIND} is for no function")
                sizes[starts[place]] = max(size, sizes.get(starts[place], 0))
    return sizes


def _starts(obj: Object, unwind: Section) -> dict[int, tuple[int, int]]:
    """Offset of a relocated place in the table -> (section index, offset) of the code it names."""
    starts: dict[int, tuple[int, int]] = {}
    for entries, target in obj.relocation_sections():
        if target is unwind:
            for offset, _, symbol, addend in obj.relocations(entries):
                if symbol >= len(obj.symbols):
                    raise BadObject(f"{entries.name} names symbol {symbol}, which there is not")
                _, _, _, section, value, _ = obj.symbols[symbol]
                starts[offset] = section, value + addend
    return starts


@dataclass(frozen=True, slots=True)
class _Common:
    """What entries share (CIE): factors of code and data offsets, and the first instructions."""

    data_factor: int
    program: bytes


def _entries(machine: Machine, table: bytes) -> Iterator[tuple[int, int]]:
    """Each function's entry (FDE): (offset in the table of the function's address, bytes of stack)."""
    common: dict[int, _Common] = {}
    reader = _Reader(table)
    while reader.at < len(table):
        start = reader.at
        length = reader.u32()
        if length == 0:
            break
        end, back_from = reader.at + length, reader.at
        if length >= 0xFFFFFFF0 or length < 4 or end > len(table):
            raise BadObject(f"an entry of {elf.UNWIND} passes its end")
        back = reader.u32()
        entry = _Reader(table[:end], reader.at)
        if back == 0:
            common[start] = _common(entry)
        else:
            if back_from - back not in common:
                raise BadObject(f"an entry of {elf.UNWIND} has no head")
            head = common[back_from - back]
            place = entry.at
            entry.skip(8)
            entry.skip(entry.uleb())
            yield place, _Frame(_STACK_POINTER[machine], head.data_factor).size(head.program, entry.rest())
        reader.at = end


def _common(entry: _Reader) -> _Common:
    version, augmentation = entry.u8(), entry.text()
    entry.uleb()
    data_factor = entry.sleb()
    entry.uleb()
    if version != 1 or augmentation != b"zR" or entry.uleb() != 1 or entry.u8() != _POINTER_FORM:
        raise BadObject(f"{elf.UNWIND} has a form that is not known (version {version}, {augmentation!r})")
    return _Common(data_factor, entry.rest())


class _Reader:
    """A place in bytes, moving on.

    Raises:
        BadObject: each method, at the bytes' end.
    """

    __slots__ = ("at", "data")

    def __init__(self, data: bytes, at: int = 0) -> None:
        self.data = data
        self.at = at

    def skip(self, count: int) -> bytes:
        piece = self.data[self.at : self.at + count]
        if len(piece) != count:
            raise BadObject(f"{elf.UNWIND} ends too early")
        self.at += count
        return piece

    def rest(self) -> bytes:
        return self.skip(len(self.data) - self.at)

    def u8(self) -> int:
        return self.skip(1)[0]

    def u16(self) -> int:
        return int(_U16.unpack(self.skip(2))[0])

    def u32(self) -> int:
        return int(_U32.unpack(self.skip(4))[0])

    def text(self) -> bytes:
        end = self.data.find(b"\0", self.at)
        if end < 0:
            raise BadObject(f"{elf.UNWIND} ends too early")
        return self.skip(end + 1 - self.at)[:-1]

    def uleb(self) -> int:
        value, shift = 0, 0
        while True:
            byte = self.u8()
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return value
            if shift > 63:
                raise BadObject(f"{elf.UNWIND} has a number of more than 64 bits")

    def sleb(self) -> int:
        start = self.at
        value = self.uleb()
        width = 7 * (self.at - start)
        return value - (1 << width) if value >> (width - 1) else value


class _Frame:
    """Runs one entry's instructions and keeps the greatest CFA offset seen."""

    __slots__ = ("_data_factor", "_kept", "_offset", "_register", "_stack_pointer", "_top")

    def __init__(self, stack_pointer: int, data_factor: int) -> None:
        self._stack_pointer = stack_pointer
        self._data_factor = data_factor
        self._register = stack_pointer
        self._offset = 0
        self._top = 0
        self._kept: list[tuple[int, int]] = []

    def size(self, *programs: bytes) -> int:
        """Bytes of stack, or `UNBOUNDED`."""
        for program in programs:
            code = _Reader(program)
            while code.at < len(program):
                self._step(code)
                bounded = self._register == self._stack_pointer and self._offset >= 0
                self._top = max(self._top, self._offset if bounded else UNBOUNDED)
        return self._top

    def _step(self, code: _Reader) -> None:
        opcode = code.u8()
        high = opcode & 0xC0
        if high == 0x80:  # DW_CFA_offset
            code.uleb()
        elif high == 0:
            act = _INSTRUCTIONS.get(opcode)
            if act is None:
                raise BadObject(f"{elf.UNWIND} has an instruction that is not known: {opcode:#x}")
            act(self, code)

    def _define(self, code: _Reader) -> None:
        self._register = code.uleb()
        self._offset = code.uleb()

    def _define_signed(self, code: _Reader) -> None:
        self._register = code.uleb()
        self._offset = code.sleb() * self._data_factor

    def _define_register(self, code: _Reader) -> None:
        self._register = code.uleb()

    def _define_offset(self, code: _Reader) -> None:
        self._offset = code.uleb()

    def _define_offset_signed(self, code: _Reader) -> None:
        self._offset = code.sleb() * self._data_factor

    def _define_expression(self, code: _Reader) -> None:
        code.skip(code.uleb())
        self._register = -1

    def _remember(self, _: _Reader) -> None:
        self._kept.append((self._register, self._offset))

    def _restore(self, _: _Reader) -> None:
        if not self._kept:
            raise BadObject(f"{elf.UNWIND} restores a state it has not kept")
        self._register, self._offset = self._kept.pop()


def _skips(*operands: Callable[[_Reader], object]) -> Callable[[_Frame, _Reader], None]:
    """An instruction that says where a register is kept: nothing about the frame's size."""

    def act(_: _Frame, code: _Reader) -> None:
        for operand in operands:
            operand(code)

    return act


def _block(code: _Reader) -> None:
    code.skip(code.uleb())


_INSTRUCTIONS: Mapping[int, Callable[[_Frame, _Reader], None]] = {
    0x00: _skips(),  # DW_CFA_nop
    0x02: _skips(_Reader.u8),  # DW_CFA_advance_loc1
    0x03: _skips(_Reader.u16),  # DW_CFA_advance_loc2
    0x04: _skips(_Reader.u32),  # DW_CFA_advance_loc4
    0x05: _skips(_Reader.uleb, _Reader.uleb),  # DW_CFA_offset_extended
    0x06: _skips(_Reader.uleb),  # DW_CFA_restore_extended
    0x07: _skips(_Reader.uleb),  # DW_CFA_undefined
    0x08: _skips(_Reader.uleb),  # DW_CFA_same_value
    0x09: _skips(_Reader.uleb, _Reader.uleb),  # DW_CFA_register
    0x0A: _Frame._remember,
    0x0B: _Frame._restore,
    0x0C: _Frame._define,
    0x0D: _Frame._define_register,
    0x0E: _Frame._define_offset,
    0x0F: _Frame._define_expression,
    0x10: _skips(_Reader.uleb, _block),  # DW_CFA_expression
    0x11: _skips(_Reader.uleb, _Reader.sleb),  # DW_CFA_offset_extended_sf
    0x12: _Frame._define_signed,
    0x13: _Frame._define_offset_signed,
    0x16: _skips(_Reader.uleb, _block),  # DW_CFA_val_expression
    0x2D: _skips(),  # DW_CFA_AARCH64_negate_ra_state
    0x2E: _skips(_Reader.uleb),  # DW_CFA_GNU_args_size
}
"""By opcode; those with an operand in their low six bits are in `_step`."""
