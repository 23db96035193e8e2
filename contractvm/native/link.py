"""Place an object in memory: where each section goes, which address each symbol has, and the bytes as they stand there.

Layout of the one mapping: text, from the next page on everything else (constants, data, and last a table of the global
symbols' addresses, for code that asks for one). Pure: writes only into the memory it is handed, makes nothing
executable. Refuses undefined symbols: an object refers to the outside by a data symbol of its own, filled at load.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping

from contractvm.dataclass import dataclass
from contractvm.native import elf, relocate
from contractvm.native.elf import BadObject, Object, Section

MAX_IMAGE = 64 << 20
"""Most bytes one object may take in memory: far above what the limits on contract code allow it to need."""

_ADDRESS_BYTES = 8


@dataclass(frozen=True, slots=True)
class Layout:
    """Offsets in the mapping, in bytes: text is [0, text), read-only data [text, size); both are whole pages.

    `sections` has (section, its offset); `table` is where the addresses of the global symbols stand.
    """

    text: int
    size: int
    sections: tuple[tuple[Section, int], ...]
    table: int


def lay_out(obj: Object, page: int) -> Layout:
    """Give each loaded section its place; `page` is the size of a page in bytes.

    Raises:
        BadObject: nothing to load, or more than `MAX_IMAGE` bytes.
    """
    placed: list[tuple[Section, int]] = []
    loaded = [section for section in obj.sections if section.loaded]
    text = _place(placed, [section for section in loaded if section.executable], 0)
    text = _up(text, page)
    end = _place(placed, [section for section in loaded if not section.executable], text)
    table = _up(end, _ADDRESS_BYTES)
    size = _up(table + _ADDRESS_BYTES * (len(obj.symbols) - obj.first_global), page)
    if not placed:
        raise BadObject("the object has nothing to load")
    _check_size(size)
    return Layout(text, size, tuple(placed), table)


def _place(placed: list[tuple[Section, int]], sections: list[Section], offset: int) -> int:
    for section in sections:
        offset = _up(offset, section.align or 1)
        placed.append((section, offset))
        offset += section.size
        _check_size(offset)
    return offset


def _check_size(size: int) -> None:
    if size > MAX_IMAGE:
        raise BadObject(f"the object wants {size} bytes of memory, more than {MAX_IMAGE}")


def _up(offset: int, align: int) -> int:
    return (offset + align - 1) // align * align


def place(obj: Object, layout: Layout, memory: memoryview, base: int, fill: Mapping[str, bytes]) -> dict[str, int]:
    """Write the image into `memory` (zeroed, `layout.size` bytes), which will stand at address `base`.

    `fill`: content of named data symbols. Returns the addresses of the global symbols by name.

    Raises:
        BadObject: an undefined symbol, a relocation that cannot be applied, a fill that finds no room.
    """
    views: list[memoryview | None] = [None] * len(obj.sections)
    starts = [relocate.NOWHERE] * len(obj.sections)
    for section, offset in layout.sections:
        view = views[section.index] = memory[offset : offset + section.size]
        starts[section.index] = base + offset
        if section.kind != elf.SHT_NOBITS:
            view[:] = obj.content(section)
    addresses = _addresses(obj, starts)
    exported = _exported(obj, addresses)
    at = relocate.Addresses(addresses, _slots(obj, layout, memory, base, addresses))
    for entries, target in obj.relocation_sections():
        changed = views[target.index]
        if changed is not None:
            relocate.apply(obj.machine, changed, starts[target.index], obj.relocations(entries), at)
    if fill:
        _fill(obj, fill, exported, views)
    return {name: addresses[index] for name, index in exported.items()}


def _addresses(obj: Object, starts: list[int]) -> list[int]:
    """Address of each symbol; the null symbol and those of sections that are not loaded are nowhere."""
    addresses = []
    last = len(starts)
    for index, (_, _, _, section, value, _) in enumerate(obj.symbols):
        if 0 < section < last:
            addresses.append(starts[section] + value)
        elif index == 0 or section == elf.SHN_ABS:
            addresses.append(relocate.NOWHERE)
        elif section == elf.SHN_UNDEF:
            raise BadObject(f"undefined symbol {obj.name(index)!r}")
        else:
            raise BadObject(f"symbol {obj.name(index)!r} is in section {section:#x}, which there is not")
    return addresses


def _exported(obj: Object, addresses: list[int]) -> dict[str, int]:
    """Global symbols, name -> symbol index: those that have an address, each wholly inside its section."""
    found: dict[str, int] = {}
    for index in range(obj.first_global, len(obj.symbols)):
        if addresses[index] < relocate.NOWHERE:
            _, _, _, section, value, size = obj.symbols[index]
            name = obj.name(index)
            if value + size > obj.sections[section].size:
                raise BadObject(f"symbol {name!r} passes the end of its section")
            if found.setdefault(name, index) != index:
                raise BadObject(f"two symbols are called {name!r}")
    return found


def _slots(obj: Object, layout: Layout, memory: memoryview, base: int, addresses: list[int]) -> list[int]:
    """Write the table of the global symbols' addresses; where each symbol's own stands (nowhere for local ones)."""
    wanted = [address if address < relocate.NOWHERE else 0 for address in addresses[obj.first_global :]]
    try:
        struct.pack_into(f"<{len(wanted)}Q", memory, layout.table, *wanted)
    except struct.error as error:
        raise BadObject(f"a symbol is beyond the address space: {error}") from error
    start = base + layout.table
    local = [relocate.NOWHERE] * obj.first_global
    return local + [start + _ADDRESS_BYTES * index for index in range(len(wanted))]


def _fill(obj: Object, fill: Mapping[str, bytes], exported: Mapping[str, int], views: list[memoryview | None]) -> None:
    for name, content in fill.items():
        index = exported.get(name)
        if index is None:
            raise BadObject(f"the object has no symbol {name!r} to fill")
        _, _, _, section, value, size = obj.symbols[index]
        view = views[section]
        if view is None or obj.sections[section].executable or len(content) > size:
            raise BadObject(f"symbol {name!r} is no data of {len(content)} bytes or more")
        view[value : value + len(content)] = content
