"""What `chain.deploy` is given, made into code and what is known of it: a class, a path, an artifact or bytes.

A path is looked for beside the file that asks and in the folders above it, so that a test runs from any directory and
needs no configuration. A source is built once and again when one of its files changes.
Never: writes a file, or builds in another way than `contractvm build`.
"""

from __future__ import annotations

import inspect
import re
import sys
from collections.abc import Iterator, Mapping
from dataclasses import field
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from contractvm.dataclass import dataclass
from sdk.artifact import Artifact
from sdk.errors import BuildError
from sdk.interface import Interface
from sdk.sources import source_files

if TYPE_CHECKING:
    from sdk.compiler import Compiled

Deployable: TypeAlias = "type | str | Path | Artifact | Compiled | bytes"

NAMED = re.compile(r"(.*\.py):([A-Za-z_]\w*)", re.DOTALL)
"""A file with the name of one of its contracts: `vault.py:Vault`."""
_ROOTS = ("pyproject.toml", ".git", "setup.cfg", "tox.ini", "pytest.ini")
"""A folder that has one of these is a project's: what is asked for is not looked for above it."""


@dataclass(frozen=True, slots=True, eq=False)
class Source:
    """A contract to deploy. `debug` is the code with names and, of Python contracts, the map to its source."""

    name: str
    code: bytes
    interface: Interface = field(default_factory=Interface, repr=False)
    debug: bytes = field(default=b"", repr=False)
    files: tuple[Path, ...] = ()
    layout: Mapping[str, Any] | None = field(default=None, repr=False)
    """How storage is laid out, of Python contracts."""


class Sources:
    """Everything that was built so far, by file and contract."""

    __slots__ = ("_built",)

    def __init__(self) -> None:
        self._built: dict[tuple[Path, str | None], tuple[tuple[int, ...], Source]] = {}

    def obtain(self, what: Deployable, asker: Path | None = None) -> Source:
        """The contract in `what`; a relative path is looked for beside the file `asker`. Raises: BuildError."""
        if isinstance(what, bytes):
            return Source("contract", what)
        if isinstance(what, Artifact):
            return Source(what.name, what.code, what.interface, what.debug, source_files(what.path), what.layout)
        named = NAMED.fullmatch(what) if isinstance(what, str) else None
        if named is not None:
            return self._from(locate(Path(named[1]), asker), named[2])
        if isinstance(what, str | Path):
            return self._from(locate(Path(what), asker), None)
        if isinstance(what, type):
            return self._from(_file_of(what), what.__name__)
        if isinstance(getattr(what, "module", None), bytes):
            return _compiled(what)
        raise BuildError(f"cannot deploy {what!r}: give a contract's class, a path, an artifact or bytes")

    def _from(self, path: Path, contract: str | None) -> Source:
        found = self._built.get((path, contract))
        if found is not None and found[0] == _stamps(found[1].files):
            return found[1]
        made = _python(path, contract) if path.suffix == ".py" else self.obtain(_built(path))
        self._built[path, contract] = _stamps(made.files), made
        return made


def _stamps(files: tuple[Path, ...]) -> tuple[int, ...]:
    """When the files were changed; -1 for one that is gone."""
    return tuple(file.stat().st_mtime_ns if file.exists() else -1 for file in files)


def _built(path: Path) -> Artifact:
    """Build a contract in another language. Raises: BuildError."""
    from sdk.build import build  # knows of every tool: a suite of contracts in Python waits for none

    return build(path)


def _python(path: Path, contract: str | None) -> Source:
    """Compile a contract in Python. Raises: BuildError, CompileError."""
    from sdk.compiler import compile_file

    return _compiled(compile_file(path, contract))


def _compiled(compiled: Compiled) -> Source:
    files = tuple(map(Path, compiled.source_files))
    return Source(compiled.name, compiled.module, compiled.interface, compiled.debug, files, compiled.layout)


def _file_of(contract: type) -> Path:
    """Where a contract's class is written. Raises: BuildError."""
    try:
        return Path(inspect.getfile(contract)).resolve()
    except (TypeError, OSError):
        raise BuildError(f"cannot deploy {contract.__name__}: its class is not in a file") from None


def locate(path: Path, asker: Path | None) -> Path:
    """Find a path from where it was written down, else from the current directory. Raises: BuildError."""
    if path.is_absolute():
        return path
    folders = [*_folders(asker), Path.cwd()]
    for folder in folders:
        if (folder / path).exists():
            return (folder / path).resolve()
    looked = ", ".join(dict.fromkeys(str(folder) for folder in folders))
    raise BuildError(f"{path}: No such file; looked in {looked}")


def _folders(asker: Path | None) -> Iterator[Path]:
    for folder in asker.resolve().parents if asker is not None else ():
        yield folder
        if any((folder / name).exists() for name in _ROOTS):
            return


def asking_file() -> Path | None:
    """The file of the nearest caller outside this package."""
    here = Path(__file__).parent
    frame = sys._getframe(1)
    while frame is not None:
        file = Path(frame.f_code.co_filename)
        if file.parent != here and file.exists():
            return file
        if frame.f_back is None:
            return None
        frame = frame.f_back
    return None
