"""What holds for every command: help, options anywhere, guesses, quiet ends, no traceback."""

from __future__ import annotations

import importlib
import os
import signal
import subprocess
import sys
from pathlib import Path

import click
import pytest

from contractvm.cli.app import COMMANDS, asked_for_colours, root
from contractvm.cli.files import near, read_bytes
from contractvm.cli.problem import Problem, report
from contractvm.errors import Fatal
from tests.contractvm.cli.conftest import Cli
from tests.contractvm.cli.wat import MATH, assemble
from tests.sources import ROOT

CLI = [sys.executable, "-m", "contractvm.cli"]


@pytest.mark.parametrize("name", COMMANDS)
def test_the_table_says_what_the_command_says(name: str) -> None:
    command = getattr(importlib.import_module(f"contractvm.cli.{COMMANDS[name].module}"), name.replace("-", "_"))
    assert isinstance(command, click.Command)
    assert (command.help or "").split("\n")[0] == COMMANDS[name].summary


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help(cli: Cli, name: str) -> None:
    for flag in ("--help", "-h"):
        shown = cli(name, flag)
        assert shown.code == 0 and shown.err == ""
        assert f"contractvm {name}" in shown.out and "--json" in shown.out


def test_help_imports_no_command() -> None:
    program = (
        "import sys, contractvm.cli.app as app; app.run(['--help']);"
        "print([m for m in sys.modules if m.startswith(('contractvm.wasm', 'state', 'sdk'))])"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"
    for name, entry in COMMANDS.items():
        assert f"  {name} " in done.stdout and entry.summary.split(";")[0] in " ".join(done.stdout.split())


def test_without_a_command_it_shows_help(cli: Cli) -> None:
    assert cli() == cli("--help")
    assert cli("--version").out.startswith("contractvm ")


@pytest.mark.parametrize(
    ("typed", "meant"), [("depoy", "deploy"), ("runn", "run"), ("recipt", "receipt"), ("acounts", "accounts")]
)
def test_a_slip_is_guessed(cli: Cli, typed: str, meant: str) -> None:
    cli(typed).failed(f"did you mean '{meant}'?", code=2)


def test_unknown_words(cli: Cli) -> None:
    cli("zzz").failed("commands are", code=2)
    cli("--jsn").failed("--json", code=2)
    cli("block", "--blok", "1").failed("--blok", code=2)
    cli("run").failed("FILE", code=2)
    cli("accounts", "extra").failed("extra", code=2)
    cli("--color", "blue", "accounts").failed("blue", code=2)


def test_options_are_valid_anywhere(cli: Cli, data: Path, tmp_path: Path) -> None:
    assert cli("--json", "block") == cli("block", "--json")
    other = tmp_path / "other"
    cli("send", 1, "--data", other)
    assert other.exists() and not data.exists()
    assert cli("--data", other, "--json", "block").json["number"] == 1
    assert cli("--data", data, "block", "--data", other, "--json").json["number"] == 1


def test_colours(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "\x1b[" not in cli("accounts").out
    assert "\x1b[" in cli("accounts", "--color", "always").out
    assert "\x1b[" not in cli("accounts", "--color", "never").out
    assert "\x1b[" in cli("--color", "always", "zzz").err
    assert "\x1b[" in cli("accounts", "--color=always").out
    monkeypatch.setenv("NO_COLOR", "1")
    assert asked_for_colours(["accounts"]) is False
    assert "\x1b[" in cli("accounts", "--color", "always").out


def test_after_dashes_nothing_is_an_option(cli: Cli, tmp_path: Path) -> None:
    math = assemble(tmp_path / "math.wasm", MATH)
    assert cli("run", "--invoke", "div", "-q", math, "--", "-9", "3").out == "-3\n"
    cli("run", "--invoke", "div", math, "--", "--json", "3").failed("'--json' is no whole number", code=2)


def test_our_bugs_are_called_so(capsys: pytest.CaptureFixture[str]) -> None:
    assert report(Fatal("the index is upside down")) == 1
    said = capsys.readouterr().err
    assert "bug of contractvm" in said and "Traceback" not in said
    try:
        raise ZeroDivisionError("oops")
    except ZeroDivisionError as error:
        assert report(error, debug=True) == 1
    assert "Traceback" in capsys.readouterr().err


def test_debug_shows_the_traceback(cli: Cli, tmp_path: Path) -> None:
    assert "Traceback" in cli("run", tmp_path / "missing.wasm", "--debug").err


def test_a_guess_at_a_file(tmp_path: Path) -> None:
    assert "no directory" in near(tmp_path / "nowhere" / "x.wasm")


def test_a_full_disk_is_said_so(capsys: pytest.CaptureFixture[str]) -> None:
    assert report(OSError(28, "No space left on device", "/data/db")) == 1
    said = capsys.readouterr().err
    assert "the disk is full: /data/db" in said
    assert "what was done before stands" in said, "the result may be what could not be written"


def test_the_reader_may_go_away(tmp_path: Path) -> None:
    math = assemble(tmp_path / "math.wasm", MATH)
    command = [*CLI, "run", str(math), "--invoke", "fib", "16", "--trace"]
    child = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert child.stdout is not None and child.stderr is not None
    child.stdout.readline()
    child.stdout.close()
    said = child.stderr.read()
    child.stderr.close()
    assert child.wait(60) == 141
    assert said == b""


@pytest.mark.parametrize("tier", ["reference", "portable"])
def test_an_interrupt_is_quiet(tmp_path: Path, tier: str) -> None:
    math = assemble(tmp_path / "math.wasm", MATH)
    command = [*CLI, "run", str(math), "--invoke", "forever", "--tier", tier]
    if tier == "reference":
        command.append("--trace")
    # Unbuffered, so that the trace's first line says that it runs; the portable tier says nothing until it ends.
    environment = os.environ | {"PYTHONUNBUFFERED": "1"}
    child = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment)
    assert child.stdout is not None
    if tier == "reference":
        child.stdout.readline()
    else:
        wait_until_busy(child.pid)
    child.send_signal(signal.SIGINT)
    _, said = child.communicate(timeout=60)
    assert child.returncode == 130
    assert b"Traceback" not in said


def wait_until_busy(pid: int) -> None:
    """Wait until the process has used more processor time than starting takes."""
    try:
        ticks = os.sysconf("SC_CLK_TCK")
        while True:
            fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
            if int(fields[11]) + int(fields[12]) > ticks:
                return
    except OSError as error:
        pytest.skip(f"no /proc to see how far the process is: {error}")


def test_python_dash_m_is_the_same_program() -> None:
    done = subprocess.run([*CLI, "--version"], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.startswith("contractvm ")
    assert root.name == "contractvm"


def test_a_closed_standard_input_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", None)
    with pytest.raises(Problem, match="standard input is closed"):
        read_bytes(Path("-"))
