"""The WebAssembly specification's scripts, each on every tier, and what the runner makes of them."""

from __future__ import annotations

import io
import json
import zipfile
from collections import Counter
from pathlib import Path

import pytest

from tests.spec.__main__ import main
from tests.spec.pack import FLOAT_MODULE, Pack, PackError, default_pack
from tests.spec.script import ScriptRunner, Verdict
from tests.spec.summary import Summary
from tests.tiers import each_tier

PACK = default_pack()
SCRIPTS = Pack(PACK).scripts if PACK.exists() else []
needs_pack = pytest.mark.skipif(not SCRIPTS, reason=f"no WebAssembly vectors at {PACK} (set CONTRACTVM_VECTORS)")

INT_ASSERTIONS = 5_389
"""Of class `int` in the pack."""

MISCLASSIFIED = {
    ("binary", 194): "float-module",
    ("conversions", 679): "float-module",
    ("conversions", 680): "float-module",
    ("conversions", 681): "float-module",
    ("conversions", 682): "float-module",
    ("conversions", 683): "float-module",
    ("conversions", 686): "float-module",
    ("conversions", 687): "float-module",
    ("conversions", 688): "float-module",
    ("conversions", 689): "float-module",
    ("conversions", 690): "float-module",
    ("float_literals", 224): "float-module",
    ("linking1", 51): "dependent",
    ("linking1", 59): "dependent",
    ("memory_size3", 15): "outside",
    ("table", 9): "limit",
}
"""Commands whose class in the pack is wrong, by script and line, with the class that the refusal shows.

`binary`, `conversions` and `float_literals`: the module names a float type or instruction. `linking1`: the imported
memories are of a module with two memories, which is `outside`. `memory_size3`: it has several memories besides its
float. `table`: a definition of 2**32 - 1 entries, beyond what `Rules` lets a table have.
"""


@needs_pack
@each_tier()
@pytest.mark.parametrize("script", SCRIPTS)
def test_script(script: str, tier: str) -> None:
    with Pack(PACK) as pack:
        results = list(ScriptRunner(pack, script, tier).run())
    failed = [f"{r.command}: expected {r.expected}, got {r.got}" for r in results if r.verdict is Verdict.FAILED]
    assert not failed, "\n".join(failed)
    shown = {(script, r.command.line): r.reason for r in results if r.evidence}
    assert shown == {key: reason for key, reason in MISCLASSIFIED.items() if key[0] == script}


@needs_pack
def test_every_int_assertion_is_judged() -> None:
    summary = Summary()
    given: Counter[str | None] = Counter()
    with Pack(PACK) as pack:
        for script in pack.scripts:
            for result in ScriptRunner(pack, script, "portable").run():
                summary.add(result)
                given[result.command.given_class] += result.command.is_assertion
    assert given["int"] == INT_ASSERTIONS
    wrongly_int = [r for r in summary.misclassified if r.command.is_assertion and r.command.given_class == "int"]
    assert summary.passed + len(wrongly_int) == INT_ASSERTIONS
    assert summary.total_line == f"{summary.passed} passed, 0 failed, {summary.skipped.total()} skipped"


# The runner itself, on packs made here.

EMPTY = b"\0asm\1\0\0\0"
FLOAT_GLOBAL = EMPTY + b"\x06\x09\x01\x7d\x00\x43\0\0\0\0\x0b"
ANSWER = (
    EMPTY + b"\x01\x05\x01\x60\x00\x01\x7f\x03\x02\x01\x00\x07\x05\x01\x01a\x00\x00\x0a\x06\x01\x04\x00\x41\x2a\x0b"
)
"""Exports `a`, which returns 42."""


def _pack(tmp_path: Path, commands: list[dict[str, object]], **files: bytes) -> Path:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as made:
        made.writestr("s/commands.json", json.dumps({"source": "s.wast", "commands": commands}))
        for name, content in files.items():
            made.writestr(f"s/{name}.wasm", content)
    path = tmp_path / "pack.zip"
    path.write_bytes(data.getvalue())
    return path


def _summary(path: Path, tier: str = "reference") -> Summary:
    summary = Summary()
    with Pack(path) as pack:
        for result in ScriptRunner(pack, "s", tier).run():
            summary.add(result)
    return summary


def _module(name: str, class_: str | None = "int") -> dict[str, object]:
    command: dict[str, object] = {"type": "module", "line": 1, "filename": f"{name}.wasm", "module_type": "binary"}
    return command | ({"class": class_} if class_ else {})


def _returns(value: str) -> dict[str, object]:
    action = {"type": "invoke", "field": "a", "args": []}
    return {"type": "assert_return", "line": 2, "action": action, "expected": [{"type": "i32", "value": value}]}


def test_a_wrong_result_fails_with_line_expected_and_got(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = _pack(tmp_path, [_module("answer"), _returns("42") | {"class": "int"}, _returns("41")], answer=ANSWER)
    assert main([str(path), "--tier", "reference"]) == 1
    out = capsys.readouterr().out
    assert "FAILED s:2 assert_return (command 3)" in out
    assert "expected [i32:41]" in out
    assert "got      [42]" in out
    assert out.splitlines()[-1] == "1 passed, 1 failed, 0 skipped"


def test_an_accepted_float_module_is_a_failure(tmp_path: Path) -> None:
    summary = _summary(_pack(tmp_path, [_module("answer", FLOAT_MODULE)], answer=ANSWER))
    assert [f.got for f in summary.failures] == ["accepted"]


def test_an_assertion_on_an_accepted_module_is_no_float_skip(tmp_path: Path) -> None:
    commands = [_module("answer"), _returns("42") | {"class": "float"}]
    summary = _summary(_pack(tmp_path, commands, answer=ANSWER))
    assert [f.expected for f in summary.failures] == ["its module refused for floats"]


def test_a_pack_without_classes_finds_floats_by_trying(tmp_path: Path) -> None:
    commands = [_module("answer", None), _returns("42"), _module("floaty", None), _returns("42")]
    summary = _summary(_pack(tmp_path, commands, answer=ANSWER, floaty=FLOAT_GLOBAL))
    assert (summary.passed, summary.failures, summary.skipped) == (1, [], Counter({FLOAT_MODULE: 1}))


def test_an_unknown_command_fails(tmp_path: Path) -> None:
    summary = _summary(_pack(tmp_path, [{"type": "assert_beauty", "line": 3, "class": "int"}]))
    assert [f.got for f in summary.failures] == ["assert_beauty"]


def test_definitions_are_instantiated_by_name(tmp_path: Path) -> None:
    commands: list[dict[str, object]] = [
        {"type": "module_definition", "line": 1, "name": "$D", "filename": "answer.wasm", "module_type": "binary"},
        {"type": "module_instance", "line": 2, "instance": "$I", "module": "$D"},
        {"type": "register", "line": 3, "as": "m", "name": "$I"},
        _returns("42"),
    ]
    summary = _summary(_pack(tmp_path, commands, answer=ANSWER))
    assert (summary.passed, summary.failures) == (1, [])


@pytest.mark.parametrize("content", [b"", b"not a zip"])
def test_no_pack_is_a_clear_error(tmp_path: Path, content: bytes, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "pack.zip"
    path.write_bytes(content)
    assert main([str(path)]) == 2
    assert "not a readable zip file" in capsys.readouterr().err


def test_a_missing_module_file_names_it(tmp_path: Path) -> None:
    path = _pack(tmp_path, [_module("absent")])
    with pytest.raises(PackError, match=r"absent\.wasm, which is not in the pack"):
        _summary(path)
