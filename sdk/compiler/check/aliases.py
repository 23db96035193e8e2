"""No hidden alias: what is new, and what comes from another place and is kept only as `.copy()`.

Each struct, list and array in memory has one owner: a variable, or the value that it is part of. Parameters borrow, so
that a callee may change what it was passed; a loop's items are read. Whoever keeps a value (assigns, stores, returns
it, or makes it part of one that is kept) must have a new one. Returning a function's own variable passes it on, once.
Source: docs/language.md, "Structs": no hidden alias. Never: copies; `.copy()` stands in the source.
"""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import TypeAlias

from sdk.compiler import tree
from sdk.compiler.check.body import Body
from sdk.compiler.types import Array, List, Struct, Tuple, Type, has_identity

Found: TypeAlias = tree.Expression | None


def carries(type_: Type) -> bool:
    """Whether a value of the type has an identity, or parts that have."""
    return has_identity(type_) or (isinstance(type_, Tuple) and any(map(carries, type_.items)))


def root(place: tree.Place) -> tree.LocalPlace | tree.FieldPlace | tree.ValuePlace:
    """Where a place begins."""
    while not isinstance(place, tree.LocalPlace | tree.FieldPlace | tree.ValuePlace):
        place = place.base
    return place


def part_of(value: tree.Expression, judge: Callable[[tree.Load, tree.LocalPlace | tree.FieldPlace], bool]) -> Found:
    """The first part with an identity that is read from a variable or a field, and that `judge` finds fault with."""
    if not carries(value.type):
        return None
    match value:
        case tree.Load(place):
            start = root(place)
            if isinstance(start, tree.ValuePlace):
                return part_of(start.value, judge)
            return value if judge(value, start) else None
        case tree.Conditional(_, then, otherwise):
            return part_of(then, judge) or part_of(otherwise, judge)
        case tree.MakeTuple(items) | tree.MakeStruct(items) | tree.MakeList(items):
            return next((part for item in items if (part := part_of(item, judge)) is not None), None)
        case tree.Item(inner):
            return part_of(inner, judge)
        case tree.Slice(inner, type=List(item)) if carries(item):
            return part_of(inner, judge)
    return None


def borrowed(value: tree.Expression, own: set[tree.Local] | None = None) -> Found:
    """The part of a value that belongs to another place, None when all of it is new.

    `own` are variables whose value may be passed on; each is taken out when it is.
    """

    def belongs(load: tree.Load, start: tree.LocalPlace | tree.FieldPlace) -> bool:
        if own is not None and isinstance(start, tree.LocalPlace) and start.local in own:
            own.discard(start.local)
            return False
        return True

    return part_of(value, belongs)


def keep(body: Body, value: tree.Expression, own: set[tree.Local] | None = None) -> bool:
    """Whether a value may be kept. Says why not."""
    part = borrowed(value, own)
    if part is None:
        return True
    what = "tuple has parts that come" if isinstance(part.type, Tuple) else f"{part.type} comes"
    body.error(
        "CV214",
        part.span,
        f"this {what} from another place: both would be one",
        "take its items and copy those: t[0].copy()"
        if isinstance(part.type, Tuple)
        else "write .copy() behind it, or change it where it is",
    )
    return False


def lend(body: Body, value: tree.Expression) -> bool:
    """Whether a value may be an argument of one of the contract's own functions. Says why not."""
    part = _unlendable(body, value)
    if part is None:
        return True
    where = "storage" if isinstance(part, tree.Load) and isinstance(root(part.place), tree.FieldPlace) else "a loop"
    body.error(
        "CV214",
        part.span,
        f"this {part.type} comes from {where}: the function would change a copy, or the place",
        "write .copy() behind it",
    )
    return False


def _unlendable(body: Body, value: tree.Expression) -> Found:
    """The part of an argument that is in storage, or that a loop gave."""
    return part_of(value, lambda load, start: not isinstance(start, tree.LocalPlace) or looped(body, start.local))


def looped(body: Body, local: tree.Local) -> bool:
    """Whether a loop that is still open gave the variable."""
    return any(variable.local is local and variable.looped for variable in body.variables.values())


def own_locals(body: Body) -> set[tree.Local]:
    """The variables whose value `return` may pass on."""
    return {v.local for v in body.variables.values() if v.local is not None and v.owned}


def copied(body: Body, node: ast.Call, value: tree.Expression) -> tree.Expression | None:
    """`value.copy()`."""
    if isinstance(value.type, Struct | List | Array):
        return tree.Copy(value, value.type, body.span(node))
    help_ = "take its items and copy those" if isinstance(value.type, Tuple) else "leave .copy() out"
    body.error("CV210", node, f"{value.type} has no copy(): its values are never changed in place", help_)
    return None
