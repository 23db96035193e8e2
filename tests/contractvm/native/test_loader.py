"""Objects run from memory that is never writable and executable, and their memory comes back."""

from __future__ import annotations

import ctypes
import gc
import mmap
import struct
import subprocess
import sys
from pathlib import Path

import pytest

from contractvm.native import loader
from contractvm.native.elf import BadObject, Machine
from contractvm.native.loader import Loaded, NoExecutableMemory
from tests.contractvm.native.objects import HERE, SAMPLE, compiled
from tests.sources import ROOT

pytestmark = pytest.mark.skipif(not loader.supported(), reason=f"no loader here: {loader.why_not()}")

Word = ctypes.c_int64


def call(loaded: Loaded, name: str, *arguments: int, result: type = Word) -> object:
    """Call a function of an object with integers."""
    return ctypes.CFUNCTYPE(result, *[Word] * len(arguments))(loaded.symbols[name])(*arguments)


def labs() -> int:
    """Address of a C function of one integer."""
    address = ctypes.cast(ctypes.CDLL(None).labs, ctypes.c_void_p).value
    assert address is not None
    return address


def permissions(address: int) -> str:
    """What /proc says of the page at an address; nothing when it is not mapped."""
    for line in Path("/proc/self/maps").read_text().splitlines():
        bounds, flags = line.split()[:2]
        low, high = (int(bound, 16) for bound in bounds.split("-"))
        if low <= address < high:
            return flags
    return ""


@pytest.mark.parametrize("opt", [0, 1, 2])
def test_functions_run(opt: int) -> None:
    loaded = loader.load(compiled(SAMPLE, opt=opt))
    assert [call(loaded, "choose", index) for index in range(6)] == [21, 25, 22, 400, 5, -1]
    assert [call(loaded, "scaled", index) for index in range(4)] == [10, 20, 30, 40]
    assert call(loaded, "letters", result=ctypes.c_char_p) == b"abc"
    assert ctypes.CFUNCTYPE(ctypes.c_double, ctypes.c_double)(loaded.symbols["fraction"])(2.0) == 6.5


def test_pointers_in_data_are_followed() -> None:
    loaded = loader.load(compiled(SAMPLE))
    assert call(loaded, "entry", 1, result=ctypes.c_void_p) == loaded.symbols["choose"]
    triple = call(loaded, "entry", 0, result=ctypes.c_void_p)
    assert isinstance(triple, int)
    assert ctypes.CFUNCTYPE(Word, Word)(triple)(14) == 42


def test_tables_are_filled() -> None:
    """Two tables of pointers, one reached directly and one through its address."""
    fill = {"calls": struct.pack("<4Q", 0, 0, labs(), 0), "far": struct.pack("<2Q", 0, labs())}
    loaded = loader.load(compiled(SAMPLE), fill)
    assert call(loaded, "near_call", -12) == 12
    assert call(loaded, "far_call", -13) == 13
    assert ctypes.string_at(loaded.symbols["far"], 32) == struct.pack("<4Q", 0, labs(), 0, 0)


@pytest.mark.parametrize(
    ("fill", "why"),
    [
        ({"missing": b"x"}, "no symbol 'missing'"),
        ({"triple": b"x"}, "no symbol 'triple'"),
        ({"calls": bytes(33)}, "no data of 33 bytes"),
        ({"more": b"\xcc"}, "no data of 1 bytes"),
    ],
)
def test_what_cannot_be_filled(fill: dict[str, bytes], why: str) -> None:
    with pytest.raises(BadObject, match=why):
        loader.load(compiled(SAMPLE), fill)


def test_only_global_symbols_are_given() -> None:
    loaded = loader.load(compiled(SAMPLE))
    assert "more" in loaded.symbols
    assert "triple" not in loaded.symbols
    assert loaded.size % mmap.PAGESIZE == 0


def test_text_runs_data_is_read_and_neither_is_written() -> None:
    loaded = loader.load(compiled(SAMPLE))
    assert permissions(loaded.symbols["more"]) == "r-xp"
    assert permissions(loaded.symbols["rare"]) == "r-xp"
    for name in ("calls", "far", "entries"):
        assert permissions(loaded.symbols[name]) == "r--p"


def test_pages_go_with_the_object() -> None:
    loaded = loader.load(compiled(SAMPLE))
    place = loaded.symbols["more"]
    assert permissions(place)
    del loaded
    gc.collect()
    assert permissions(place) != "r-xp"


def test_an_object_for_another_machine() -> None:
    other = next(machine for machine in Machine if machine is not HERE)
    with pytest.raises(BadObject, match=f"for {other.name} on {HERE.name}"):
        loader.load(compiled(SAMPLE, other))


def test_many_objects_at_once_are_apart() -> None:
    table = "@own = externally_initialized global i64 0 define i64 @get() { %v = load i64, ptr @own ret i64 %v }"
    data = compiled(table)
    several = [loader.load(data, {"own": struct.pack("<q", index)}) for index in range(50)]
    assert [call(loaded, "get") for loaded in several] == list(range(50))


def test_a_system_that_refuses(monkeypatch: pytest.MonkeyPatch) -> None:
    """As SELinux does; the pages are given back."""
    data, given = compiled(SAMPLE), []

    def refuse(address: int, size: int, protection: int) -> int:
        given.append(address)
        ctypes.set_errno(13)
        return -1

    monkeypatch.setattr(loader, "_mprotect", lambda: refuse)
    with pytest.raises(NoExecutableMemory, match="Permission denied; a security policy"):
        loader.load(data)
    assert "x" not in permissions(given[0])


def test_a_system_without_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    data = compiled(SAMPLE)

    def refuse(*_: object, **__: object) -> None:
        raise OSError(12, "Cannot allocate memory")

    monkeypatch.setattr("mmap.mmap", refuse)
    with pytest.raises(NoExecutableMemory, match="bytes of memory for machine code"):
        loader.load(data)


@pytest.mark.parametrize(
    ("attribute", "value", "why"),
    [("platform", "win32", "for Linux"), ("abiflags", "t", "global lock"), ("maxsize", 2**31 - 1, "64-bit")],
)
def test_where_objects_cannot_be_loaded(
    monkeypatch: pytest.MonkeyPatch, attribute: str, value: object, why: str
) -> None:
    data = compiled(SAMPLE)
    monkeypatch.setattr(sys, attribute, value)
    assert not loader.supported()
    assert why in (loader.why_not() or "")
    with pytest.raises(NoExecutableMemory, match=why):
        loader.load(data)


RETURNED = """
import sys
from contractvm.native import loader

data = open(sys.argv[1], "rb").read()
maps = lambda: open("/proc/self/maps").read().splitlines()
resident = lambda: int(open("/proc/self/statm").read().split()[1])
for _ in range(200):
    loader.load(data)
pages, areas = resident(), len(maps())
for turn in range(10_000):
    loaded = loader.load(data)
    if turn % 1000 == 0:
        assert not [line for line in maps() if "wx" in line.split()[1]]
del loaded
print(resident() - pages, len(maps()) - areas, "llvmlite" in sys.modules)
"""


def test_ten_thousand_loads_leave_nothing(tmp_path: Path) -> None:
    """In a process of its own: no page is ever writable and executable, none stays, LLVM is not imported."""
    path = tmp_path / "sample.o"
    path.write_bytes(compiled(SAMPLE))
    command = [sys.executable, "-c", RETURNED, str(path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    pages, areas, llvm = done.stdout.split()
    assert int(pages) < 256
    assert abs(int(areas)) <= 2
    assert llvm == "False"
