"""A new project: a contract that counts, its tests, a README and a pyproject.toml, in a folder of its own.

    for path in create(Path("vault"), "c"): print(path)

The contract's source is `templates/counter.c` or `.wat`; the others have @NAME@ and @LANG@ to fill in.
Never: writes into a folder that has anything in it.
"""

from __future__ import annotations

import keyword
import re
from pathlib import Path

from contractvm.errors import ContractVMError

TEMPLATES = Path(__file__).parent / "templates"
LANGUAGES = ("c", "wat")
TAKEN = frozenset({"contractvm", "gas", "state", "sdk", "chain", "accounts", "pytest"})
"""Names of packages and fixtures that a project's own would hide."""


class ProjectError(ContractVMError):
    """A project that cannot be made here; the text says what to do."""


def create(folder: Path, language: str) -> tuple[Path, ...]:
    """Make the project in `folder`, whose last part is its name; return the files in the order to read them.

    Raises: ProjectError for a bad name, an unknown language, a folder in use, or one that cannot be written.
    """
    name = folder.name.replace("-", "_")
    if language not in LANGUAGES:
        raise ProjectError(f"no template for {language!r}; there are: {', '.join(LANGUAGES)}")
    if not re.fullmatch(r"[a-z][a-z0-9_]*", name) or keyword.iskeyword(name):
        raise ProjectError(f"{folder.name!r} is no project name: use small letters, digits and _, a letter first")
    if name in TAKEN:
        raise ProjectError(f"{name!r} is the name of something that the project needs; choose another")
    contents = {
        f"{name}.{language}": _template(f"counter.{language}"),
        f"test_{name}.py": _template("test_contract.py.txt"),
        "README.md": _template("README.md.txt"),
        "pyproject.toml": _template("pyproject.toml.txt"),
        ".gitignore": ".contractvm/\nbuild/\n__pycache__/\n",
    }
    paths = []
    try:
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            raise ProjectError(f"{folder} exists and is not empty; choose another name")
        folder.mkdir(parents=True, exist_ok=True)
        for file, text in contents.items():
            path = folder / file
            path.write_text(text.replace("@NAME@", name).replace("@LANG@", language), encoding="utf-8")
            paths.append(path)
    except OSError as error:
        raise ProjectError(f"{folder} cannot be written: {error.strerror or error}") from None
    return tuple(paths)


def _template(file: str) -> str:
    return (TEMPLATES / file).read_text(encoding="utf-8")
