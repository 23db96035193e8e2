"""An object linked as far as it can be without knowing where it will stand: one run of bytes, and what is filled in.

Within one mapping that starts at a page, distances and the low bits of addresses do not depend on where it stands: the
worker applies those relocations once. What is left for every load are whole addresses, pointers in tables.

    header | content | offsets of the addresses (u32) | their values less the start (u64) | symbols | their names

Follows: our own format; `link` and `relocate` for what is applied. Never: maps anything, or trusts the bytes it reads.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Final

from contractvm.dataclass import dataclass
from contractvm.native import elf, link
from contractvm.native.elf import BadObject, Machine, Object

MAGIC: Final = b"\x7fcvmimg\1"
HEADER: Final = struct.Struct("<8s8I")
"""Magic; machine, page, then bytes of text, of the whole, of content; addresses, symbols, bytes of names."""
SYMBOL: Final = struct.Struct("<2I")
"""Offset and size of a global symbol, in bytes."""
WHOLE: Final[Mapping[Machine, int]] = MappingProxyType({Machine.X86_64: 1, Machine.AARCH64: 257})
"""The kind of relocation that writes an address: R_X86_64_64, R_AARCH64_ABS64."""
_ADDRESS: Final = 8


@dataclass(frozen=True, slots=True)
class Image:
    """What is mapped: `text` bytes are code, all in all there are `size`, both whole pages; beyond `content` are zeros.

    `places` are where addresses stand, `values` those addresses less the start. `symbols`: (offset, size) by name.
    """

    machine: Machine
    page: int
    text: int
    size: int
    content: memoryview
    places: tuple[int, ...]
    values: tuple[int, ...]
    symbols: Mapping[str, tuple[int, int]]


def made(data: bytes, page: int) -> bytes:
    """Link an ELF object for mappings of pages of `page` bytes. Raises: BadObject."""
    obj = elf.read(data)
    layout = link.lay_out(obj, page)
    memory = bytearray(layout.size)
    with memoryview(memory) as view:
        symbols = link.place(obj, layout, view, 0, {})
    places = sorted(_places(obj, layout))
    values = [struct.unpack_from("<Q", memory, place)[0] for place in places]
    for place in places:
        memory[place : place + _ADDRESS] = bytes(_ADDRESS)
    content = memory.rstrip(b"\0")
    sizes = {obj.name(n): obj.symbols[n][5] for n in range(obj.first_global, len(obj.symbols))}
    names = "\0".join(symbols).encode("latin-1")
    head = HEADER.pack(
        MAGIC, obj.machine, page, layout.text, layout.size, len(content), len(places), len(symbols), len(names)
    )
    return b"".join(
        [
            head,
            content,
            struct.pack(f"<{len(places)}I", *places),
            struct.pack(f"<{len(values)}Q", *values),
            *(SYMBOL.pack(at, sizes[name]) for name, at in symbols.items()),
            names,
        ]
    )


def _places(obj: Object, layout: link.Layout) -> Iterator[int]:
    """Where whole addresses stand: relocated ones, and the table of the global symbols."""
    starts = {section.index: offset for section, offset in layout.sections}
    whole = WHOLE[obj.machine]
    for entries, target in obj.relocation_sections():
        if target.index in starts:
            start = starts[target.index]
            yield from (start + offset for offset, kind, _, _ in obj.relocations(entries) if kind == whole)
    for n in range(obj.first_global, len(obj.symbols)):
        if obj.symbols[n][3] in starts:
            yield layout.table + _ADDRESS * (n - obj.first_global)


def read(data: bytes) -> Image:
    """Parse and check an image. Raises: BadObject."""
    try:
        magic, machine, page, text, size, filled, places, symbols, named = HEADER.unpack_from(data)
        at = HEADER.size + filled
        offsets = struct.unpack_from(f"<{places}I", data, at)
        at += 4 * places
        values = struct.unpack_from(f"<{places}Q", data, at)
        at += _ADDRESS * places
        rows = list(SYMBOL.iter_unpack(data[at : at + SYMBOL.size * symbols]))
        at += SYMBOL.size * symbols
        names = data[at:].decode("latin-1").split("\0") if symbols else []
        kind = Machine(machine)
    except (struct.error, ValueError) as error:
        raise BadObject(f"this is no linked object: {error}") from error
    whole = magic == MAGIC and len(data) == at + named and len(names) == len(rows) == symbols
    if not whole or not filled <= size or not text <= size <= link.MAX_IMAGE:
        raise BadObject("a linked object is cut short, or is none")
    if not page or text % page or size % page:
        raise BadObject(f"a linked object is not made of whole pages of {page} bytes")
    if any(offset + length > size for offset, length in rows):
        raise BadObject("a symbol is outside the linked object")
    if offsets and max(offsets) > size - _ADDRESS:
        raise BadObject("an address is outside the linked object")
    if values and max(values) > size:
        raise BadObject("an address points outside the linked object")
    content = memoryview(data)[HEADER.size : HEADER.size + filled]
    return Image(kind, page, text, size, content, offsets, values, dict(zip(names, rows, strict=True)))
