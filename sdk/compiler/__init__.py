"""The compiler: typed Python in, a WebAssembly contract with a Solidity ABI out.

    front/     file -> declarations       check/   declarations -> typed tree
    optimise/  tree -> tree               back/    tree -> module

`compile_file` runs them all; `check_file` stops before code is made. The output depends on the sources, the compiler's
version and nothing else: not on where the files lie, on the machine or the Python.
Never: imports a part before it is needed, or runs the author's module.
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sdk.compiler.diagnostics import CompileError, Diagnostic

if TYPE_CHECKING:
    from sdk.interface import Interface

__all__ = ["Checked", "CompileError", "Compiled", "Diagnostic", "check_file", "compile_file"]


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


def compile_file(path: str | Path, contract: str | None = None) -> Compiled:
    """Compile the contract of that name, or the file's last.

    Raises: CompileError with every error of the file; `contractvm.errors.Fatal` for a bug of the compiler.
    """
    from sdk.compiler.bug import Guard
    from sdk.compiler.pipeline import compile_contract

    path = Path(path)
    with Guard(path, contract) as guard:
        return compile_contract(path, contract, guard.reporter)


def check_file(path: str | Path) -> Checked:
    """Look through a file and all its contracts. Raises: `contractvm.errors.Fatal` for a bug of the compiler."""
    from sdk.compiler.bug import Guard
    from sdk.compiler.pipeline import check_contracts

    path = Path(path)
    with Guard(path, None) as guard, contextlib.suppress(CompileError):  # no Python: the reporter has it
        check_contracts(path, guard.reporter)
    return Checked(tuple(guard.reporter.diagnostics()), tuple(source.path for source in guard.reporter.sources))
