"""Statements, but for loops: assignments, branches, `return`, `raise`, `assert`, `del`, `emit`, `with unchecked()`.

Source: docs/language.md, "Statements". Never: rejects syntax (`front.subset` has), or computes effects (`effects`).
"""

from __future__ import annotations

import ast
from collections.abc import Sequence

from sdk.compiler import tree
from sdk.compiler.check import loops
from sdk.compiler.check.aliases import keep, own_locals
from sdk.compiler.check.arguments import Wanted, bind, plain
from sdk.compiler.check.assignments import assign, augment, declare
from sdk.compiler.check.body import Body
from sdk.compiler.check.calls import append, call
from sdk.compiler.check.operators import condition
from sdk.compiler.check.places import PLACES, access
from sdk.compiler.check.targets import writable
from sdk.compiler.front.declared import ErrorDecl, EventDecl
from sdk.compiler.symbols import Kind, Parameter, Span
from sdk.compiler.types import NOTHING, STRING, List, Map


def block(body: Body, nodes: Sequence[ast.stmt]) -> tuple[tree.Statement, ...]:
    """Statements in a row; those that nothing reaches are checked and left out."""
    made: list[tree.Statement] = []
    warned = False
    for node in nodes:
        reached = body.reached
        if not reached and not warned:
            warned = True
            body.warning("CV903", node, "nothing reaches this line", "remove it, or what leaves before it")
        statements = statement(body, node)
        if reached:
            made.extend(statements)
        else:
            body.end()
    return tuple(made)


def statement(body: Body, node: ast.stmt) -> Sequence[tree.Statement]:
    """One statement; none where an error has been said, or where there is nothing to do."""
    match node:
        case ast.Assign():
            return assign(body, node)
        case ast.AnnAssign():
            return declare(body, node)
        case ast.AugAssign():
            return augment(body, node)
        case ast.Expr():
            return _expression(body, node)
        case ast.If():
            return _if(body, node)
        case ast.While():
            return loops.while_(body, node, block)
        case ast.For():
            return loops.for_(body, node, block)
        case ast.Return():
            return _return(body, node)
        case ast.Raise():
            return _raise(body, node)
        case ast.Assert():
            return _assert(body, node)
        case ast.Delete():
            return [made for target in node.targets for made in _delete(body, target)]
        case ast.Break():
            body.loops[-1].broken.append(frozenset(body.assigned))
            body.end()
            return [tree.Break(body.span(node))]
        case ast.Continue():
            body.end()
            return [tree.Continue(body.span(node))]
        case ast.With():
            return _unchecked(body, node)
        case ast.Pass():
            return []
    body.error("CV212", node, "this is no statement of the language", "see docs/language.md, Statements")
    return []


def _unchecked(body: Body, node: ast.With) -> Sequence[tree.Statement]:
    before, body.unchecked = body.unchecked, True
    made = block(body, node.body)
    body.unchecked = before
    return made


def _if(body: Body, node: ast.If) -> Sequence[tree.Statement]:
    test = condition(body, node.test)
    before = body.snapshot()
    then = block(body, node.body)
    after_then = body.snapshot()
    body.restore(before)
    otherwise = block(body, node.orelse)
    body.join(after_then, body.snapshot())
    return [] if test is None else [tree.If(test, then, otherwise, body.span(node))]


def _expression(body: Body, node: ast.Expr) -> Sequence[tree.Statement]:
    value, span = node.value, body.span(node)
    if isinstance(value, ast.Constant) and (isinstance(value.value, str) or value.value is ...):
        return []
    if isinstance(value, ast.Call):
        if body.language(value.func) == "emit":
            return _emit(body, node, value)
        if isinstance(value.func, ast.Attribute) and value.func.attr == "append" and not body.is_self(value.func.value):
            appended = append(body, value)
            if appended is None or not keep(body, appended[1]):
                return []
            return [tree.Append(appended[0], appended[1], span)]
        made = call(body, value, None)
        return [] if made is None else [tree.Discard(made, span)]
    found = body.expression(value)
    return [] if found is None else [tree.Discard(found, span)]


def _symbol_arguments(
    body: Body, node: ast.Call, what: str, parameters: tuple[Parameter, ...]
) -> tuple[tuple[tree.Expression, ...], tuple[int, ...]] | None:
    bound = bind(body, node, what, [Wanted(p.name, p.type) for p in parameters])
    return None if bound is None else (plain(bound), bound.order)


def _emit(body: Body, node: ast.Expr, value: ast.Call) -> Sequence[tree.Statement]:
    inner = value.args[0] if len(value.args) == 1 and not value.keywords else None
    declared = body.declared(inner.func) if isinstance(inner, ast.Call) else None
    if not isinstance(inner, ast.Call) or not isinstance(declared, EventDecl):
        body.error("CV211", value, "emit takes an event", "write emit(Transfer(a, b, c))")
        return []
    if declared.symbol is None:
        return []
    given = _symbol_arguments(body, inner, declared.name, declared.symbol.parameters)
    if given is None:
        return []
    body.whole.events[declared.symbol] = None
    return [tree.Emit(declared.symbol, given[0], given[1], body.span(node))]


def _raise(body: Body, node: ast.Raise) -> Sequence[tree.Statement]:
    value, span = node.exc, body.span(node)
    made = _raised(body, node, value, span)
    body.end()
    return made


def _raised(body: Body, node: ast.Raise, value: ast.expr | None, span: Span) -> Sequence[tree.Statement]:
    declared = body.declared(value.func) if isinstance(value, ast.Call) else None
    if isinstance(value, ast.Call) and body.language(value.func) == "Revert":
        if len(value.args) > 1 or value.keywords:
            body.error("CV211", value, "Revert takes a reason", 'write raise Revert("reason")')
            return []
        reason = body.typed(value.args[0], STRING) if value.args else None
        return [] if value.args and reason is None else [tree.Fail(reason, span)]
    if not isinstance(value, ast.Call) or not isinstance(declared, ErrorDecl):
        shown = isinstance(value, ast.Name) and isinstance(body.declared(value), ErrorDecl)
        help_ = (
            f"write raise {value.id}(...)"
            if shown and isinstance(value, ast.Name)
            else ('raise an Error of your own, or Revert("reason")')
        )
        body.error("CV211", node, "raise needs an error", help_)
        return []
    if declared.symbol is None:
        return []
    given = _symbol_arguments(body, value, declared.name, declared.symbol.parameters)
    if given is None:
        return []
    body.whole.errors[declared.symbol] = None
    return [tree.Revert(declared.symbol, given[0], given[1], span)]


def _assert(body: Body, node: ast.Assert) -> Sequence[tree.Statement]:
    test = condition(body, node.test)
    reason = None if node.msg is None else body.typed(node.msg, STRING)
    if isinstance(test, tree.Constant) and test.value is False:
        body.end()
    if test is None or (node.msg is not None and reason is None):
        return []
    return [tree.Assert(test, reason, body.span(node))]


def _return(body: Body, node: ast.Return) -> Sequence[tree.Statement]:
    function = body.function
    made: Sequence[tree.Statement] = []
    empty = node.value is None or (isinstance(node.value, ast.Constant) and node.value.value is None)
    if function is None:  # its signature is not understood, which has been said
        if node.value is not None:
            body.unhinted(node.value)
    elif function.returns == NOTHING:
        if not empty:
            body.error("CV217", node, f"{function.name} returns nothing", "write its result's type: -> u256")
        made = [tree.Return(None, body.span(node))]
    elif empty or node.value is None:
        body.error("CV217", node, f"{function.name} returns {function.returns}", "return a value")
    else:
        value = body.typed(node.value, function.returns)
        if value is not None and keep(body, value, own_locals(body)):
            made = [tree.Return(value, body.span(node))]
    body.end()
    return made


def _delete(body: Body, node: ast.expr) -> Sequence[tree.Statement]:
    found = access(body, node)
    if found is None:
        return []
    help_ = "del is for a map's entry and for a field of the contract"
    match found:
        case tree.EntryPlace(type=Map()) | tree.FieldPlace(type=Map()):
            body.error("CV307", node, "a map is not deleted as a whole", "delete its entries in a loop")
        case tree.EntryPlace():
            return [tree.Delete(found, body.span(node))] if writable(body, found, node) else []
        case tree.FieldPlace(field) if field.kind in (Kind.STORAGE, Kind.TRANSIENT):
            return [tree.Delete(found, body.span(node))]
        case tree.IndexPlace(base=base):
            if isinstance(base.type, List):
                help_ = "take the last item away with pop(); or move it here first: xs[i] = xs.pop()"
            body.error("CV216", node, "an item of a list is not deleted", help_)
        case tree.LocalPlace():
            body.error("CV216", node, "a variable is not deleted", help_)
        case _ if isinstance(found, PLACES):
            body.error("CV216", node, "this is not deleted", f"{help_}; assign the default")
        case _:
            body.error("CV216", node, "this is not deleted", help_)
    return []
