"""Names that a class binds and that its own declarations then find in place of the module's.

Python runs a class's body in a scope of its own: after `def view(self)` the decorator `@view` below is the method, and
after `FEE: Const[u8] = 1` a default `= FEE` is the class's constant. The language looks such names up in the module,
so that both at once are refused. Bodies of methods do not see the class's names and are not looked at.
Source: The Python Language Reference, "Resolution of names". Never: resolves a name.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from sdk.compiler.front.names import Names


def check_hiding(node: ast.ClassDef, names: Names) -> None:
    """Report names of the module that a class binds and uses further down in its declarations."""
    bound: dict[str, ast.FunctionDef | ast.AnnAssign] = {}
    for statement in node.body:
        for used in used_names(statement):
            member = bound.pop(used, None)
            if member is not None:
                source = names.module.source
                if isinstance(member, ast.FunctionDef):
                    span = source.name_span(member)
                else:
                    span = source.span(member.target)
                message = f"{used} hides the module's {used}, which line {statement.lineno} of this class uses"
                names.error("CV128", span, message, "rename it")
        match statement:
            case ast.FunctionDef(name=name) | ast.AnnAssign(target=ast.Name(id=name), value=ast.expr()):
                if name in names.module.scope or name in names.later:
                    bound.setdefault(name, statement)


def used_names(statement: ast.stmt) -> Iterator[str]:
    """The names that Python looks up when it reads a declaration in a class."""
    parts: list[ast.expr | None] = []
    match statement:
        case ast.AnnAssign():
            parts = [statement.annotation, statement.value]
        case ast.FunctionDef():
            arguments = statement.args
            given = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
            parts = [*statement.decorator_list, statement.returns, *(arg.annotation for arg in given)]
            parts += [*arguments.defaults, *arguments.kw_defaults]
    for part in parts:
        for inner in ast.walk(part) if part is not None else ():
            if isinstance(inner, ast.Name):
                yield inner.id
