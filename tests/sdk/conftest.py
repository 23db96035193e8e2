"""What the tests of the SDK share. Where ziglang (for C) or wasmtime (for text) is missing, its tests are skipped."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from pathlib import Path

import pytest

from sdk.build import Artifact, build

SOURCES = Path(__file__).parent / "sources"


def need(package: str, extra: str) -> None:
    """Skip, saying what to install."""
    if importlib.util.find_spec(package) is None:
        pytest.skip(f"{package} is not installed: pip install 'contractvm[{extra}]'")


@pytest.fixture
def c(tmp_path: Path) -> Callable[[str], Path]:
    """Writes a C source with the given text and returns its path."""
    need("ziglang", "c")

    def write(text: str, name: str = "contract.c") -> Path:
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        return path

    return write


@pytest.fixture
def wat(tmp_path: Path) -> Callable[[str], Path]:
    """Writes a text module and returns its path."""
    need("wasmtime", "wat")

    def write(text: str, name: str = "contract.wat") -> Path:
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        return path

    return write


@pytest.fixture(scope="session")
def numbers() -> Artifact:
    """The contract that shows what the C helpers calculate; built once."""
    need("ziglang", "c")
    return build(SOURCES / "numbers.c")
