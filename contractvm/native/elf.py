"""Read a relocatable ELF object: sections, symbols and relocations, as LLVM writes them.

Follows the System V ABI, chapter 4 "Object Files" (ELF-64, little-endian, type ET_REL, relocations with addends). Only
what a loader needs is read: no dynamic linking, groups, thread-local data or compressed sections. The bytes are
not trusted: whatever is wrong in them is a `BadObject`, and the work done is bounded by their length. Never writes.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from enum import IntEnum

from contractvm.dataclass import dataclass
from contractvm.errors import ContractVMError

FILE_HEADER = struct.Struct("<16sHHIQQQIHHHHHH")
SECTION_HEADER = struct.Struct("<IIQQQQIIQQ")
SYMBOL = struct.Struct("<IBBHQQ")
RELOCATION = struct.Struct("<QIIq")

IDENT = b"\x7fELF\x02\x01\x01"
"""Magic, 64 bits, little-endian, version 1."""
ET_REL = 1

SHT_PROGBITS, SHT_SYMTAB, SHT_STRTAB, SHT_RELA, SHT_NOTE, SHT_NOBITS, SHT_REL = 1, 2, 3, 4, 7, 8, 9
SHF_WRITE, SHF_ALLOC, SHF_EXECINSTR, SHF_TLS, SHF_COMPRESSED = 0x1, 0x2, 0x4, 0x400, 0x800
SHN_UNDEF, SHN_LORESERVE, SHN_ABS = 0, 0xFF00, 0xFFF1
STB_LOCAL = 0
STT_OBJECT, STT_FUNC, STT_SECTION, STT_FILE, STT_TLS = 1, 2, 3, 4, 6

UNWIND = ".eh_frame"
"""The section of unwinding tables: read by `stacksize`, never loaded."""

MAX_ALIGN = 4096
"""Largest alignment of a section, in bytes: the smallest page any machine here has."""

RawSymbol = tuple[int, int, int, int, int, int]
"""Name offset, type and binding, visibility, section index, value, size in bytes."""

RawRelocation = tuple[int, int, int, int]
"""Offset in the section, kind, symbol index, addend."""


class BadObject(ContractVMError):
    """The bytes are not an object this loader takes: truncated, corrupt, foreign, or made otherwise than ours are."""


class Machine(IntEnum):
    """The processors objects are made for (`e_machine`)."""

    X86_64 = 62
    AARCH64 = 183


@dataclass(frozen=True, slots=True)
class Section:
    """One section header. `offset` and `size` are bytes in the file; of SHT_NOBITS, `size` is bytes in memory."""

    index: int
    name: str
    kind: int
    flags: int
    offset: int
    size: int
    link: int
    info: int
    align: int
    entry: int

    @property
    def loaded(self) -> bool:
        """Whether it has a place in memory. Unwinding tables and notes have none: nobody here unwinds."""
        return bool(self.flags & SHF_ALLOC) and self.kind != SHT_NOTE and self.name != UNWIND and self.size > 0

    @property
    def executable(self) -> bool:
        return bool(self.flags & SHF_EXECINSTR)


@dataclass(frozen=True, slots=True)
class Object:
    """A checked object file. `symbols[:first_global]` are local; symbol 0 is the null symbol."""

    machine: Machine
    data: memoryview
    sections: tuple[Section, ...]
    symbols: Sequence[RawSymbol]
    first_global: int
    names: bytes

    def name(self, symbol: int) -> str:
        """Name of a symbol.

        Raises:
            BadObject: its name is outside the string table.
        """
        return _text(self.names, self.symbols[symbol][0])

    def content(self, section: Section) -> memoryview:
        """The section's bytes in the file; none for SHT_NOBITS."""
        if section.kind == SHT_NOBITS:
            return self.data[:0]
        return self.data[section.offset : section.offset + section.size]

    def relocations(self, section: Section) -> Iterator[RawRelocation]:
        """The entries of a SHT_RELA section, as they stand in the file."""
        return RELOCATION.iter_unpack(self.content(section))

    def relocation_sections(self) -> Iterator[tuple[Section, Section]]:
        """Each section of relocations with the section that it changes.

        Raises:
            BadObject: one changes no section there is, or reads other symbols than the symbol table's.
        """
        for section in self.sections:
            if section.kind == SHT_RELA:
                if not 0 < section.info < len(self.sections):
                    raise BadObject(f"{section.name} relocates section {section.info}, which there is not")
                if section.entry != RELOCATION.size or section.size % RELOCATION.size:
                    raise BadObject(f"{section.name} is not a table of relocations with addends")
                yield section, self.sections[section.info]


def read(data: bytes) -> Object:
    """Parse and check an object file.

    Raises:
        BadObject: anything malformed, truncated, or outside what the module's docstring says is read.
    """
    view = memoryview(data)
    if len(view) < FILE_HEADER.size:
        raise BadObject(f"{len(view)} bytes are no object file")
    header = FILE_HEADER.unpack_from(view)
    ident, kind, machine, version, _, _, table, _, _, _, _, entry, count, strings = header
    if ident[: len(IDENT)] != IDENT or kind != ET_REL or version != 1:
        raise BadObject("not a relocatable little-endian ELF-64 object")
    if machine not in tuple(Machine):
        raise BadObject(f"an object for machine {machine}, which is not supported")
    sections = _sections(view, table, entry, count, strings)
    tables = [section for section in sections if section.kind == SHT_SYMTAB]
    if len(tables) != 1:
        raise BadObject(f"{len(tables)} symbol tables instead of one")
    symbols, first_global, names = _symbols(view, sections, tables[0])
    return Object(Machine(machine), view, sections, symbols, first_global, names)


def _sections(view: memoryview, table: int, entry: int, count: int, strings: int) -> tuple[Section, ...]:
    end = table + count * SECTION_HEADER.size
    if entry != SECTION_HEADER.size or not 0 < count < SHN_LORESERVE or end > len(view) or strings >= count:
        raise BadObject("the section table is not in the file")
    raw = list(SECTION_HEADER.iter_unpack(view[table:end]))
    names = _bytes_of(view, raw[strings][4], raw[strings][5])
    sections = tuple(
        Section(index, _text(names, name), kind, flags, offset, size, link, info, align, entry)
        for index, (name, kind, flags, _, offset, size, link, info, align, entry) in enumerate(raw)
    )
    used = 0
    for section in sections[1:]:
        _check_section(section, len(view))
        if section.kind != SHT_NOBITS:
            used += section.size
    if used > len(view):
        raise BadObject("sections overlap in the file")
    return sections


def _check_section(section: Section, length: int) -> None:
    if section.kind != SHT_NOBITS and section.offset + section.size > length:
        raise BadObject(f"section {section.name} passes the end of the file")
    if section.flags & (SHF_TLS | SHF_COMPRESSED):
        raise BadObject(f"section {section.name} is thread-local or compressed")
    if section.kind == SHT_REL:
        raise BadObject(f"section {section.name} has relocations without addends")
    if section.align > MAX_ALIGN or section.align & (section.align - 1):
        raise BadObject(f"section {section.name} is aligned to {section.align} bytes")


def _symbols(view: memoryview, sections: tuple[Section, ...], table: Section) -> tuple[Sequence[RawSymbol], int, bytes]:
    if table.entry != SYMBOL.size or not table.size or table.size % SYMBOL.size:
        raise BadObject("the symbol table is not a table of symbols")
    if table.link >= len(sections) or sections[table.link].kind != SHT_STRTAB:
        raise BadObject("the symbol table has no names")
    symbols: list[RawSymbol] = list(SYMBOL.iter_unpack(_bytes_of(view, table.offset, table.size)))
    if not 0 < table.info <= len(symbols):
        raise BadObject("the symbol table has no first global symbol")
    names = _bytes_of(view, sections[table.link].offset, sections[table.link].size)
    return symbols, table.info, names


def _bytes_of(view: memoryview, offset: int, size: int) -> bytes:
    if offset + size > len(view):
        raise BadObject("a table passes the end of the file")
    return bytes(view[offset : offset + size])


def _text(names: bytes, offset: int) -> str:
    end = names.find(b"\0", offset)
    if end < 0:
        raise BadObject("a name is outside its string table")
    return names[offset:end].decode("latin-1")
