"""Linked objects: what they hold is what placing the object at once gives, and broken ones are refused."""

from __future__ import annotations

import mmap
import struct

import pytest

from contractvm.native import elf, image, link, loader
from contractvm.native.elf import BadObject
from tests.contractvm.native.objects import HERE, SAMPLE, compiled

PAGE = mmap.PAGESIZE
BASES = (0x7F00_0000_0000, 0x1_2340_0000)


def sample() -> bytes:
    return compiled(SAMPLE, HERE)


@pytest.mark.parametrize("base", BASES)
def test_an_image_stands_anywhere(base: int) -> None:
    """Its bytes with the addresses filled in are those of an object that is linked for that place."""
    obj = elf.read(sample())
    layout = link.lay_out(obj, PAGE)
    wanted = bytearray(layout.size)
    with memoryview(wanted) as view:
        symbols = link.place(obj, layout, view, base, {})
    made = image.read(image.made(sample(), PAGE))
    found = bytearray(made.size)
    found[: len(made.content)] = made.content
    for place, value in zip(made.places, made.values, strict=True):
        struct.pack_into("<Q", found, place, base + value)
    assert found == wanted
    assert {name: base + at for name, (at, _) in made.symbols.items()} == symbols
    assert made.places and (made.text, made.size) == (layout.text, layout.size)


def test_linking_twice_gives_the_same_bytes() -> None:
    assert image.made(sample(), PAGE) == image.made(sample(), PAGE)


def test_every_cut_is_refused() -> None:
    whole = image.made(sample(), PAGE)
    for length in [*range(image.HEADER.size + 2), *range(image.HEADER.size, len(whole), 7), len(whole) - 1]:
        with pytest.raises(BadObject):
            image.read(whole[:length])
    with pytest.raises(BadObject):
        image.read(whole + b"x")


@pytest.mark.parametrize("field", range(8))
@pytest.mark.parametrize("value", [1, 4097, 0xFFFF_FFFF])
def test_a_wrong_header_is_refused(field: int, value: int) -> None:
    whole = bytearray(image.made(sample(), PAGE))
    struct.pack_into("<I", whole, 8 + 4 * field, value)
    with pytest.raises(BadObject):
        loader.load(bytes(whole))


def test_an_address_outside_is_refused() -> None:
    whole = bytearray(image.made(sample(), PAGE))
    made = image.read(bytes(whole))
    at = image.HEADER.size + len(made.content)
    for place, bad in ((at, made.size - 7), (at + 4 * len(made.places), made.size + 1)):
        broken = bytearray(whole)
        struct.pack_into("<I", broken, place, bad)
        with pytest.raises(BadObject, match="an address"):
            loader.load(bytes(broken))


def test_pages_of_another_size_are_refused() -> None:
    with pytest.raises(BadObject, match=f"pages of {4 * PAGE} bytes"):
        loader.load(image.made(sample(), 4 * PAGE))
