"""The native tier's bench: what it compares is comparable, and what it fetches is what it asked for."""

from __future__ import annotations

import hashlib
import importlib.util
import io
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from contractvm.wasm.engine import Engine
from tests.bench import native, native_boundary, native_life, native_speed, source
from tests.bench.compile import BenchError, compile_c, compile_library, compilers
from tests.bench.native_child import renamed
from tests.bench.native_speed import KERNELS, REAL, WASMTIME, Work, agree, best, geomean
from tests.bench.peers import machine_code, result_type, tier
from tests.bench.source import Package, unpack
from tests.bench.test_programs import sieve, sort
from tests.bench.timing import interleaved, statements
from tests.tiers import HERE

PACKAGE = Package("some", "1.0", "00" * 32, ("some.c", "some.h"))
TIMES = {"native": 0.5, WASMTIME: 1.0, "gcc 12 -O2": 0.4, "clang 22 -O2": 0.25}


@pytest.fixture(scope="module")
def wasm() -> bytes:
    if importlib.util.find_spec("ziglang") is None:
        pytest.skip("the programs need a C compiler: pip install '.[c]'")
    return compile_c("native")


def repeated(program: Callable[[int], int], full: int, mix: int) -> Callable[[int], int]:
    """What `sieves` and `sorts` do: `n` turns of a program, the last one at full size."""

    def answer(n: int) -> int:
        total = 0
        for smaller in reversed(range(n)):
            total = (total * mix + program(full - smaller)) & 0xFFFF_FFFF
        return total

    return answer


def sieve_fast(n: int) -> int:
    composite = bytearray(n)
    for i in range(2, int(n**0.5) + 1):
        if not composite[i]:
            composite[i * i :: i] = b"\1" * len(range(i * i, n, i))
    return n - 2 - sum(composite[2:])


def test_repeated_programs_compute_what_python_does(wasm: bytes) -> None:
    assert sieve_fast(1000) == sieve(1000)
    library = compile_library("native", compilers()[0])
    for engine in (machine_code("C", library), tier("portable")):
        assert engine.load(wasm, "sieves")(2) == repeated(sieve_fast, 1 << 17, 1)(2)
        assert engine.load(wasm, "sorts")(1) == sort(1 << 15)
    assert machine_code("C", library).load(wasm, "sorts")(3) == repeated(sort, 1 << 15, 31)(3)


def test_every_compiler_agrees_with_the_module(wasm: bytes) -> None:
    """64-bit results too: the module says which those are."""
    names = [compiler.name for compiler in compilers()]
    assert names and names[0].startswith("clang ") and len(set(names)) == len(names)
    assert result_type(wasm, "keccak") != result_type(wasm, "fib")
    for compiler in compilers():
        library = compile_library("native", compiler)
        for work in KERNELS:
            loaded = {"C": machine_code("C", library), "portable": tier("portable")}
            agree(work.export, work.small, {name: peer.load(wasm, work.export) for name, peer in loaded.items()})


def test_an_export_that_is_not_there_is_an_error(wasm: bytes) -> None:
    with pytest.raises(BenchError, match="exports no function nothing"):
        result_type(wasm, "nothing")


def test_engines_that_differ_are_named() -> None:
    with pytest.raises(BenchError, match=r"work\(3\) is 4 in one, 5 in other"):
        agree("work", 3, {"one": lambda n: n + 1, "other": lambda n: n + 2})


def test_the_better_compiler_counts() -> None:
    assert best(TIMES, "native") == ("clang 22 -O2", 0.25)


def test_each_group_counts_once() -> None:
    """A library of many functions weighs what a kernel does."""
    assert geomean([2.0, 8.0]) == pytest.approx(4.0)
    slow = TIMES | {"native": 8.0}
    fuel, code = native_speed._totals("all", [[TIMES], [slow, slow, slow]], "native", targets=True)
    assert fuel.value == code.value == pytest.approx(2_000.0)
    assert fuel.peer_value == pytest.approx(1_000.0)
    assert code.peer_value == pytest.approx(250.0)
    assert (fuel.target, code.target) == ("<= 0.85 of its time", "<= 1.2 of its time")


def test_speed_gives_a_row_for_each_peer(wasm: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    """On a tier that is always here, at sizes that take no time; the library cannot be had."""
    monkeypatch.setattr(native_speed, "KERNELS", (Work("fib", 9, 5), Work("u256", 3)))
    monkeypatch.setattr(native_speed, "folder_of", unreachable)
    rows = native_speed.run("portable", repeats=1)
    assert [row.name for row in rows[::2]] == ["fib portable", "u256 portable", "geomean of the kernels portable"]
    assert all(row.value > 0 and row.peer_value for row in rows)


def unreachable(package: Package) -> Path:
    raise BenchError(f"{package.name} cannot be fetched: no network")


def test_without_its_source_the_kernels_stand_in(
    wasm: bytes, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(native_speed, "folder_of", unreachable)
    assert native_life.modules() == (wasm, compile_c("compute"), "fib")
    assert "pymonocypher cannot be fetched: no network" in capsys.readouterr().err


def test_a_tier_that_is_not_there_is_an_error() -> None:
    with pytest.raises(BenchError, match="the engine has no tier sorcery; it has "):
        native.require_tier("sorcery")


def test_the_real_library_where_it_was_fetched_before() -> None:
    """Fetching is the bench's; a test reaches for nothing."""
    folder = source.cache() / f"pymonocypher-{source.MONOCYPHER.version}-{source.MONOCYPHER.sha256[:16]}"
    if not (folder / "monocypher.c").is_file() or importlib.util.find_spec("ziglang") is None:
        pytest.skip("monocypher was not fetched here yet, or no C compiler: python -m tests.bench native")
    module = native_speed.real_module()
    assert 40_000 < len(module) < 80_000
    assert len(native_speed.real_module("-DWITHOUT_CURVES")) < len(module) / 2
    library = compile_library("monocypher", compilers()[0], f"-I{folder}")
    for work in REAL:
        loaded = {"C": machine_code("C", library), "portable": tier("portable")}
        agree(work.export, work.small, {name: peer.load(module, work.export) for name, peer in loaded.items()})
    expected = hashlib.blake2b(bytes(i & 0xFF for i in range(4096))).digest()[:4]
    assert tier("portable").load(module, "blake2b")(1) == int.from_bytes(expected, "little")
    assert tier("portable").load(module, "check")(2) == 2


@pytest.mark.parametrize("name", [name for name in HERE if name != "reference"])
def test_both_sides_of_the_boundary_answer_alike(name: str) -> None:
    """`prepare` compares them; the reference tier's functions have no entry of their own."""
    found = native_boundary.prepare(name)
    assert found["export"](41, found["weight"]) == found["peer_export"](41) == 41
    assert set(native_boundary.STATEMENTS) - {"python"} <= set(found)


def test_a_renamed_module_runs_under_another_hash(wasm: bytes) -> None:
    engine = Engine(tier="portable")
    for number in (0, 127):
        other = renamed(wasm, number)
        assert hashlib.sha256(other).digest() != hashlib.sha256(wasm).digest()
        assert engine.invoke(engine.instantiate(engine.load(other)), "fib", [10]) == [55]


def test_a_child_tells_its_laps(wasm: bytes, tmp_path: Path) -> None:
    (tmp_path / "module.wasm").write_bytes(wasm)
    laps = dict(native_life.timed("settled-portable", tmp_path / "module.wasm", "fib", tmp_path / "cache"))
    assert laps.pop("llvm") is False
    process = laps.pop("process")
    assert set(laps) == {"import", "settle", "decode", "first", "second"}
    assert min(laps.values()) > 0 and process > sum(laps.values())


def test_a_child_that_fails_says_why(tmp_path: Path) -> None:
    (tmp_path / "module.wasm").write_bytes(b"no module")
    with pytest.raises(BenchError, match="Malformed"):
        native_life.child("portable", tmp_path / "module.wasm", "fib", tmp_path / "cache")


def test_repeats_take_turns() -> None:
    order: list[str] = []
    took = interleaved({"a": lambda: order.append("a"), "b": lambda: order.append("b")}, repeats=3)
    assert order == ["a", "b"] * 4  # one turn unmeasured
    assert set(took) == {"a", "b"}


def test_statements_see_their_names() -> None:
    calls: list[int] = []
    took = statements({"one": "add(n)"}, {"add": calls.append, "n": 7}, repeats=1)
    assert took["one"] > 0 and set(calls) == {7}


def archive(folder: Path, names: list[str]) -> Path:
    path = folder / "some-1.0.tar.gz"
    with tarfile.open(path, "w:gz") as content:
        for name in names:
            member = tarfile.TarInfo(name)
            member.size = len(name)
            content.addfile(member, io.BytesIO(name.encode()))
    return path


def test_only_wanted_files_leave_the_archive(tmp_path: Path) -> None:
    names = ["some-1.0/some.c", "some-1.0/some.h", "some-1.0/deep/some.c", "some-1.0/setup.py", "../some.c"]
    target = tmp_path / "out"
    target.mkdir()
    unpack(archive(tmp_path, names), PACKAGE, target)
    assert {path.name: path.read_text() for path in tmp_path.rglob("*.?")} == {
        "some.c": "some-1.0/some.c",
        "some.h": "some-1.0/some.h",
    }


def test_an_archive_without_a_wanted_file_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(BenchError, match=r"some-1\.0\.tar\.gz has no file some\.h"):
        unpack(archive(tmp_path, ["some-1.0/some.c"]), PACKAGE, tmp_path)
