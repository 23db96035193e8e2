"""The package's face: every name is there, importing it imports nearly nothing, and shadows are refused by name."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import contractvm

ROOT = Path(__file__).parents[2]


def python(code: str, cwd: Path = ROOT, path: str = str(ROOT)) -> subprocess.CompletedProcess[str]:
    """Run code in a fresh interpreter."""
    environment = {**os.environ, "PYTHONPATH": path}
    return subprocess.run([sys.executable, "-c", code], cwd=cwd, env=environment, capture_output=True, text=True)


@pytest.mark.parametrize("name", contractvm.__all__)
def test_every_name_is_there(name: str) -> None:
    assert getattr(contractvm, name) is not None
    assert name in dir(contractvm)


def test_the_list_is_complete() -> None:
    assert set(contractvm.__all__) == {"__version__", *contractvm._WHERE}
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = contractvm.nothing


def test_importing_it_brings_no_library() -> None:
    ours = "plyvel rocksdict coincurve btclib_libsecp256k1 Crypto msgpack tiny_keccak wasmtime llvmlite click rich"
    ours += " sortedcontainers"
    found = python(f"import contractvm, sys; print([n for n in '{ours}'.split() if n in sys.modules])")
    assert found.stdout.strip() == "[]", found.stderr


@pytest.mark.parametrize("name", ["gas", "state", "sdk"])
@pytest.mark.parametrize("form", ["{}.py", "{}/__init__.py"])
def test_a_shadow_is_refused_by_name(name: str, form: str, tmp_path: Path) -> None:
    file = tmp_path / form.format(name)
    file.parent.mkdir(exist_ok=True)
    file.touch()
    result = python("import contractvm", cwd=tmp_path)
    assert result.returncode == 1
    assert f"{file} hides contractvm's own package '{name}'" in result.stderr


def test_a_folder_that_is_no_package_shadows_nothing(tmp_path: Path) -> None:
    for name in ("gas", "state", "sdk"):
        (tmp_path / name).mkdir()
    assert python("import contractvm, state.codec; print('fine')", cwd=tmp_path).stdout == "fine\n"
