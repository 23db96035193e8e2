"""The lessons: every command in the README is run, and prints what the README says."""

import shlex
from pathlib import Path

import pytest

from contractvm.cli.app import run

FOLDER = Path(__file__).parent


def commands() -> list[tuple[str, str]]:
    """(command line, what the README shows below it)."""
    found: list[tuple[str, list[str]]] = []
    inside = False
    for line in (FOLDER / "README.md").read_text(encoding="utf-8").splitlines():
        if line.startswith("```"):
            inside = line == "```console"
        elif inside and line.startswith("$ "):
            found.append((line[2:], []))
        elif inside:
            found[-1][1].append(line)
    return [(command, "\n".join(shown)) for command, shown in found]


@pytest.mark.parametrize(("command", "shown"), commands(), ids=[command for command, _ in commands()])
def test_prints_what_the_readme_says(
    command: str, shown: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(FOLDER)
    program, *arguments = shlex.split(command)
    assert program == "contractvm"
    code = run(arguments)
    captured = capsys.readouterr()
    said = [line for line in (captured.err + captured.out).splitlines() if not line.startswith("  ")]
    assert "\n".join(said) == shown
    assert code == shown.startswith("error:")


def test_every_lesson_is_in_the_readme() -> None:
    shown = {shlex.split(command)[3] for command, _ in commands()}
    assert shown == {path.name for path in FOLDER.glob("*.wat")}
