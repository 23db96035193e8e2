"""Loops: over ranges, lists, arrays and maps, counted or not, and `while`.

What a loop gives is only its own and only read. Source: docs/language.md, "Statements": for, while; "Map".
Never: finds writes to a map that is looped over (`effects` does, through calls).
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence
from typing import TypeAlias

from sdk.compiler import tree
from sdk.compiler.check.aliases import root
from sdk.compiler.check.body import Body, Loop, Variable
from sdk.compiler.check.numbers import number
from sdk.compiler.check.operators import condition
from sdk.compiler.check.places import PLACES, access, place_of
from sdk.compiler.symbols import Kind
from sdk.compiler.types import U64, Array, Bytes, FixedBytes, List, Map, String, Tuple, Type

Block: TypeAlias = Callable[[Body, Sequence[ast.stmt]], tuple[tree.Statement, ...]]


def while_(body: Body, node: ast.While, block: Block) -> Sequence[tree.Statement]:
    """`while test:`; behind `while True` one comes by `break` alone."""
    test = condition(body, node.test)
    before = body.snapshot()
    loop = Loop()
    body.loops.append(loop)
    inner = block(body, node.body)
    body.loops.pop()
    forever = isinstance(test, tree.Constant) and test.value is True
    ends = [(assigned, True) for assigned in loop.broken]
    body.join(*ends, *([] if forever else [before]))
    return [] if test is None else [tree.While(test, inner, body.span(node))]


def for_(body: Body, node: ast.For, block: Block) -> Sequence[tree.Statement]:
    """`for target in iterable:`."""
    iterable, target = node.iter, node.target
    name = body.language(iterable.func) if isinstance(iterable, ast.Call) else None
    if isinstance(iterable, ast.Call) and name == "range":
        return _range(body, node, iterable, block)
    counter: ast.expr | None = None
    if isinstance(iterable, ast.Call) and name == "enumerate":
        if len(iterable.args) != 1 or iterable.keywords or not _pair(target):
            body.error("CV222", node, "enumerate gives two values", "write for i, x in enumerate(xs)")
            _blind(body, node, block)
            return []
        counter, target = target.elts  # type: ignore[attr-defined]
        iterable = iterable.args[0]
    entries, keys = _map_method(body, iterable, "items"), _map_method(body, iterable, "keys")
    found = access(body, entries or keys or iterable)
    if found is None:
        _blind(body, node, block)
        return []
    if isinstance(found.type, Map):
        return _map(body, node, place_of(body, found, iterable), (counter, target, entries is not None), block)
    if isinstance(found.type, List | Array) and entries is None and keys is None:
        return _each(body, node, found, counter, target, block)
    help_ = "it is for ranges, lists, arrays and maps"
    if isinstance(found.type, Bytes | FixedBytes | String):
        what = "x.encode()" if isinstance(found.type, String) else "x"
        help_ = f"write for i in range(len({what})) and take {what}[i]"
    body.error("CV222", iterable, f"there is no loop over {found.type}", help_)
    _blind(body, node, block)
    return []


def _pair(target: ast.expr) -> bool:
    return isinstance(target, ast.Tuple) and len(target.elts) == 2


def _map_method(body: Body, node: ast.expr, name: str) -> ast.expr | None:
    """The map of `m.items()`, `m.keys()`."""
    match node:
        case ast.Call(func=ast.Attribute(value=value, attr=attribute), args=[], keywords=[]) if attribute == name:
            return value
    return None


def _blind(body: Body, node: ast.For, block: Block) -> None:
    """Check a loop's body although what it goes over is not understood."""
    for part in ast.walk(node.target):
        if isinstance(part, ast.Name):
            body.variables[part.id] = Variable(None)
            body.assigned.add(part.id)
    _inside(body, node, block, [])


def _inside(body: Body, node: ast.For, block: Block, names: list[str]) -> tuple[tree.Statement, ...]:
    """The body, with what the loop gives; behind it those names are gone."""
    before = body.snapshot()
    body.assigned.update(names)
    loop = Loop()
    body.loops.append(loop)
    inner = block(body, node.body)
    body.loops.pop()
    body.join(before, *[(assigned, True) for assigned in loop.broken])
    for name in names:
        body.variables.pop(name, None)
        body.assigned.discard(name)
        body.past.add(name)
    return inner


def _given(body: Body, target: ast.expr | None, type_: Type, names: list[str]) -> tree.Local | None:
    """The variable that a loop gives; None: said, or none is wanted."""
    if target is None:
        return None
    if not isinstance(target, ast.Name):
        body.error("CV222", target, "a loop gives its values to variables", "write for x in xs")
        return None
    if target.id in body.variables and target.id in names:
        body.error("CV222", target, f"{target.id} stands here twice", "give each its own name")
        return None
    if target.id in body.variables:
        body.error("CV222", target, f"{target.id} is a variable already: a loop's are only its own", "use another name")
        return None
    local = tree.Local(target.id, type_)
    body.variables[target.id] = Variable(local, owned=False, looped=True)
    names.append(target.id)
    return local


def _range(body: Body, node: ast.For, iterable: ast.Call, block: Block) -> Sequence[tree.Statement]:
    bounds, names = iterable.args, list[str]()
    span = body.span(node)
    step: int | None = 1
    if not 1 <= len(bounds) <= 3 or iterable.keywords:
        body.error(
            "CV211",
            iterable,
            "range takes a stop; a start and a stop; or those and a step",
            "write range(10), range(1, 10) or range(10, 0, -1)",
        )
        _blind(body, node, block)
        return []
    if len(bounds) == 3:
        step = number(body, bounds[2])
        if step is None or step == 0 or abs(step) >= 1 << 63:
            body.error("CV219", bounds[2], "the step is a literal other than 0", "write while for other steps")
            step = None
    start = tree.Constant(0, U64, span) if len(bounds) == 1 else body.typed(bounds[0], U64)
    stop_node = bounds[0] if len(bounds) == 1 else bounds[1]
    if number(body, stop_node) == -1 and step is not None and step < 0:
        body.error("CV202", stop_node, "a loop's index is a u64: it does not come to -1", "count up and take n - 1 - i")
        stop = None
    else:
        stop = body.typed(stop_node, U64)
    local = _given(body, node.target, U64, names)
    inner = _inside(body, node, block, names)
    if start is None or stop is None or step is None or local is None:
        return []
    return [tree.ForRange(local, start, stop, step, inner, span)]


def _each(
    body: Body,
    node: ast.For,
    found: tree.Place | tree.Expression,
    counter: ast.expr | None,
    target: ast.expr,
    block: Block,
) -> Sequence[tree.Statement]:
    """Over a list or an array; a tuple in it is taken apart where the target is."""
    names: list[str] = []
    if not isinstance(found.type, List | Array):
        return []
    item_type = found.type.item
    index = _given(body, counter, U64, names)
    before: list[tree.Statement] = []
    if isinstance(target, ast.Tuple):
        item, before = _apart(body, target, item_type, names)
    else:
        item = _given(body, target, item_type, names)
    stored = isinstance(found, PLACES) and isinstance(root(found), tree.FieldPlace)
    if stored and isinstance(found.type, List):
        _bounded(body, node, "list in storage")
    inner = _inside(body, node, block, names)
    if item is None or (counter is not None and index is None):
        return []
    return [tree.ForEach(index, item, found, (*before, *inner), body.span(node))]


def _apart(
    body: Body, target: ast.Tuple, type_: Type, names: list[str]
) -> tuple[tree.Local | None, list[tree.Statement]]:
    if not isinstance(type_, Tuple) or len(type_.items) != len(target.elts):
        body.error(
            "CV221",
            target,
            f"{type_} is not taken apart into {len(target.elts)}",
            "items() gives a key and a value, enumerate a number and an item",
        )
        return None, []
    parts = [_given(body, part, inner, names) for part, inner in zip(target.elts, type_.items, strict=True)]
    if any(part is None for part in parts):
        return None, []
    item, span = tree.Local("", type_), body.span(target)
    places = tuple(tree.LocalPlace(part, part.type, span) for part in parts if part is not None)
    whole = tree.Load(tree.LocalPlace(item, type_, span), type_, span)
    return item, [tree.Unpack(places, whole, span)]


def _map(
    body: Body, node: ast.For, of: tree.Place, wanted: tuple[ast.expr | None, ast.expr, bool], block: Block
) -> Sequence[tree.Statement]:
    """Over a map's keys, or its keys and values."""
    counter, target, entries = wanted
    names: list[str] = []
    if not isinstance(of.type, Map):
        return []
    if isinstance(of.type.value, Map):
        body.error(
            "CV307", node.iter, "this map holds maps: it has no entries of its own", "loop over one of those in it"
        )
        _blind(body, node, block)
        return []
    start = root(of)
    if isinstance(start, tree.FieldPlace) and start.field.kind is Kind.TRANSIENT:
        body.error("CV222", node.iter, "what is Transient has no order to go through", "keep the keys in a List")
        _blind(body, node, block)
        return []
    index = _given(body, counter, U64, names)
    value, before = None, list[tree.Statement]()
    key_type = of.type.key
    if entries:
        if not isinstance(target, ast.Tuple) or len(target.elts) != 2:
            help_ = "write for k, v in m.items(), with enumerate for i, (k, v)"
            body.error("CV222", target, "items() gives two values", help_)
            _blind(body, node, block)
            return []
        key = _given(body, target.elts[0], key_type, names)
        value = _given(body, target.elts[1], of.type.value, names)
    elif isinstance(target, ast.Tuple):
        key, before = _apart(body, target, key_type, names)
    else:
        key = _given(body, target, key_type, names)
    _bounded(body, node, "map")
    inner = _inside(body, node, block, names)
    if key is None or (entries and value is None) or (counter is not None and index is None):
        return []
    return [tree.ForMap(index, key, value, of, (*before, *inner), body.span(node))]


def _bounded(body: Body, node: ast.For, what: str) -> None:
    """Warn of a loop whose length others decide, if nothing in it can end it."""
    if not any(isinstance(part, ast.Break | ast.Return) for part in ast.walk(node)):
        body.warning(
            "CV901",
            node.iter,
            f"this loop goes over a {what} that may grow until no block has the gas for it",
            "end it by break after a number of steps, and go on in another call",
        )
