"""A running node and the token that every client deploys and drives."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests import npm
from tests.contractvm.node.process import NodeProcess
from tests.contractvm.node.token import artifact

CAST = "@foundry-rs/cast@1.7.1"
ETHERS, VIEM = "ethers@6.17.0", "viem@2.57.20"
SECONDS = 120


@dataclass(frozen=True)
class Built:
    """What clients know of a contract: JSON ABI, and creation code as 0x hex."""

    abi: list[dict[str, Any]]
    bytecode: str


@pytest.fixture(scope="session")
def token() -> Built:
    """The token in Python."""
    built = artifact()
    return Built(built.interface.to_json(), "0x" + built.code.hex())


@pytest.fixture
def node() -> Iterator[NodeProcess]:
    """A fresh node."""
    with NodeProcess() as process:
        yield process.ready()


def installed(*packages: str) -> Path:
    """The folder of packages from npm; the test is skipped where they cannot be had."""
    try:
        return npm.packages(*packages)
    except npm.Missing as reason:
        pytest.skip(str(reason))


def run_script(script: Path, folder: Path, where: Path, url: str, token: Built) -> list[str]:
    """Run a program of a JavaScript client; the names of the checks that it says it made."""
    program = shutil.which("node")
    if program is None:
        pytest.skip("node.js is not installed")
    (where / "node_modules").symlink_to(folder)
    shutil.copy(script, where)
    (where / "token.json").write_text(json.dumps({"abi": token.abi, "bytecode": token.bytecode}))
    done = subprocess.run(
        [program, script.name, url], cwd=where, capture_output=True, text=True, timeout=SECONDS, check=False
    )
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    return done.stdout.split()
