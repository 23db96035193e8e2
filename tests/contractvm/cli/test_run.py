"""`contractvm run`: results, gas and traps of any module, on every tier; contracts in a world of their own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from unittest.mock import ANY

import pytest

from contractvm.native import compiler
from contractvm.native.cache import ObjectCache
from contractvm.native.compiler import Compiler, Overrun, Refused, Unavailable
from contractvm.native.loader import NoExecutableMemory
from contractvm.native.protocol import Job
from contractvm.wasm.foundry import Foundry
from tests.contractvm.cli.conftest import Cli
from tests.contractvm.cli.wat import CALLS, COUNTER, FLOATS, MATH, assemble
from tests.tiers import COUNTING, HERE, NATIVE, each_tier, missing


@pytest.fixture
def math(tmp_path: Path) -> Path:
    return assemble(tmp_path / "math.wasm", MATH)


@pytest.fixture
def counter(tmp_path: Path) -> Path:
    return assemble(tmp_path / "counter.wasm", COUNTER)


@each_tier()
def test_one_json_object(cli: Cli, math: Path, tier: str) -> None:
    ran = cli("run", math, "--invoke", "fib", 10, "--tier", tier, "--json")
    document = ran.json
    assert (ran.code, ran.err) == (0, "")
    assert document["result"] == [55]
    assert document["tier"] == tier
    assert document["trap"] is None
    assert isinstance(document["seconds"], float) and document["seconds"] > 0
    assert document["refused"] is None
    assert document["gas"] > 0
    assert document["instructions"] > document["gas"] if tier in COUNTING else document["instructions"] is None


def test_tiers_agree_on_gas_and_instructions(cli: Cli, math: Path) -> None:
    for words in (("fib", 12), ("div", -7, 2), ("div", 1, 0), ("two",)):
        found = [cli("run", math, "--invoke", *words, "--tier", tier, "--json").json for tier in HERE]
        for document in found:
            if document["tier"] == NATIVE:
                document["instructions"] = found[0]["instructions"]
        for document in found:
            for name in ("seconds", "compile_seconds", "tier"):
                del document[name]
        assert all(document == found[0] for document in found)


def test_for_people_and_for_scripts(cli: Cli, math: Path) -> None:
    whole = cli("run", math, "--invoke", "two", "--tier", "portable")
    for label in ("result", "gas", "instructions", "time", "tier"):
        assert label in whole.out
    assert "-1 5" in whole.out
    assert cli("run", math, "--invoke", "two", "-q").out == "-1\n5\n"
    assert cli("-q", "run", "--invoke", "two", math).out == "-1\n5\n"


@pytest.mark.parametrize(
    ("words", "result"), [((-7, 2), -3), ((7, -2), -3), (("0xfffffffffffffff9", 2), -3), (("-0x7", 2), -3)]
)
def test_negative_numbers_are_arguments(cli: Cli, math: Path, words: tuple[object, ...], result: int) -> None:
    assert cli("run", math, "--invoke", "div", *words, "--json").json["result"] == [result]


def test_a_trap_has_a_place_and_exit_code_1(cli: Cli, math: Path) -> None:
    ran = cli("run", math, "--invoke", "div", 1, 0)
    ran.failed("integer divide by zero", "function 1 (div)", "byte 0x")
    document = cli("run", math, "--invoke", "div", 1, 0, "--json").json
    assert document["trap"]["kind"] == "integer divide by zero"
    assert document["trap"]["function"] == 1
    assert isinstance(document["trap"]["offset"], int)
    assert document["result"] == []


@each_tier()
def test_out_of_gas_takes_it_all(cli: Cli, math: Path, tier: str) -> None:
    document = cli("run", math, "--invoke", "forever", "--gas", 500, "--tier", tier, "--json").json
    assert document["trap"]["kind"] == "out of gas"
    assert document["gas"] == 500


def test_the_gas_limit_is_exact(cli: Cli, math: Path) -> None:
    needed = cli("run", math, "--invoke", "fib", 9, "--json").json["gas"]
    assert cli("run", math, "--invoke", "fib", 9, "--gas", needed, "--json").json["result"] == [34]
    assert cli("run", math, "--invoke", "fib", 9, "--gas", needed - 1, "--json").code == 1


def test_a_trace_is_one_line_an_instruction(cli: Cli, math: Path) -> None:
    ran = cli("run", math, "--invoke", "fib", 1, "--trace", "-q")
    *lines, result = ran.out.splitlines()
    assert result == "1"
    assert "local.get 0" in lines[0] and "i32.lt_u" in lines[2] and "[1 2]" in lines[2]
    beside = cli("run", math, "--invoke", "fib", 1, "--trace", "--json")
    assert beside.json["result"] == [1]
    assert len(beside.err.splitlines()) == len(lines)
    cli("run", math, "--trace", "--tier", "portable").failed("reference", code=2)
    assert cli("run", math, "--invoke", "fib", 1, "--trace", "--json", "--tier", "reference").json == {
        **beside.json,
        "seconds": ANY,
        "compile_seconds": ANY,
    }


def test_a_tier_of_the_environment_does_not_stop_a_trace(cli: Cli, math: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CONTRACTVM_TIER", "portable")
    assert cli("run", math, "--invoke", "fib", 5, "--json").json["tier"] == "portable"
    assert cli("run", math, "--invoke", "fib", 5, "--trace", "--json").json["tier"] == "reference"
    monkeypatch.setenv("CONTRACTVM_TIER", "fast")
    cli("run", math, "--invoke", "fib", 5).failed("fast", "native", code=2)


@each_tier()
def test_a_trap_tells_who_called(cli: Cli, tmp_path: Path, tier: str) -> None:
    path = assemble(tmp_path / "calls.wasm", CALLS)
    ran = cli("run", path, "--tier", tier)
    assert ran.code == 1
    first, *callers, way_out = ran.err.splitlines()
    assert first.startswith("error: unreachable in function 0 (deep) at byte 0x") and "--trace" in way_out
    assert [line.split(" at ")[0] for line in callers] == [
        "  called by function 1 (between)",
        "  called by function 2 (main)",
    ]
    trap = cli("run", path, "--tier", tier, "--json").json["trap"]
    assert [caller["name"] for caller in trap["callers"]] == ["between", "main"]
    assert [f"byte {caller['offset']:#x}" for caller in trap["callers"]] == [line.split(" at ")[1] for line in callers]
    assert cli("run", path, "--tier", tier, "-q").err == first + "\n"


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Foundry]:
    """A cache that is empty, and a compiler that has done nothing yet."""
    made = Foundry(ObjectCache(tmp_path / "cache"), Compiler())
    monkeypatch.setattr("contractvm.cli.execution.foundry", lambda: made)
    yield made
    made.compiler.close()


@pytest.mark.skipif(missing(NATIVE) is not None, reason=str(missing(NATIVE)))
class TestNative:
    def test_auto_runs_natively_what_was_compiled(self, cli: Cli, math: Path, own: Foundry) -> None:
        words = ("run", math, "--invoke", "fib", 9, "--json")
        assert cli(*words).json["tier"] == "portable"
        assert cli(*words, "--tier", "auto").json["tier"] == "portable"
        assert own.compiler.worker is None and not own.cache.entries()
        assert cli(*words, "--tier", "native").json["tier"] == "native"
        assert cli(*words, "--tier", "portable").json["tier"] == "portable"
        assert cli(*words).json["tier"] == "native"
        assert "instructions" not in cli(*words[:-1]).out

    def test_a_refusal_is_told_and_remembered(
        self, cli: Cli, math: Path, own: Foundry, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def refuse(_: Job) -> bytes:
            raise Refused("function 1 takes 900 bytes of stack; its frame weight allows 400")

        monkeypatch.setattr(own.compiler, "compile", refuse)
        words = ("run", math, "--invoke", "fib", 9)
        for _ in range(2):
            ran = cli(*words, "--tier", "native")
            assert ran.code == 0 and "portable" in ran.out and "instructions" in ran.out
            assert ran.err.startswith("note: not on the native tier: function 1 takes 900 bytes of stack")
            document = cli(*words, "--tier", "native", "--json").json
            assert document["tier"] == "portable" and "frame weight" in document["refused"]
        document = cli(*words, "--json").json
        assert document["tier"] == "portable" and document["refused"] is None
        assert [entry.refusal is not None for entry in own.cache.entries()] == [True]

    def test_what_overran_is_refused(self, cli: Cli, math: Path, own: Foundry, monkeypatch: pytest.MonkeyPatch) -> None:
        tries = []

        def overrun(_: Job) -> bytes:
            tries.append(1)
            raise Overrun(0.5)

        monkeypatch.setattr(own.compiler, "compile", overrun)
        for _ in range(2):
            document = cli("run", math, "--invoke", "fib", 9, "--tier", "native", "--json").json
            assert document["result"] == [34] and "more than 0.5 s" in document["refused"]
        assert len(tries) == 1

    @pytest.mark.parametrize(
        ("problem", "words"),
        [
            (
                Unavailable("llvmlite is not installed: pip install it"),
                ("there is no native tier here", "pip install it"),
            ),
            (NoExecutableMemory("the system gives no memory for code"), ("no memory for code", "leave --tier out")),
        ],
    )
    def test_where_it_cannot_be_had(
        self,
        cli: Cli,
        math: Path,
        own: Foundry,
        monkeypatch: pytest.MonkeyPatch,
        problem: Exception,
        words: tuple[str, ...],
    ) -> None:
        def fail(_: Job) -> bytes:
            raise problem

        monkeypatch.setattr(own.compiler, "compile", fail)
        cli("run", math, "--invoke", "fib", 9, "--tier", "native").failed(*words)
        assert cli("run", math, "--invoke", "fib", 9, "--json").json["result"] == [34]

    def test_more_gas_than_it_counts(self, cli: Cli, math: Path, own: Foundry) -> None:
        words = ("run", math, "--invoke", "fib", 9, "--gas", (1 << 63) - 1)
        cli(*words, "--tier", "native").failed("more than the native tier counts")
        cli("run", math, "--invoke", "fib", 9, "--tier", "native")
        assert cli(*words, "--json").json["tier"] == "portable"


def test_without_llvmlite(cli: Cli, math: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compiler, "find_spec", lambda name: None)
    for tier in ("auto", "portable", "reference"):
        assert cli("run", math, "--invoke", "fib", 9, "--tier", tier, "-q").out == "34\n"


def test_which_export_runs(cli: Cli, math: Path, tmp_path: Path) -> None:
    cli("run", math).failed("--invoke", "fib [i32] -> [i32]")
    cli("run", math, "--invoke", "fob").failed("'fob'", "fib")
    only = assemble(tmp_path / "only.wasm", '(module (func (export "x") (result i32) (i32.const 7)))')
    assert cli("run", only, "-q").out == "7\n"
    start = assemble(tmp_path / "start.wasm", '(module (func (export "a")) (func (export "_start") unreachable))')
    cli("run", start).failed("unreachable")
    none = assemble(tmp_path / "none.wasm", "(module)")
    cli("run", none).failed("exports no function")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("fib",), "takes 1 arguments, 0 given"),
        (("fib", 1, 2), "2 given"),
        (("fib", "x"), "argument 1 of 'fib'"),
        (("fib", 1 << 32), "does not fit i32"),
        (("takes", 0), "funcref"),
        (("fib", "1", "--frobnicate"), "--frobnicate"),
    ],
)
def test_wrong_arguments_are_wrong_usage(cli: Cli, math: Path, words: tuple[object, ...], said: str) -> None:
    cli("run", math, "--invoke", *words).failed(said, code=2)


@each_tier()
def test_a_contract_has_a_fresh_world(cli: Cli, counter: Path, tier: str) -> None:
    for _ in range(2):
        document = cli("run", counter, "--tier", tier, "--json").json
        assert document["output"] == "0x" + "00" * 31 + "01"
    assert cli("run", counter, "--input", "0x00", "--tier", tier, "-q").out == "0x" + "00" * 32 + "\n"


@each_tier()
def test_a_contract_that_fails(cli: Cli, counter: Path, tier: str) -> None:
    reverted = cli("run", counter, "--input", "ee", "--tier", tier, "--json")
    assert reverted.code == 1
    assert reverted.json["revert"]["reason"] == "never"
    assert "debug: never" in reverted.err
    trapped = cli("run", counter, "--input", "0xff", "--tier", tier, "--json")
    assert trapped.json["trap"]["kind"] == "unreachable"


def test_input_is_for_contracts(cli: Cli, math: Path, counter: Path) -> None:
    cli("run", math, "--invoke", "two", "--input", "00").failed("cvm1")
    cli("run", counter, "--input", "0x0").failed("odd", code=2)


def test_refused_modules(cli: Cli, tmp_path: Path) -> None:
    floats = assemble(tmp_path / "floats.wasm", FLOATS)
    cli("run", floats).failed("float", "area", "byte 0x")
    foreign = assemble(tmp_path / "foreign.wasm", '(module (import "env" "f" (func)) (func (export "g")))')
    cli("run", foreign).failed("env")


def test_files_that_are_none(cli: Cli, tmp_path: Path) -> None:
    cli("run", tmp_path / "missing.wasm").failed("no such file")
    (tmp_path / "there.wasm").write_bytes(b"\0asm")
    cli("run", tmp_path / "thre.wasm").failed("did you mean", "there.wasm")
    cli("run", tmp_path).failed("directory")
    (tmp_path / "empty.wasm").touch()
    cli("run", tmp_path / "empty.wasm").failed("empty")
    (tmp_path / "elf").write_bytes(b"\x7fELF" + bytes(60))
    cli("run", tmp_path / "elf").failed("no wasm module", "7f 45 4c 46")
    (tmp_path / "bad.wat").write_bytes(b"(module \xff)")
    cli("run", tmp_path / "bad.wat").failed("UTF-8")
    (tmp_path / "cut.wasm").write_bytes(b"\0asm\1\0\0\0\1")
    cli("run", tmp_path / "cut.wasm").failed("unexpected end")
    with (tmp_path / "huge.wasm").open("wb") as file:
        file.truncate((64 << 20) + 1)
    cli("run", tmp_path / "huge.wasm").failed("64 MiB")
