"""Assignment: of variables, which get their type at their first one, of fields and items, of tuples, with an operator.

Source: docs/language.md, "Statements": assignment; "Integers": literals. Never: looks at what follows.
"""

from __future__ import annotations

import ast
from collections.abc import Sequence

from sdk.compiler import tree
from sdk.compiler.check.aliases import keep
from sdk.compiler.check.body import Body, Variable
from sdk.compiler.check.numbers import number
from sdk.compiler.check.operators import ARITHMETIC, mixed, untyped
from sdk.compiler.check.places import PLACES, access
from sdk.compiler.check.targets import constant_target, writable
from sdk.compiler.types import BYTES, NOTHING, STRING, U64, U256, Bytes, FixedBytes, Int, Map, String, Tuple, Type


def assign(body: Body, node: ast.Assign) -> Sequence[tree.Statement]:
    """`x = value`, `a, b = value`."""
    if len(node.targets) > 1:
        body.error("CV216", node, "there is no a = b = c", "write one assignment for each")
        return []
    goal = node.targets[0]
    if isinstance(goal, ast.Tuple | ast.List):
        return _unpack(body, node, goal)
    if isinstance(goal, ast.Name) and goal.id not in body.variables:
        return _first(body, node, goal)
    type_, place = _goal(body, goal)
    if type_ is None:
        body.unhinted(node.value)
        reached(body, goal)
        return []
    value = body.typed(node.value, type_)
    reached(body, goal)
    if place is None or value is None or not keep(body, value):
        return []
    return [tree.Assign(place, value, body.span(node))]


def reached(body: Body, goal: ast.expr) -> None:
    """From here on the variable has a value."""
    if isinstance(goal, ast.Name):
        body.assigned.add(goal.id)


def _first(body: Body, node: ast.Assign, goal: ast.Name) -> Sequence[tree.Statement]:
    """The assignment that tells a variable's type."""
    if isinstance(node.value, ast.Constant) and isinstance(node.value.value, bool | str):
        kind = "bool" if isinstance(node.value.value, bool) else "String"
        message = f"{goal.id} begins with a bare literal, and nothing says its type"
        body.error("CV203", node, message, f"say it: {goal.id}: {kind} = {ast.unparse(node.value)}")
    value = body.expression(node.value)
    local = None if value is None else new_local(body, goal, value.type)
    body.variables[goal.id] = Variable(local)
    body.assigned.add(goal.id)
    if value is None or local is None or not keep(body, value):
        return []
    return [tree.Assign(tree.LocalPlace(local, local.type, body.span(goal)), value, body.span(node))]


def new_local(body: Body, goal: ast.Name, type_: Type) -> tree.Local | None:
    if goal.id == "self" and body.owner is not None:
        body.error("CV216", goal, "self is not assigned", "assign one of its fields: self.name = ...")
        return None
    return tree.Local(goal.id, type_)


def _goal(body: Body, node: ast.expr) -> tuple[Type | None, tree.Place | None]:
    """(type, place) of what is assigned; the type alone where writing it is an error, nothing where it is none."""
    if isinstance(node, ast.Name):
        local = body.variables[node.id].local
        if local is None:
            return None, None
        place = tree.LocalPlace(local, local.type, body.span(node))
        return local.type, place if writable(body, place, node) else None
    if constant_target(body, node):
        return None, None
    found = access(body, node)
    if found is None:
        return None, None
    if not isinstance(found, PLACES):
        help_ = (
            "Bytes are never changed in place: join new ones"
            if isinstance(found, tree.ByteAt)
            else ("make a new tuple" if isinstance(found, tree.Item) else "")
        )
        body.error("CV216", node, "this cannot be assigned", help_)
        return found.type, None
    if isinstance(found.type, Map):
        body.error("CV307", node, "a Map is not assigned as a whole", "assign its entries")
        return None, None
    return found.type, found if writable(body, found, node) else None


def declare(body: Body, node: ast.AnnAssign) -> Sequence[tree.Statement]:
    """`x: u256 = value`, `x: u256`."""
    goal = node.target
    if not isinstance(goal, ast.Name):
        body.error("CV220", node, "a type stands at a variable's first assignment", "fields have theirs in the class")
        return []
    type_ = body.type(node.annotation)
    if goal.id in body.variables:
        body.error("CV220", node, f"{goal.id} has a type already", "annotate its first assignment alone")
        return []
    local = None if type_ is None else new_local(body, goal, type_)
    value = None
    if node.value is not None:
        value = body.expression(node.value, NOTHING) if type_ is None else body.typed(node.value, type_)
        body.assigned.add(goal.id)
    body.variables[goal.id] = Variable(local)
    if local is None or value is None or not keep(body, value):
        return []
    return [tree.Assign(tree.LocalPlace(local, local.type, body.span(goal)), value, body.span(node))]


def _unpack(body: Body, node: ast.Assign, goals: ast.Tuple | ast.List) -> Sequence[tree.Statement]:
    """`a, b = value`: each target is what it would be alone."""
    known = [_known(body, goal) for goal in goals.elts]
    hint = None
    if isinstance(node.value, ast.Tuple) and len(node.value.elts) == len(known):
        values = [_part(body, item, type_) for item, type_ in zip(node.value.elts, known, strict=True)]
        items = tuple(value for value in values if value is not None)
        made: tree.Expression | None = None
        if len(items) == len(values):
            hint = Tuple(tuple(item.type for item in items))
            made = tree.MakeTuple(items, hint, body.span(node.value))
    else:
        made = body.expression(node.value)
    types = _types(body, node, made, len(known))
    places = [unpacked(body, goal, type_) for goal, type_ in zip(goals.elts, types, strict=True)]
    if made is None or any(place is None for place in places) or not keep(body, made):
        return []
    return [tree.Unpack(tuple(places), made, body.span(node))]


def _known(body: Body, goal: ast.expr) -> Type | None:
    """The type of a target, where it has one before its value is known; nothing is said."""
    if isinstance(goal, ast.Name):
        variable = body.variables.get(goal.id)
        return None if variable is None or variable.local is None else variable.local.type
    if isinstance(goal, ast.Attribute | ast.Subscript):
        found = access(body, goal)
        return None if found is None else found.type
    return None


def _part(body: Body, node: ast.expr, type_: Type | None) -> tree.Expression | None:
    return body.expression(node) if type_ is None else body.typed(node, type_)


def _types(body: Body, node: ast.Assign, made: tree.Expression | None, count: int) -> Sequence[Type | None]:
    if made is None:
        return [None] * count
    if not isinstance(made.type, Tuple):
        body.error("CV221", node.value, f"{made.type} is not taken apart", "only tuples are")
        return [None] * count
    if len(made.type.items) != count:
        body.error("CV221", node, f"{len(made.type.items)} values for {count} variables", "name each of them once")
        return [None] * count
    return made.type.items


def unpacked(body: Body, goal: ast.expr, type_: Type | None) -> tree.Place | None:
    """The place that one item of a tuple goes to; None: said."""
    if isinstance(goal, ast.Starred | ast.Tuple | ast.List):
        body.error(
            "CV221", goal, "each target is a variable, a field or an item", "take the inner tuple apart after this"
        )
        return None
    if isinstance(goal, ast.Name) and goal.id not in body.variables:
        local = None if type_ is None else new_local(body, goal, type_)
        body.variables[goal.id] = Variable(local)
        body.assigned.add(goal.id)
        return None if local is None else tree.LocalPlace(local, local.type, body.span(goal))
    wanted, place = _goal(body, goal)
    reached(body, goal)
    if type_ is not None and wanted is not None and wanted != type_:
        body.mismatch(goal, wanted, type_)
        return None
    return place


def augment(body: Body, node: ast.AugAssign) -> Sequence[tree.Statement]:
    """`place op= value`."""
    if type(node.op) not in ARITHMETIC:
        body.error("CV206", node, "there is no such operator", "//= divides and rounds down")
        return []
    op, shown = ARITHMETIC[type(node.op)]
    goal = node.target
    if constant_target(body, goal):
        body.unhinted(node.value)
        return []
    found = access(body, goal)
    if found is None:
        body.unhinted(node.value)
        return []
    if not isinstance(found, PLACES):
        body.error(
            "CV216", node, "this cannot be assigned", "variables, fields of the contract, members and items can be"
        )
        return []
    if not writable(body, found, node):
        return []
    if op == "add" and isinstance(found.type, Bytes | String):
        return _append_text(body, node, found)
    bits = op in ("and", "or", "xor")
    if not isinstance(found.type, Int) and not (bits and isinstance(found.type, FixedBytes)):
        body.error("CV206", node, f"{found.type} has no {shown}=", "assign a new value with =")
        return []
    value = _operand(body, node.value, op, shown, found.type)
    if value is None:
        return []
    checked = body.checked and not bits and op != "shr"
    return [tree.Augment(op, found, value, checked, body.span(node))]


def _operand(body: Body, node: ast.expr, op: str, shown: str, type_: Type) -> tree.Expression | None:
    """The right side: of the place's type, but for shifts and powers."""
    if op not in ("pow", "shl", "shr"):
        value = body.expression(node, type_)
        if value is not None and value.type != type_:
            mixed(body, node, type_, value.type)
            return None
        return value
    literal = number(body, node)
    if literal is not None and literal < 0:
        body.error("CV202", node, f"the right side of {shown} is an unsigned integer", "write a literal from 0")
        return None
    hint = U256 if literal is not None and not U64.holds(literal) else U64
    value = body.expression(node, hint if literal is not None or untyped(body, node) else None)
    if value is not None and (not isinstance(value.type, Int) or value.type.signed):
        body.error(
            "CV206",
            node,
            f"the right side of {shown} is an unsigned integer, this is {value.type}",
            "convert it: u256(x)",
        )
        return None
    return value


def _append_text(body: Body, node: ast.AugAssign, place: tree.Place) -> Sequence[tree.Statement]:
    """`text += more`, whose place is evaluated once."""
    span, type_ = body.span(node), place.type
    value = body.expression(node.value)
    if value is None:
        return []
    fits = isinstance(value.type, String) if type_ == STRING else isinstance(value.type, Bytes | FixedBytes)
    if not fits:
        mixed(body, node.value, type_, value.type)
        return []
    before, fixed = once(place)
    joined = tree.Builtin(
        "concat", (tree.Load(fixed, type_, span), value), True, STRING if type_ == STRING else BYTES, span
    )
    return [*before, tree.Assign(fixed, joined, span)]


def once(place: tree.Place) -> tuple[list[tree.Statement], tree.Place]:
    """Statements that evaluate a place's keys and indices, and the place with what they gave: it can be used twice."""
    match place:
        case tree.EntryPlace(base, key, type_, span):
            before, fixed = once(base)
            kept = _kept(key, before)
            return before, tree.EntryPlace(fixed, kept, type_, span)
        case tree.IndexPlace(base, index, type_, span):
            before, fixed = once(base)
            kept = _kept(index, before)
            return before, tree.IndexPlace(fixed, kept, type_, span)
        case tree.MemberPlace(base, position, type_, span):
            before, fixed = once(base)
            return before, tree.MemberPlace(fixed, position, type_, span)
    return [], place


def _kept(value: tree.Expression, before: list[tree.Statement]) -> tree.Expression:
    if isinstance(value, tree.Constant):
        return value
    local = tree.Local("", value.type)
    place = tree.LocalPlace(local, local.type, value.span)
    before.append(tree.Assign(place, value, value.span))
    return tree.Load(place, local.type, value.span)
