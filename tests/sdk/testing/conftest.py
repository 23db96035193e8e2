"""What the kit's tests share: a contract small enough to be written as text, and pytest inside pytest."""

from __future__ import annotations

from collections.abc import Callable
from importlib.metadata import entry_points
from pathlib import Path

import pytest

# pytester forgets what is first imported under it, but packages keep their parts: the compiler would be half there.
import sdk.compiler.pipeline  # noqa: F401
from tests.sdk.conftest import need

ROOT = Path(__file__).parents[3]
TOKEN = ROOT / "contracts" / "token" / "token.c"
Run = Callable[..., pytest.RunResult]


@pytest.fixture
def token_source() -> Path:
    """The token in C."""
    need("ziglang", "c")
    return TOKEN


@pytest.fixture
def inside(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs pytest in a folder of its own, with our plugin by its entry point, or by name where it is not installed."""
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.delenv("PYTEST_ADDOPTS", raising=False)
    installed = any(point.value == "sdk.testing.plugin" for point in entry_points(group="pytest11"))
    plugin = [] if installed else ["-p", "sdk.testing.plugin"]

    def run(*arguments: str, process: bool = False) -> pytest.RunResult:
        start = pytester.runpytest_subprocess if process else pytester.runpytest_inprocess
        return start(*plugin, "-p", "no:cacheprovider", *arguments)

    return run
