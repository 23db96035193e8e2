"""Reads a pack: a zip of `NAME/commands.json` with the modules that each script names beside it.

A command may carry a `class` that says what a float-free engine owes it; one without is taken as `int`, unless it is
plainly about text or floats (`class_of`). Never: runs anything, unpacks to disk, or guesses a class that is given.
"""

from __future__ import annotations

import json
import os
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

INT = "int"
FLOAT_MODULE = "float-module"
FLOAT = "float"
TEXT = "text"
OUTSIDE = "outside"
DEPENDENT = "dependent"
LIMIT = "limit"
"""No class of a pack: a valid module beyond a fixed limit of `Rules`, which an implementation may have."""

FLOAT_VALUES = frozenset({"f32", "f64", "v128"})
UNSUPPORTED = frozenset(
    {"assert_exception", "assert_suspension", "assert_malformed_custom", "assert_invalid_custom", "thread", "wait"}
)
"""Commands of proposals beyond the profile."""


class PackError(Exception):
    """The file is no pack, or one of its scripts cannot be read; the message names which."""


@dataclass(frozen=True, slots=True)
class Command:
    """One command of a script as the pack has it; `number` counts from 1 within the script."""

    script: str
    number: int
    kind: str
    line: int
    given_class: str | None
    body: Mapping[str, Any]

    @property
    def is_assertion(self) -> bool:
        return self.kind.startswith("assert_")

    @property
    def filename(self) -> str | None:
        return self.body.get("filename")

    @property
    def action(self) -> Mapping[str, Any]:
        found: Mapping[str, Any] = self.body.get("action", {})
        return found

    def __str__(self) -> str:
        return f"{self.script}:{self.line} {self.kind}"


def class_of(command: Command) -> str:
    """The class the pack gives, else what the command plainly is: text, float, outside, and `int` for the rest."""
    if command.given_class is not None:
        return command.given_class
    if command.body.get("module_type") == "text":
        return TEXT
    if command.kind in UNSUPPORTED:
        return OUTSIDE
    values = [*command.action.get("args", ()), *command.body.get("expected", ())]
    if any(value.get("type") in FLOAT_VALUES for value in values):
        return FLOAT
    return INT


class Pack:
    """An open pack; a context manager."""

    def __init__(self, path: Path) -> None:
        """Open `path`. Raises: PackError."""
        self.path = path
        try:
            self._zip = zipfile.ZipFile(path)
        except (OSError, zipfile.BadZipFile) as error:
            raise PackError(f"{path}: not a readable zip file ({error})") from None
        suffix = "/commands.json"
        self.scripts = sorted(n.removesuffix(suffix) for n in self._zip.namelist() if n.endswith(suffix))
        if not self.scripts:
            raise PackError(f"{path}: no NAME/commands.json in it")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._zip.close()

    def commands(self, script: str) -> Iterator[Command]:
        """The commands of one script in order. Raises: PackError."""
        name = f"{script}/commands.json"
        try:
            document = json.loads(self._zip.read(name))
            bodies = document["commands"] if isinstance(document, dict) else document
            for number, body in enumerate(bodies, 1):
                yield Command(script, number, body["type"], body.get("line", 0), body.get("class"), body)
        except (KeyError, TypeError, ValueError) as error:
            raise PackError(f"{self.path}: {name} is not a script ({type(error).__name__}: {error})") from None

    def file(self, script: str, name: str) -> bytes:
        """A module's bytes. Raises: PackError."""
        try:
            return self._zip.read(f"{script}/{name}")
        except KeyError:
            raise PackError(f"{self.path}: {script} names {name}, which is not in the pack") from None


def default_pack() -> Path:
    """Where the WebAssembly vectors are: `$CONTRACTVM_VECTORS`, else `../shared/vectors` beside the repository."""
    root = Path(__file__).parents[2]
    folder = os.environ.get("CONTRACTVM_VECTORS")
    return (Path(folder) if folder else root.parent / "shared" / "vectors") / "wasm-spec.zip"
