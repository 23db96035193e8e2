"""The README's captures and examples, run again: `python -m tests.readme` writes them anew.

A `console` block is a list of `$ commands` with what they print; a block that names a file in the line above it is that
file. Times differ from run to run and are not compared.
"""

from __future__ import annotations

import contextlib
import io
import os
import re
import shlex
from pathlib import Path
from unittest.mock import patch

from contractvm.cli.app import run
from tests.sources import ROOT

README = ROOT / "README.md"
TIER = {"CONTRACTVM_TIER": "portable"}
CONSOLE = re.compile(r"```console\n(.*?)```", re.DOTALL)
TIME = re.compile(r"\d[\d.]* (?:ns|us|ms|s)\b")
CONTRACT = ROOT / "sdk/templates/counter.py.txt"
CONTRACT_BLOCK = re.compile(r'```python\n""".*?```', re.DOTALL)
"""The one that begins with a docstring."""


def captured(command: str) -> str:
    """What `$ contractvm ...` prints on both streams, in the project's folder, without a chain.

    On the portable tier, whatever this user has in the cache of compiled objects.
    """
    program, *words = shlex.split(command)
    if program != "contractvm":
        raise ValueError(f"the README runs {program!r}; only contractvm can be run again")
    out = io.StringIO()
    before = Path.cwd()
    os.chdir(ROOT)
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(out), patch.dict(os.environ, TIER):
            run([*words, "--data", "/nonexistent/chain"] if words != ["demo"] else words)
    finally:
        os.chdir(before)
    return re.sub(r" \(contractvm is [^)]*\)", "", out.getvalue())


def fresh(text: str) -> str:
    """The README with every console block run again and the contract as it is in its file."""

    def again(block: re.Match[str]) -> str:
        commands = re.findall(r"^\$ (.*)$", block[1], re.MULTILINE)
        return "```console\n" + "".join(f"$ {command}\n{captured(command)}" for command in commands) + "```"

    text = CONSOLE.sub(again, text)
    return CONTRACT_BLOCK.sub(lambda _: f"```python\n{contract()}```", text)


def contract() -> str:
    """What `contractvm new vault` makes."""
    return CONTRACT.read_text(encoding="utf-8").replace("@CLASS@", "Vault")


def comparable(text: str) -> str:
    """Without what may differ between runs and machines: durations, and which database there is."""
    return re.sub("leveldb|rocksdb", "DATABASE", TIME.sub("T", text))


if __name__ == "__main__":
    README.write_text(fresh(README.read_text(encoding="utf-8")), encoding="utf-8")
