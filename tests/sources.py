"""The project's own files as the tests about them read them."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parent.parent
PACKAGES = ("contractvm", "gas", "state", "sdk")


def python_files(*folders: str) -> list[Path]:
    """Python files below `folders`, sorted."""
    return sorted(
        path for folder in folders for path in (ROOT / folder).rglob("*.py") if "__pycache__" not in path.parts
    )


def module_name(path: Path) -> str:
    """`contractvm/wasm/decode.py` -> `contractvm.wasm.decode`; a package is named by its folder."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@cache
def parse(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), str(path))


def imports_of(path: Path, *, for_types: bool = False) -> Iterator[tuple[str, int]]:
    """(imported module, line), lazy imports included; those under `if TYPE_CHECKING:` only on request."""
    skipped: set[ast.AST] = set()
    for node in ast.walk(parse(path)):
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test) and not for_types:
            skipped.update(inner for statement in node.body for inner in ast.walk(statement))
    for node in ast.walk(parse(path)):
        if node in skipped:
            continue
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name, node.lineno
        elif isinstance(node, ast.ImportFrom):
            if node.level:
                raise AssertionError(f"{path}:{node.lineno}: imports are absolute here")
            for alias in node.names:
                dotted = f"{node.module}.{alias.name}"
                yield (
                    (dotted if (ROOT / dotted.replace(".", "/")).with_suffix(".py").exists() else str(node.module)),
                    node.lineno,
                )
