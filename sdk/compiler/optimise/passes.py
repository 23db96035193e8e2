"""The passes in their order.

Copies go first, since what is not copied is not read; then constants; then loads are merged, which makes values the
same that were only equal; then facts say which checks cannot fail; then what that left behind is folded again.
Never: changes a program that the caller keeps: bodies are replaced, and functions are the same.
"""

from __future__ import annotations

from sdk.compiler import tree
from sdk.compiler.optimise.checks import without_checks
from sdk.compiler.optimise.copies import called, without_copies
from sdk.compiler.optimise.known import all_changes
from sdk.compiler.optimise.loads import merge_loads
from sdk.compiler.optimise.simplify import simplified


def optimise(program: tree.Program) -> tree.Program:
    """The same program, cheaper. Functions keep their identity and get new bodies."""
    inner = called(program.functions)
    for function in program.functions:
        body = without_copies(tuple(function.body), returned=function not in inner)
        function.body = list(simplified(body))
    changes = all_changes(program.functions)
    for function in program.functions:
        merge_loads(function, changes)
        function.body = list(simplified(without_checks(simplified(tuple(function.body)))))
    return program
