"""Objects are read as LLVM writes them; anything else is refused by name, and no damage is more than a refusal."""

from __future__ import annotations

import struct
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import pytest

from contractvm.native import elf, link, relocate
from contractvm.native.elf import BadObject, Machine
from tests.contractvm.native.objects import HERE, SAMPLE, compiled
from tests.sources import ROOT

BASE = 0x7F12_3456_7000
PAGE = 4096


def linked(ir: str, machine: Machine) -> tuple[bytearray, dict[str, int]]:
    """The image as it would stand at `BASE`, and the symbols' addresses."""
    obj = elf.read(compiled(ir, machine))
    layout = link.lay_out(obj, PAGE)
    image = bytearray(layout.size)
    return image, link.place(obj, layout, memoryview(image), BASE, {})


@pytest.mark.parametrize("machine", Machine)
def test_sections_and_symbols_are_read(machine: Machine) -> None:
    obj = elf.read(compiled(SAMPLE, machine))
    assert obj.machine is machine
    names = {obj.name(index) for index in range(len(obj.symbols))}
    assert {"triple", "more", "choose", "calls", "entries"} <= names
    assert {".text", ".eh_frame"} <= {section.name for section in obj.sections}
    assert obj.name(obj.first_global) in names


@pytest.mark.parametrize("machine", Machine)
def test_text_comes_first_and_data_begins_on_a_page(machine: Machine) -> None:
    obj = elf.read(compiled(SAMPLE, machine))
    layout = link.lay_out(obj, PAGE)
    assert layout.text % PAGE == layout.size % PAGE == 0
    for section, offset in layout.sections:
        assert section.name not in (".eh_frame", ".comment")
        assert (offset < layout.text) == section.executable
        assert offset % (section.align or 1) == 0


@pytest.mark.parametrize("machine", Machine)
def test_pointers_in_data_are_absolute(machine: Machine) -> None:
    image, symbols = linked(SAMPLE, machine)
    entries = struct.unpack_from("<3Q", image, symbols["entries"] - BASE)
    assert entries[1:] == (symbols["choose"], symbols["more"])
    assert BASE <= entries[0] < symbols["entries"]


ARM_CODE = """
@near = hidden externally_initialized global [600 x i64] zeroinitializer
@far = externally_initialized global [4 x i64] zeroinitializer
@bytes = hidden externally_initialized global [64 x i8] zeroinitializer, align 16
define i64 @callee(i64 %a) noinline { ret i64 %a }
define i64 @calls(i64 %a) { %r = call i64 @callee(i64 %a) %s = add i64 %r, 1 ret i64 %s }
define i64 @jumps(i64 %a) { %r = tail call i64 @callee(i64 %a) ret i64 %r }
define ptr @address() { ret ptr getelementptr ([600 x i64], ptr @near, i64 0, i64 555) }
define i64 @load64() { %r = load i64, ptr getelementptr ([600 x i64], ptr @near, i64 0, i64 513) ret i64 %r }
define i32 @load32() { %r = load i32, ptr getelementptr ([64 x i8], ptr @bytes, i64 0, i64 12) ret i32 %r }
define i16 @load16() { %r = load i16, ptr getelementptr ([64 x i8], ptr @bytes, i64 0, i64 6) ret i16 %r }
define i8 @load8() { %r = load i8, ptr getelementptr ([64 x i8], ptr @bytes, i64 0, i64 5) ret i8 %r }
define <2 x i64> @load128() {
  %r = load <2 x i64>, ptr getelementptr ([64 x i8], ptr @bytes, i64 0, i64 32)
  ret <2 x i64> %r
}
define i64 @slot() { %r = load i64, ptr @far ret i64 %r }
"""


def words(image: bytearray, address: int, count: int = 4) -> list[tuple[int, int]]:
    """(address, instruction) from an address on."""
    found = struct.unpack_from(f"<{count}I", image, address - BASE)
    return [(address + 4 * index, word) for index, word in enumerate(found)]


def signed(value: int, width: int) -> int:
    return value - (1 << width) if value >> (width - 1) else value


def page_of(code: list[tuple[int, int]]) -> tuple[int, int]:
    """What the first ADRP names, and the instruction that follows it."""
    for (place, word), (_, following) in pairwise(code):
        if word & 0x9F000000 == 0x90000000:
            pages = signed((word >> 5 & 0x7FFFF) << 2 | word >> 29 & 3, 21)
            return (place & ~0xFFF) + (pages << 12), following
    raise AssertionError("no ADRP in the code")


def branch_target(code: list[tuple[int, int]]) -> int:
    """Where the first B or BL goes."""
    for place, word in code:
        if word & 0x7C000000 == 0x14000000:
            return place + 4 * signed(word & 0x3FFFFFF, 26)
    raise AssertionError("no branch in the code")


def test_aarch64_branches_go_where_they_should() -> None:
    image, symbols = linked(ARM_CODE, Machine.AARCH64)
    assert branch_target(words(image, symbols["calls"])) == symbols["callee"]
    assert branch_target(words(image, symbols["jumps"])) == symbols["callee"]


@pytest.mark.parametrize(
    ("function", "symbol", "offset", "shift"),
    [
        ("address", "near", 555 * 8, 0),
        ("load64", "near", 513 * 8, 3),
        ("load32", "bytes", 12, 2),
        ("load16", "bytes", 6, 1),
        ("load8", "bytes", 5, 0),
        ("load128", "bytes", 32, 4),
    ],
)
def test_aarch64_addresses_are_put_together(function: str, symbol: str, offset: int, shift: int) -> None:
    image, symbols = linked(ARM_CODE, Machine.AARCH64)
    page, following = page_of(words(image, symbols[function]))
    assert page + ((following >> 10 & 0xFFF) << shift) == symbols[symbol] + offset


def test_aarch64_reads_the_table_of_addresses() -> None:
    image, symbols = linked(ARM_CODE, Machine.AARCH64)
    page, following = page_of(words(image, symbols["slot"]))
    slot = page + ((following >> 10 & 0xFFF) << 3)
    assert struct.unpack_from("<Q", image, slot - BASE) == (symbols["far"],)


def applied(machine: Machine, kind: int, target: int, addend: int = 0, word: int = 0, offset: int = 8) -> int:
    """The eight bytes at `offset` of a section of 16, at `BASE`, after one relocation against `target`."""
    section = bytearray(16)
    section[8:] = word.to_bytes(8, "little")
    at = relocate.Addresses([relocate.NOWHERE, target], [relocate.NOWHERE, target])
    relocate.apply(machine, memoryview(section), BASE, [(offset, kind, 1, addend)], at)
    return int.from_bytes(section[8:], "little")


@pytest.mark.parametrize(
    ("machine", "kind", "target", "expected"),
    [
        (Machine.X86_64, 1, BASE + 3, BASE + 3),
        (Machine.X86_64, 2, BASE, 2**32 - 8),
        (Machine.X86_64, 4, BASE + 8 + 2**31 - 1, 2**31 - 1),
        (Machine.X86_64, 42, BASE + 9, 1),
        (Machine.X86_64, 24, BASE, 2**64 - 8),
        (Machine.AARCH64, 257, BASE + 5, BASE + 5),
        (Machine.AARCH64, 260, BASE, 2**64 - 8),
        (Machine.AARCH64, 261, BASE, 2**32 - 8),
        (Machine.AARCH64, 273, BASE + 8 + 2**20 - 4, (2**18 - 1) << 5),
        (Machine.AARCH64, 274, BASE + 8 + 7, 1 << 5 | 3 << 29),
        (Machine.AARCH64, 275, BASE - 4096, 0x7FFFF << 5 | 3 << 29),
        (Machine.AARCH64, 279, BASE + 8 - 4, 0x3FFF << 5),
        (Machine.AARCH64, 280, BASE + 8 - 2**20, 1 << 18 << 5),
        (Machine.AARCH64, 282, BASE + 8 + 2**27 - 4, 2**25 - 1),
        (Machine.AARCH64, 283, BASE + 8 - 2**27, 2**25),
    ],
)
def test_each_kind_of_relocation(machine: Machine, kind: int, target: int, expected: int) -> None:
    assert applied(machine, kind, target) == expected


def test_a_field_that_was_set_is_overwritten_and_nothing_else_is() -> None:
    everything = 2**64 - 1
    assert applied(Machine.AARCH64, 277, 0x123, word=everything) == everything & ~(0xFFF << 10) | 0x123 << 10
    assert applied(Machine.AARCH64, 286, 0x128, word=everything) == everything & ~(0xFFF << 10) | 0x25 << 10
    assert applied(Machine.AARCH64, 283, BASE + 8, word=everything) == everything & ~(2**26 - 1)
    assert applied(Machine.AARCH64, 275, BASE, word=everything) == everything & ~(0x7FFFF << 5 | 3 << 29)


@pytest.mark.parametrize(
    ("machine", "kind", "target", "offset", "why"),
    [
        (Machine.X86_64, 2, BASE + 8 + 2**31, 8, "out of reach"),
        (Machine.X86_64, 1, relocate.NOWHERE, 8, "out of reach"),
        (Machine.X86_64, 24, relocate.NOWHERE, 8, "out of reach"),
        (Machine.X86_64, 2, BASE, 13, "out of its section"),
        (Machine.X86_64, 2, BASE, 2**63, "out of its section"),
        (Machine.X86_64, 2, BASE, 2**64 - 1, "out of its section"),
        (Machine.X86_64, 7, BASE, 8, "unknown kind 7"),
        (Machine.AARCH64, 275, BASE + 2**32, 8, "reaches too far"),
        (Machine.AARCH64, 283, BASE + 8 + 2**27, 8, "reaches too far"),
        (Machine.AARCH64, 283, BASE + 2, 8, "misaligned"),
        (Machine.AARCH64, 286, BASE + 4, 8, "misaligned"),
        (Machine.AARCH64, 277, relocate.NOWHERE, 8, "has no address"),
        (Machine.AARCH64, 277, BASE, 13, "out of its section"),
        (Machine.AARCH64, 277, BASE, 2**64 - 1, "out of its section"),
        (Machine.AARCH64, 4, BASE, 8, "unknown kind 4"),
    ],
)
def test_relocations_that_cannot_be(machine: Machine, kind: int, target: int, offset: int, why: str) -> None:
    with pytest.raises(BadObject, match=why):
        applied(machine, kind, target, offset=offset)


def test_a_relocation_of_a_symbol_there_is_not() -> None:
    at = relocate.Addresses([0], [0])
    with pytest.raises(BadObject):
        relocate.apply(Machine.X86_64, memoryview(bytearray(8)), BASE, [(0, 2, 1, 0)], at)


@pytest.mark.parametrize(
    ("ir", "why"),
    [
        (
            "declare void @elsewhere() define void @f() { call void @elsewhere() ret void }",
            "undefined symbol 'elsewhere'",
        ),
        ("@g = external global i32 define ptr @f() { ret ptr @g }", "undefined symbol 'g'"),
        ("@g = thread_local global i32 1 define void @f() { ret void }", "thread-local"),
        ("@g = global [80000000 x i8] zeroinitializer define void @f() { ret void }", "bytes of memory"),
        ("@g = global i8 1, align 65536 define void @f() { ret void }", "aligned to 65536"),
        ("@g = common global i32 0 define void @f() { ret void }", "there is not"),
    ],
)
@pytest.mark.parametrize("machine", Machine)
def test_what_no_object_of_ours_has_is_refused(machine: Machine, ir: str, why: str) -> None:
    with pytest.raises(BadObject, match=why):
        linked(ir, machine)


def test_what_is_no_object() -> None:
    data = compiled(SAMPLE)
    for wrong in (b"", b"\x7fELF", b"\0asm" + bytes(100), data[:63], data[: len(data) // 2], data[4:]):
        with pytest.raises(BadObject):
            elf.read(wrong)
    foreign = data[:18] + (243).to_bytes(2, "little") + data[20:]
    with pytest.raises(BadObject, match="machine 243"):
        elf.read(foreign)


def test_sections_may_not_share_the_file() -> None:
    """Or a small file could ask for much memory and long work."""
    data = bytearray(compiled(SAMPLE))
    table, count = struct.unpack_from("<Q", data, 40)[0], struct.unpack_from("<H", data, 60)[0]
    for index in range(1, count):
        struct.pack_into("<QQ", data, table + 64 * index + 24, 0, len(data))
    with pytest.raises(BadObject, match="overlap"):
        elf.read(bytes(data))


DAMAGE = """
import sys
from contractvm.native import elf, link, stacksize

data = open(sys.argv[1], "rb").read()
machine = elf.Machine[sys.argv[2]]
taken = refused = 0

def attempt(bad):
    global taken, refused
    for way in (place, stacksize.frame_sizes):
        try:
            way(bad)
        except elf.BadObject:
            refused += 1
        else:
            taken += 1

def place(bad):
    obj = elf.read(bad)
    layout = link.lay_out(obj, 4096)
    link.place(obj, layout, memoryview(bytearray(layout.size)), 0x7F1234567000, {})
    if sys.argv[3] == "load":
        from contractvm.native import loader
        loader.load(bad)

for length in range(len(data)):
    attempt(data[:length])
for index in range(len(data)):
    for change in (0x01, 0x80, 0xFF):
        attempt(data[:index] + bytes([data[index] ^ change]) + data[index + 1:])
print(taken, refused, len(data))
"""

SMALL = """
@table = externally_initialized global [2 x ptr] zeroinitializer
@pair = constant [2 x ptr] [ptr @f, ptr @table]
define i64 @f(i64 %a) uwtable { %r = call i64 @g(i64 %a) ret i64 %r }
define i64 @g(i64 %a) noinline uwtable {
  %p = alloca [100 x i64]
  %f = load ptr, ptr @table
  call void %f(ptr %p)
  ret i64 %a
}
"""


@pytest.mark.parametrize("machine", Machine)
def test_no_damage_does_more_than_be_refused(machine: Machine, tmp_path: Path) -> None:
    """Every length, and every byte changed in three ways, in a process of its own: it loads, or it is a BadObject."""
    path = tmp_path / "small.o"
    path.write_bytes(compiled(SMALL, machine))
    deep = "load" if machine is HERE and sys.platform == "linux" else "place"
    command = [sys.executable, "-c", DAMAGE, str(path), machine.name, deep]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    taken, refused, length = map(int, done.stdout.split())
    assert taken + refused == 2 * (length + 3 * length)
    assert taken > 0
    assert refused > 2 * length
