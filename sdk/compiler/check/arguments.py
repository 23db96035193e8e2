"""Arguments: by position or name, defaults, and in which order they are evaluated.

Source: docs/language.md, "Functions": arguments go by position or name. Never: knows what is called.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence

from contractvm.dataclass import dataclass
from sdk.compiler import tree
from sdk.compiler.check.body import Body
from sdk.compiler.types import NOTHING, Type


@dataclass(frozen=True, slots=True)
class Wanted:
    """A parameter: `type` None where it is not understood; `optional`: it may be left out."""

    name: str
    type: Type | None
    optional: bool = False


@dataclass(frozen=True, slots=True)
class Bound:
    """A value for each parameter, None where it is left out; `order`: the positions as the source gives them."""

    values: tuple[tree.Expression | None, ...]
    order: tuple[int, ...]
    nodes: tuple[ast.expr | None, ...]

    def given(self) -> int:
        """How many of the first are given."""
        return sum(value is not None for value in self.values)


def bind(body: Body, node: ast.Call, what: str, wanted: Sequence[Wanted], *, skip: int = 0) -> Bound | None:
    """The arguments of a call, but for the first `skip`. None: said."""
    nodes: list[ast.expr | None] = [None] * len(wanted)
    order: list[int] = []
    arguments = node.args[skip:]
    if any(isinstance(argument, ast.Starred) for argument in arguments):
        body.error("CV211", node, "arguments are written out: there is no *", "write the values one by one")
        return None
    right = True
    if len(arguments) > len(wanted):
        body.error(
            "CV211", arguments[len(wanted)], f"{what} takes {_signature(wanted)}, more are given", "leave this out"
        )
        right = False
    for position, argument in enumerate(arguments[: len(wanted)]):
        nodes[position] = argument
        order.append(position)
    names = {parameter.name: position for position, parameter in enumerate(wanted)}
    for keyword in node.keywords:
        place = names.get(keyword.arg or "")
        if place is None or nodes[place] is not None:
            problem = "is given twice" if place is not None else "is no parameter"
            body.error("CV211", keyword, f"{keyword.arg or '**'} {problem}", f"{what} takes {_signature(wanted)}")
            right = False
            continue
        nodes[place] = keyword.value
        order.append(place)
    missing = [w.name for w, given in zip(wanted, nodes, strict=True) if given is None and not w.optional]
    if missing and right:
        body.error("CV211", node, f"{what} needs {', '.join(missing)} too", f"it takes {_signature(wanted)}")
        right = False
    values = _evaluated(body, nodes, wanted)
    if values is None or not right:
        return None
    return Bound(values, tuple(order), tuple(nodes))


def _evaluated(
    body: Body, nodes: Sequence[ast.expr | None], wanted: Sequence[Wanted]
) -> tuple[tree.Expression | None, ...] | None:
    values: list[tree.Expression | None] = []
    failed = False
    for parameter, given in zip(wanted, nodes, strict=True):
        value = None
        if given is not None:
            value = body.expression(given, NOTHING) if parameter.type is None else body.typed(given, parameter.type)
            failed = failed or value is None or parameter.type is None
        values.append(value)
    return None if failed else tuple(values)


def filled(
    bound: Bound, default: Callable[[int], tree.Expression | None]
) -> tuple[tuple[tree.Expression, ...], tuple[int, ...]] | None:
    """(values, order) with what is left out by its default, which is a constant and comes last."""
    values = [default(i) if value is None else value for i, value in enumerate(bound.values)]
    known = tuple(value for value in values if value is not None)
    if len(known) != len(values):
        return None
    rest = tuple(i for i in range(len(known)) if i not in bound.order)
    return known, bound.order + rest


def plain(bound: Bound) -> tuple[tree.Expression, ...]:
    """The values, where all are given."""
    return tuple(value for value in bound.values if value is not None)


def _signature(wanted: Sequence[Wanted]) -> str:
    if not wanted:
        return "no arguments"
    shown = [f"{w.name}: {w.type}" + (" = ..." if w.optional else "") for w in wanted]
    return f"({', '.join(shown)})"
