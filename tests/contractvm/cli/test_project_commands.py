"""`contractvm new` and `contractvm build`."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.contractvm.cli.conftest import Cli
from tests.contractvm.cli.wat import COUNTER, FLOATS


@pytest.mark.parametrize("lang", ["c", "wat"])
def test_a_new_project_passes_its_tests(cli: Cli, tmp_path: Path, lang: str) -> None:
    pytest.importorskip("wasmtime" if lang == "wat" else "ziglang", reason=f"the extra {lang!r} is not installed")
    folder = tmp_path / "vault"
    made = cli("new", folder, "--lang", lang, "--json").json
    assert made["files"][0] == str(folder / f"vault.{lang}")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(folder)]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert cli("deploy", folder / f"vault.{lang}", "--json").json["status"] == 1
    cli("new", folder).failed("not empty")


def test_names_that_are_none(cli: Cli, tmp_path: Path) -> None:
    cli("new", tmp_path / "2fast").failed("2fast")
    cli("new", tmp_path / "gas").failed("gas")
    cli("new", tmp_path / "x", "--lang", "cobol").failed("cobol", code=2)
    assert not list(tmp_path.iterdir())


def test_build_writes_what_deploy_takes(cli: Cli, tmp_path: Path) -> None:
    pytest.importorskip("wasmtime", reason="the extra 'wat' is not installed")
    source = tmp_path / "counter.wat"
    source.write_text(COUNTER)
    built = cli("build", source, "--out", tmp_path / "out", "--json").json["built"]
    names = [Path(built[0][key]).name for key in ("code", "debug", "abi", "gas", "build")]
    assert names == [f"counter.{end}" for end in ("wasm", "debug.wasm", "abi.json", "gas.json", "build.json")]
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == sorted(names)
    code = Path(built[0]["code"]).read_bytes()
    assert len(code) == built[0]["bytes"]
    again = cli("build", source, "--out", tmp_path / "again", "-q").out.strip()
    assert Path(again).read_bytes() == code
    once = cli("deploy", source, "--json").json["codeSize"]
    assert cli("deploy", built[0]["code"], "--json").json["codeSize"] == once == len(code)


def test_sources_that_do_not_build(cli: Cli, tmp_path: Path) -> None:
    pytest.importorskip("wasmtime", reason="the extra 'wat' is not installed")
    (tmp_path / "floats.wat").write_text(FLOATS)
    cli("build", tmp_path / "floats.wat").failed("float", "area")
    (tmp_path / "broken.wat").write_text("(module (func (export)))")
    ran = cli("build", tmp_path / "broken.wat")
    assert ran.code == 1 and "broken.wat" in ran.err and ":1:" in ran.err and "Traceback" not in ran.err
    (tmp_path / "empty.c").touch()
    cli("build", tmp_path / "empty.c").failed("empty")
    cli("build", tmp_path).failed("directory")


def test_c_that_does_not_compile(cli: Cli, tmp_path: Path) -> None:
    pytest.importorskip("ziglang", reason="the extra 'c' is not installed")
    (tmp_path / "broken.c").write_text("int f( {")
    ran = cli("build", tmp_path / "broken.c")
    assert ran.code == 1 and "broken.c:1:" in ran.err and "Traceback" not in ran.err
