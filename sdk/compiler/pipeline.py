"""The compiler's parts in a row. `sdk.compiler` is the door.

Never: handles the compiler's own failures (`bug` does).
"""

from __future__ import annotations

from pathlib import Path

from sdk.compiler import layout, tree
from sdk.compiler.back.debug import debug_module
from sdk.compiler.back.link import TooLarge
from sdk.compiler.back.lower import generate
from sdk.compiler.checking import Key, checked, contained
from sdk.compiler.compiled import Compiled
from sdk.compiler.diagnostics import Reporter
from sdk.compiler.front.declared import Unit
from sdk.compiler.interface import interface
from sdk.compiler.optimise import optimise
from sdk.compiler.optimise.rewrite import Node, bottom_up
from sdk.envelope import seal


def compile_contract(path: Path, contract: str | None, reporter: Reporter) -> Compiled:
    """From a file to the bytes to deploy. Raises: CompileError."""
    unit, program = checked(path, contract, reporter)
    others = contained(program, path, reporter)
    reporter.check()
    if others:
        embed(program)
    try:
        generated = generate(optimise(program))
    except TooLarge as refused:
        report_size(refused, unit, program, reporter)
        raise
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


def report_size(refused: TooLarge, unit: Unit, program: tree.Program, reporter: Reporter) -> None:
    """Say it at the function that is too large, or at the contract. Raises: CompileError."""
    spans = {function.qualified: function.span for function in program.functions}
    span = spans.get(refused.function) or (unit.contract.span if unit.contract is not None else None)
    if span is not None:
        help_ = "divide it: a long function into several, a contract into contracts that call each other"
        reporter.error("CV003", span, str(refused), help_)
        reporter.check()


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
