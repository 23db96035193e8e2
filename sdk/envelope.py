"""What surrounds a module's code: custom sections, taken off or put on without touching a byte of the rest.

A deployed contract carries one custom section, `cvm`, first: the length of the whole module in bytes (u32,
little-endian, this section included), so that what follows a module in deploy data is known to be arguments.
Source: WebAssembly core specification, sections 5.5.2 and 5.5.3; the appendix for the `name` section.
Never: looks inside a section that is not custom.
"""

from __future__ import annotations

from contractvm.errors import Malformed, Place

HEADER = b"\0asm\1\0\0\0"
MARK = b"\x00\x08\x03cvm"
"""A `cvm` section without its payload: id 0, 8 bytes, a name of 3 bytes."""
MARK_BYTES = len(MARK) + 4

Section = tuple[int, bytes]
"""A section's id and all its bytes, id and size included."""


def leb(data: bytes, at: int) -> tuple[int, int]:
    """Read an unsigned LEB128 of at most 5 bytes; return it and the place behind it. Raises: Malformed."""
    value = 0
    for i in range(5):
        if at + i >= len(data):
            break
        value |= (data[at + i] & 0x7F) << 7 * i
        if data[at + i] < 0x80:
            return value, at + i + 1
    raise Malformed("a section's size is cut off or longer than 5 bytes", Place(at))


def sections(module: bytes) -> list[Section]:
    """Divide a module into its sections. Raises: Malformed."""
    if module[:8] != HEADER:
        raise Malformed("magic header not detected" if module[:4] != HEADER[:4] else "unknown binary version", Place(0))
    found = []
    at = len(HEADER)
    while at < len(module):
        size, start = leb(module, at + 1)
        if start + size > len(module):
            raise Malformed("unexpected end of section", Place(at))
        found.append((module[at], module[at : start + size]))
        at = start + size
    return found


def custom_name(section: bytes) -> bytes:
    """The name of a custom section. Raises: Malformed."""
    _, at = leb(section, 1)
    size, at = leb(section, at)
    return section[at : at + size]


def custom(module: bytes, name: bytes) -> bytes:
    """What the module's custom sections of a name contain, joined. Raises: Malformed."""
    found = []
    for kind, section in sections(module):
        if not kind and custom_name(section) == name:
            _, at = leb(section, 1)
            size, at = leb(section, at)
            found.append(section[at + size :])
    return b"".join(found)


def bare(module: bytes) -> bytes:
    """The module without any custom section. Raises: Malformed."""
    return HEADER + b"".join(section for kind, section in sections(module) if kind)


def names(module: bytes) -> bytes:
    """The module's `name` sections. Raises: Malformed."""
    return b"".join(section for kind, section in sections(module) if not kind and custom_name(section) == b"name")


def seal(module: bytes) -> bytes:
    """The module as it is deployed: no custom section but `cvm`, which is the first. Raises: Malformed."""
    inside = bare(module)[len(HEADER) :]
    size = len(HEADER) + MARK_BYTES + len(inside)
    return HEADER + MARK + size.to_bytes(4, "little") + inside
