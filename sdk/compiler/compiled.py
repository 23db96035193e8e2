"""What comes out of the compiler: a contract to deploy, or what there is to say about a file.

Never: how it is made.
"""

from __future__ import annotations

from dataclasses import field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from contractvm.dataclass import dataclass
from sdk.compiler.diagnostics import Diagnostic

if TYPE_CHECKING:
    from sdk.interface import Interface


@dataclass(frozen=True, slots=True)
class Compiled:
    """A contract. `module` is what to deploy, its `cvm` section first; `debug` is it with names and source map."""

    name: str
    module: bytes = field(repr=False)
    abi: list[dict[str, Any]] = field(repr=False)
    """JSON ABI."""
    interface: Interface = field(repr=False)
    layout: dict[str, Any] = field(repr=False)
    """Storage layout, for JSON."""
    debug: bytes = field(repr=False)
    source_files: tuple[Path, ...]
    """Every file that took part, the contract's own first."""
    warnings: tuple[Diagnostic, ...] = ()


@dataclass(frozen=True, slots=True)
class Checked:
    """What there is to say about a file, in order of place, and the files that it depends on, itself first."""

    diagnostics: tuple[Diagnostic, ...]
    files: tuple[Path, ...]
