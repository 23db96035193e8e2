"""A new project: its files, that its tests pass, and the folders where none is made."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from importlib.metadata import entry_points
from pathlib import Path

import pytest

from sdk.build import build
from sdk.errors import ToolMissing
from sdk.new import LANGUAGES, ProjectError, create
from sdk.project import find

ROOT = Path(__file__).parents[2]


SOURCES = {
    "python": ["my_vault.py"],
    "c": ["my_vault.c"],
    "rust": ["src/lib.rs", "Cargo.toml", ".cargo/config.toml"],
    "wat": ["my_vault.wat"],
}


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_new_projects_tests_pass_and_mypy_is_clean(tmp_path: Path, language: str) -> None:
    folder = tmp_path / "my-vault"
    files = create(folder, language)
    names = [path.relative_to(folder).as_posix() for path in files]
    assert names == [*SOURCES[language], "test_my_vault.py", "README.md", "pyproject.toml", ".gitignore"]
    texts = {path: path.read_text(encoding="utf-8") for path in files}
    assert not [path for path, text in texts.items() if re.search("@[A-Z]+@", text)]
    project = find(folder)
    assert project.out == folder.resolve() / "build"
    try:
        assert build(project.contracts[0]).warnings == ()
    except ToolMissing as missing:
        pytest.skip(str(missing))
    installed = any(point.value == "sdk.testing.plugin" for point in entry_points(group="pytest11"))
    plugin = [] if installed else ["-p", "sdk.testing.plugin"]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *plugin],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "2 passed" in done.stdout
    checked = subprocess.run(
        [sys.executable, "-m", "mypy", "--follow-imports=silent", "."],
        cwd=folder,
        env=os.environ | {"MYPYPATH": str(ROOT), "MYPY_CACHE_DIR": str(tmp_path / "cache")},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_an_empty_folder_is_used(tmp_path: Path) -> None:
    assert create(tmp_path / "a" / "vault", "wat")[0].is_file()
    empty = tmp_path / "empty"
    empty.mkdir()
    assert create(empty, "wat")[0].is_file()


@pytest.mark.parametrize(
    ("name", "language", "reason"),
    [
        ("vault", "cobol", "no template for 'cobol'; there are: python, c, rust, wat"),
        ("Vault", "c", "small letters"),
        ("1vault", "c", "small letters"),
        ("my vault", "c", "small letters"),
        ("class", "c", "small letters"),
        ("sdk", "c", "needs; choose another"),
        ("chain", "c", "needs; choose another"),
        ("core", "rust", "needs; choose another"),
    ],
)
def test_names_that_cannot_be(tmp_path: Path, name: str, language: str, reason: str) -> None:
    with pytest.raises(ProjectError, match=reason):
        create(tmp_path / name, language)
    assert not (tmp_path / name).exists()


def test_nothing_is_written_over(tmp_path: Path) -> None:
    full = tmp_path / "full"
    full.mkdir()
    (full / "notes.txt").write_text("mine")
    file = tmp_path / "file"
    file.write_text("mine")
    for taken in (full, file):
        with pytest.raises(ProjectError, match="exists and is not empty"):
            create(taken, "c")
    assert [path.name for path in full.iterdir()] == ["notes.txt"]
    with pytest.raises(ProjectError, match="cannot be written"):
        create(file / "inside", "c")
