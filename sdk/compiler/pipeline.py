"""The compiler's parts in a row. `sdk.compiler` is the door.

Never: handles the compiler's own failures (`bug` does).
"""

from __future__ import annotations

from pathlib import Path

from sdk.compiler import layout, tree
from sdk.compiler.back.debug import debug_module
from sdk.compiler.back.lower import generate
from sdk.compiler.check import check_contract
from sdk.compiler.check.walk import below
from sdk.compiler.compiled import Compiled
from sdk.compiler.diagnostics import Reporter
from sdk.compiler.front.declared import ContractDecl, Unit
from sdk.compiler.front.load import load
from sdk.compiler.interface import interface
from sdk.compiler.optimise import optimise
from sdk.compiler.optimise.rewrite import Node, bottom_up
from sdk.compiler.symbols import Span
from sdk.envelope import seal

Key = tuple[Path, str]


def check_contracts(path: Path, reporter: Reporter) -> None:
    """Look through a file and each of its contracts; a module of things to import needs none. Raises: CompileError."""
    unit = load(path, None, reporter, needed=False)
    main = unit.modules[0]
    for declared in main.scope.values():
        if isinstance(declared, ContractDecl) and declared.module is main:
            program = check_contract(unit, declared, reporter)
            if program is not None:
                contained(program, path, reporter)


def checked(path: Path, contract: str | None, reporter: Reporter) -> tuple[Unit, tree.Program]:
    """The typed tree of one contract. Raises: CompileError with every error, of the front end and the checker."""
    unit = load(path, contract, reporter)
    program = None if unit.contract is None else check_contract(unit, unit.contract, reporter)
    reporter.check()
    if program is None:
        raise AssertionError("no error was reported, and there is no program")
    return unit, program


def compile_contract(path: Path, contract: str | None, reporter: Reporter) -> Compiled:
    """From a file to the bytes to deploy. Raises: CompileError."""
    unit, program = checked(path, contract, reporter)
    others = contained(program, path, reporter)
    reporter.check()
    if others:
        embed(program)
    generated = generate(optimise(program))
    declared = interface(program)
    return Compiled(
        program.name,
        seal(generated.module),
        declared.to_json(),
        declared,
        layout.layout(program),
        debug_module(generated.linked, unit.files),
        tuple(dict.fromkeys((*unit.files, *others))),
        tuple(reporter.diagnostics()),
    )


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


def embed(program: tree.Program) -> None:
    """Put the code of other contracts, each compiled as if it were alone, in place of their names."""
    modules: dict[Key, bytes] = {}

    def rule(node: Node) -> Node:
        if not isinstance(node, tree.CodeOf):
            return node
        key = (node.path, node.contract)
        if key not in modules:
            modules[key] = compile_contract(*key, Reporter()).module
        return tree.Constant(modules[key], node.type, node.span)

    for function in program.functions:
        function.body = [bottom_up(statement, rule) for statement in function.body]
