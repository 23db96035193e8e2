"""Fills the bodies of functions, and evaluates constants.

Source: docs/language.md, "Functions", "Fields". Never: decides which functions there are (`program` does).
"""

from __future__ import annotations

import ast

from sdk.compiler import tree
from sdk.compiler.check.body import Body, Variable
from sdk.compiler.check.expressions import expression
from sdk.compiler.check.statements import block
from sdk.compiler.check.walk import below
from sdk.compiler.check.whole import Whole
from sdk.compiler.front.declared import ContractDecl, FunctionDecl, FunctionKind, Module
from sdk.compiler.optimise.folding import fold
from sdk.compiler.types import NOTHING, Type

CALCULATIONS = (tree.Constant, tree.Binary, tree.Unary, tree.Convert, tree.Builtin)


def fill(whole: Whole, declared: FunctionDecl) -> tree.Function | None:
    """The tree's function with its body; None where its signature is not understood. Errors are said."""
    function = whole.function(declared)
    for position, parameter in enumerate(declared.parameters):
        if parameter.default is not None:
            whole.default(declared, position)
    if declared.rejected:
        return function
    body = Body(whole, declared.module, declared.owner, function, expression)
    body.constructor = declared.kind is FunctionKind.CONSTRUCTOR
    body.stored = stored(declared.node)
    locals_ = iter(function.parameters if function is not None else ())
    for parameter in declared.parameters:
        local = next(locals_, None) if function is not None else None
        body.variables[parameter.name] = Variable(local, owned=False)
        body.assigned.add(parameter.name)
    statements = block(body, declared.node.body)
    if function is None:
        return None
    function.body.extend(statements)
    if body.reached and function.returns != NOTHING:
        body.error(
            "CV217",
            declared.span,
            f"{declared.name} may end without a value: it returns {function.returns}",
            "return a value on every way through, or raise an error",
        )
    return function


def stored(node: ast.FunctionDef) -> frozenset[str]:
    """The names that a function assigns: they are its variables everywhere in it, as in Python."""
    return frozenset(
        part.id for part in ast.walk(node) if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store)
    )


def evaluate(
    whole: Whole, module: Module, owner: ContractDecl | None, node: object, type_: Type
) -> tree.Expression | None:
    """The value of a constant expression: nothing in it is left to be calculated. None: said."""
    if not isinstance(node, ast.expr):
        return None
    body = Body(whole, module, None, None, expression)
    body.within = owner
    value = body.typed(node, type_)
    if value is None:
        return None
    folded = fold(value)
    if not isinstance(folded, tree.Constant) and not _fixed(folded):
        if all(isinstance(part, CALCULATIONS) and getattr(part, "arguments", True) for part in below([folded])):
            body.error("CV202", node, f"this has no value that fits {type_}", "it overflows, or divides by zero")
        else:
            body.error("CV219", node, "this is not constant", "a constant is made of literals and other constants")
        return None
    return folded


def _fixed(value: tree.Expression) -> bool:
    """Whether a value with parts is made of constants."""
    match value:
        case tree.Constant() | tree.Default():
            return True
        case tree.MakeTuple(items) | tree.MakeStruct(items) | tree.MakeList(items):
            return all(map(_fixed, items))
    return False
