"""The compiler: typed Python in, a WebAssembly contract with a Solidity ABI out.

    front/     file -> declarations       check/   declarations -> typed tree
    optimise/  tree -> tree               back/    tree -> module

`compile_file` runs them all; `check_file` stops before code is made. The output depends on the sources, the compiler's
version and nothing else: not on where the files lie, on the machine or the Python.
Never: imports a part before it is needed, or runs the author's module.
"""

from __future__ import annotations

import contextlib
from pathlib import Path

from sdk.compiler.compiled import Checked, Compiled
from sdk.compiler.diagnostics import CompileError, Diagnostic

__all__ = ["Checked", "CompileError", "Compiled", "Diagnostic", "check_file", "compile_file"]


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
    from sdk.compiler.checking import check_contracts

    path = Path(path)
    with Guard(path, None) as guard, contextlib.suppress(CompileError):  # no Python: the reporter has it
        check_contracts(path, guard.reporter)
    return Checked(tuple(guard.reporter.diagnostics()), tuple(source.path for source in guard.reporter.sources))
