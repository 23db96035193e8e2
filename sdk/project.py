"""What a project's pyproject.toml says under `[tool.contractvm]`: which contracts it has and where builds go.

    [tool.contractvm]
    contracts = ["vault.py", "parts/Cargo.toml"]
    out = "build"

Never: needed by anything but `contractvm build` without a file; tests and deployments name their contracts.
"""

from __future__ import annotations

import tomllib
from pathlib import Path

from contractvm.dataclass import dataclass
from sdk.errors import BuildError

FILE = "pyproject.toml"
OUT = "build"
KEYS = frozenset({"contracts", "out"})


@dataclass(frozen=True, slots=True)
class Project:
    """A project's contracts and its folder for what is built from them."""

    file: Path
    contracts: tuple[Path, ...]
    out: Path


def find(start: Path) -> Project:
    """The project of a folder: the nearest pyproject.toml upwards that has the table.

    Raises: BuildError when there is none, or when it says something else than contracts and out.
    """
    for folder in (start.resolve(), *start.resolve().parents):
        file = folder / FILE
        table = _table(file) if file.is_file() else None
        if table is not None:
            return _project(file, table)
    raise BuildError(
        f"no {FILE} in {start.resolve()} or above it has a table [tool.contractvm]: name a contract's file"
    )


def _table(file: Path) -> dict[str, object] | None:
    try:
        tool = tomllib.loads(file.read_text(encoding="utf-8")).get("tool", {})
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as error:
        raise BuildError(f"{file}: {error}") from None
    table = tool.get("contractvm") if isinstance(tool, dict) else None
    return table if isinstance(table, dict) else None


def _project(file: Path, table: dict[str, object]) -> Project:
    unknown = sorted(table.keys() - KEYS)
    if unknown:
        raise BuildError(f"{file}: [tool.contractvm] has contracts and out, not {unknown[0]!r}")
    contracts, out = table.get("contracts", []), table.get("out", OUT)
    if not isinstance(contracts, list) or not all(isinstance(item, str) for item in contracts) or not contracts:
        raise BuildError(f'{file}: [tool.contractvm] contracts is a list of files: contracts = ["vault.py"]')
    if not isinstance(out, str):
        raise BuildError(f'{file}: [tool.contractvm] out is a folder: out = "{OUT}"')
    return Project(file, tuple(file.parent / item for item in contracts), file.parent / out)
