"""The first half of the compiler: from a file to typed trees, or to all that is wrong in it.

Never: imports the back end; `contractvm check` needs none.
"""

from __future__ import annotations

from pathlib import Path

from sdk.compiler import tree
from sdk.compiler.check import check_contract
from sdk.compiler.check.walk import below
from sdk.compiler.diagnostics import CompileError, Reporter
from sdk.compiler.front.declared import ContractDecl, Unit
from sdk.compiler.front.load import load
from sdk.compiler.symbols import Span

Key = tuple[Path, str]
"""A contract: its file and its name."""


def check_contracts(path: Path, reporter: Reporter) -> None:
    """Look through a file and each of its contracts; a module of things to import needs none. Raises: CompileError."""
    unit = load(path, None, reporter, needed=False)
    main = unit.modules[0]
    for declared in main.scope.values():
        if isinstance(declared, ContractDecl) and declared.module is main:
            program = check_contract(unit, declared, reporter)
            if program is not None:
                try:
                    contained(program, path, reporter)
                except CompileError as error:  # of a contract whose code this one has
                    reporter.adopt(error.diagnostics)


def checked(path: Path, contract: str | None, reporter: Reporter) -> tuple[Unit, tree.Program]:
    """The typed tree of one contract. Raises: CompileError with every error, of the front end and the checker."""
    unit = load(path, contract, reporter)
    program = None if unit.contract is None else check_contract(unit, unit.contract, reporter)
    reporter.check()
    if program is None:
        raise AssertionError("no error was reported, and there is no program")
    return unit, program


def contained(program: tree.Program, path: Path, reporter: Reporter) -> list[Path]:
    """The files of contracts whose code a contract has (`create(Pair.code)`), and of those in them.

    A contract that has its own code would have no end: that is reported.
    """
    found: dict[Path, None] = {}

    def look(inner: tree.Program, chain: tuple[Key, ...], outermost: Span | None) -> None:
        for node in below(statement for function in inner.functions for statement in function.body):
            if not isinstance(node, tree.CodeOf):
                continue
            key, span = (node.path.resolve(), node.contract), outermost or node.span
            if key in chain:
                circle = " -> ".join(name for _, name in (*chain[chain.index(key) :], key))
                help_ = "pass the code, or the address of one that is deployed, as an argument"
                reporter.error("CV138", span, f"code would contain itself: {circle}", help_)
                continue
            unit, other = checked(node.path, node.contract, Reporter())
            found.update(dict.fromkeys(unit.files))
            look(other, (*chain, key), span)

    look(program, ((path.resolve(), program.name),), None)
    return list(found)
