"""Reads a storage place once where its value is known: repeated loads, loads behind stores, `x += 1` before a load.

One walk in order of running finds groups of loads that see one value; then each group of two or more becomes a
variable, assigned where the first of them stood, or where the value was stored. What may be skipped is no
first load, nor is one that would then revert before something else does. Source: `known`.
Never: loads what would not be loaded, or in another order than a revert could tell.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import field
from typing import Any

from contractvm.dataclass import dataclass
from sdk.compiler import tree
from sdk.compiler.check.effects import field_of, written
from sdk.compiler.check.walk import Node, below, parts
from sdk.compiler.optimise.known import Changes, Key, changes_of, disjoint, key_of, mergeable, opens
from sdk.compiler.optimise.rewrite import Block, rebuilt, with_blocks
from sdk.compiler.symbols import Kind, Span
from sdk.compiler.types import Type

Read = tree.Load | tree.Length
PLACES = (tree.FieldPlace, tree.EntryPlace, tree.IndexPlace, tree.MemberPlace, tree.LocalPlace, tree.ValuePlace)
MOST = 64
"""Variables that merging makes in one function: the chain bounds a function's locals."""
ENDS = (tree.Return, tree.Revert, tree.Fail, tree.Break, tree.Continue)


@dataclass(slots=True, eq=False)
class Group:
    """Loads that see one value. `value`: the variable or constant that has it anyway; else `local` will."""

    key: Key
    place: tree.Place
    type: Type
    value: tree.Expression | None = None
    local: tree.Local | None = None
    first: Read | None = None
    """The load that the variable is assigned from; None where it is what was stored."""
    uses: int = 0

    def merged(self) -> bool:
        """Whether it is worth a variable."""
        return self.uses > (1 if self.first is not None else 0)

    def given(self, span: Span) -> tree.Expression:
        """The value, from the variable."""
        if self.value is not None:
            return self.value
        if self.local is None:
            self.local = tree.Local("", self.type)
        return tree.Load(tree.LocalPlace(self.local, self.type, span), self.type, span)


@dataclass(slots=True)
class Plan:
    """What the walk found, by identity of nodes."""

    reads: dict[int, Group] = field(default_factory=dict)
    stores: dict[int, Group] = field(default_factory=dict)
    before: dict[int, list[Group]] = field(default_factory=dict)


class Finder:
    """The walk through one function. `known`: the groups that hold here, by path."""

    def __init__(self, function: tree.Function, changes: Mapping[tree.Function, Changes]) -> None:
        self.changes = changes
        self.plan = Plan()
        self.known: dict[object, Group] = {}
        self.blocked = Changes()
        """What the loop changes whose test is being walked."""
        self.statement: tree.Statement | None = None
        self.clean = True
        self.since = Changes()
        """What the statement has changed up to here: a load behind that cannot stand before the statement."""
        counted: Counter[tree.Local] = Counter(function.parameters)
        for node in below(function.body):
            for place in written(node):
                if isinstance(place, tree.LocalPlace):
                    counted[place.local] += 1
            if isinstance(node, tree.ForRange | tree.ForEach | tree.ForMap):
                for name in ("local", "index", "item", "key", "value"):
                    local = getattr(node, name, None)
                    if local is not None:
                        counted[local] += 2
        self.assigned = counted

    def block(self, body: Block) -> bool:
        """Walk statements; whether what is behind them is reached."""
        for node in body:
            self.one(node)
            if isinstance(node, ENDS):
                return False
        return True

    def one(self, node: tree.Statement) -> None:
        self.statement, self.clean, self.since = node, True, Changes()
        match node:
            case tree.If(test, body, otherwise):
                self.value(test, False)
                self.branches(body, otherwise)
            case tree.While(test, body):
                self.loop(body, [test], [])
            case tree.ForRange(_, start, stop, _, body):
                self.loop(body, [], [start, stop])
            case tree.ForEach(_, _, of, body) | tree.ForMap(_, _, _, of, body):
                if isinstance(of, PLACES):
                    self.keys(of)
                else:
                    self.value(of, False)
                self.loop(body, [], [])
            case tree.Assert(test, reason):
                self.value(test, False)
                if reason is not None:
                    self.value(reason, True)
            case tree.Assign(place, value):
                self.value(value, False)
                self.keys(place)
                self.wrote(place)
                self.stored(node, place, value)
            case tree.Augment(_, place, value):
                self.keys(place)
                self.read(node, place, place.type, False)
                self.value(value, False)
                self.wrote(place)
                self.stored(node, place, None)
            case _:
                for part in self.ordered(node):
                    self.value(part, False)
                for place in written(node):
                    self.wrote(place)

    def branches(self, then: Block, otherwise: Block) -> None:
        before = dict(self.known)
        first = self.block(then)
        after_then, self.known = self.known, before
        if not self.block(otherwise):
            self.known = after_then if first else {}
        elif first:
            self.known = {path: group for path, group in self.known.items() if after_then.get(path) is group}

    def loop(self, body: Block, tests: list[Node], once: list[Node]) -> None:
        """What runs once before the loop, what runs before each step, and the body."""
        for node in once:
            self.value(node, False)
        outer = self.blocked
        changes = changes_of([*tests, *body, *([self.statement] if not tests and self.statement else [])], self.changes)
        self.forget(changes)
        self.blocked = Changes(changes.fields | outer.fields, changes.locals | outer.locals, changes.all or outer.all)
        for test in tests:
            self.value(test, False)
        self.blocked = outer
        before = dict(self.known)
        self.block(body)
        self.known = {path: group for path, group in before.items() if path in before}

    def value(self, node: Node, skipped: bool) -> None:
        """Walk an expression; `skipped`: it may not run."""
        match node:
            case tree.Logical(_, left, right):
                self.value(left, skipped)
                self.value(right, True)
            case tree.Conditional(test, then, otherwise):
                self.value(test, skipped)
                self.value(then, True)
                self.value(otherwise, True)
            case tree.Chain(first, rest):
                self.value(first, skipped)
                for position, (_, other) in enumerate(rest):
                    self.value(other, skipped or position > 0)
            case tree.Load(place, type_):
                self.keys(place, skipped)
                self.read(node, place, type_, skipped)
            case tree.Length(place, type_) if field_of(place) is not None:
                self.keys(place, skipped)
                self.read(node, place, type_, skipped)
            case _:
                for part in self.ordered(node):
                    self.value(part, skipped)
                self.ran(node)

    def ordered(self, node: Node) -> Iterable[Node]:
        """The parts of a node as they are evaluated."""
        order = getattr(node, "order", None)
        if order is None:
            return parts(node)
        given: Any = getattr(node, "arguments", None) or getattr(node, "items", ())
        return [given[position] for position in order]

    def keys(self, place: Node, skipped: bool = False) -> None:
        """Walk what a place is found by."""
        for part in parts(place):
            if isinstance(part, PLACES):
                self.keys(part, skipped)
            else:
                self.value(part, skipped)

    def ran(self, node: Node) -> None:
        """What evaluating a node itself does."""
        if not isinstance(node, tree.Constant | tree.LocalPlace) and not (
            isinstance(node, tree.Builtin) and not node.arguments
        ):
            self.clean = False
        for place in written(node):
            self.wrote(place)
        if isinstance(node, tree.Call):
            self.forget(self.changes.get(node.function, Changes(all=True)))
        elif opens(node):
            self.forget(Changes(all=True))

    def read(self, node: Read | tree.Augment, place: tree.Place | tree.Expression, type_: Type, skipped: bool) -> None:
        """A load: of a known value, or the first of its kind."""
        key = key_of(place)
        if isinstance(place, tree.LocalPlace):
            return
        clean, self.clean = self.clean, False
        if key is None or not mergeable(type_) or field_of(place) is None or self._blocked(key):
            return
        if isinstance(node, tree.Length):
            key = key.with_("length")
        group = self.known.get(key.path)
        if group is not None:
            group.uses += 1
            self.plan.reads[id(node)] = group
        elif not skipped and (clean or not key.may_panic) and not _hits(self.since, key):
            self.first(node, key, place, type_)

    def first(self, node: Read | tree.Augment, key: Key, place: tree.Place | tree.Expression, type_: Type) -> None:
        """Begin a group with a load."""
        if isinstance(node, tree.Augment):
            node_read = tree.Load(place, type_, node.span)  # type: ignore[arg-type]
        else:
            node_read = node  # type: ignore[assignment]
        # the test of a loop runs again and again, and its value does not change
        group = Group(key, place, type_, first=node_read, uses=2 if isinstance(self.statement, tree.While) else 1)  # type: ignore[arg-type]
        self.known[key.path] = group
        match self.statement:
            case tree.Assign(tree.LocalPlace(local) as goal, value) if value is node and self.assigned[local] == 1:
                group.value = tree.Load(goal, type_, node.span)
            case statement:
                self.plan.reads[id(node)] = group
                self.plan.before.setdefault(id(statement), []).append(group)

    def stored(self, node: tree.Assign | tree.Augment, place: tree.Place, value: tree.Expression | None) -> None:
        """A store, behind which the place's value is known."""
        key = key_of(place)
        one = field_of(place)
        if key is None or one is None or one.kind is Kind.IMMUTABLE or not mergeable(place.type) or self._blocked(key):
            return
        if one in key.fields and _inside(key, one):
            return
        group = Group(key, place, place.type)
        match value:
            case tree.Constant():
                group.value = value
            case tree.Load(tree.LocalPlace(local)) if self.assigned[local] <= 1:
                group.value = value
        self.known[key.path] = group
        self.plan.stores[id(node)] = group

    def wrote(self, place: tree.Place) -> None:
        """Forget what a write may change."""
        if isinstance(place, tree.LocalPlace):
            self.forget(Changes(locals={place.local}))
            return
        one, key = field_of(place), key_of(place)
        if one is None:
            return
        self.since.fields.add(one)
        self.known = {
            path: group
            for path, group in self.known.items()
            if one not in group.key.fields or (key is not None and disjoint(group.key, key))
        }

    def forget(self, changes: Changes) -> None:
        self.since.add(changes)
        self.since.locals |= changes.locals
        self.known = {path: group for path, group in self.known.items() if not _hits(changes, group.key)}

    def _blocked(self, key: Key) -> bool:
        """Whether the loop whose test this is changes it."""
        return _hits(self.blocked, key)


def _hits(changes: Changes, key: Key) -> bool:
    return changes.all or bool(changes.fields & key.fields or changes.locals & key.locals)


def _inside(key: Key, one: object) -> bool:
    """Whether a place is found by a value of the very field that it is in: a write to it moves it."""
    text: list[object] = [key.path]
    count = 0
    while text:
        path = text.pop()
        if isinstance(path, tuple):
            count += path[:1] == ("field",) and path[1] is one
            text.extend(path)
    return count > 1


def merge_loads(function: tree.Function, changes: Mapping[tree.Function, Changes]) -> None:
    """Give a function a body in which known values are not loaded again."""
    finder = Finder(function, changes)
    finder.block(tuple(function.body))
    plan = finder.plan
    groups = dict.fromkeys([*plan.reads.values(), *plan.stores.values()])
    kept = [group for group in groups if group.merged() and group.value is None]
    for group in kept[MOST:]:
        group.uses = 0
    if any(group.merged() for group in groups):
        function.body = list(_block(tuple(function.body), plan))


def _block(body: Block, plan: Plan) -> Block:
    made: list[tree.Statement] = []
    for node in body:
        for group in plan.before.get(id(node), ()):
            if group.merged() and group.first is not None:
                inner = rebuilt(group.first, lambda part: _value(part, plan))
                made.append(_kept(group, inner))
        made.extend(_statement(node, plan))
    return tuple(made)


def _kept(group: Group, value: tree.Expression) -> tree.Statement:
    given = group.given(value.span)
    if not isinstance(given, tree.Load) or not isinstance(given.place, tree.LocalPlace):
        raise ValueError("a group that is assigned has a variable")
    return tree.Assign(given.place, value, value.span)


def _statement(node: tree.Statement, plan: Plan) -> Iterable[tree.Statement]:
    """A statement with its loads replaced; a store whose value is read later gives it to a variable first."""
    store = plan.stores.get(id(node))
    wanted = store is not None and store.merged()
    if isinstance(node, tree.Augment):
        read = plan.reads.get(id(node))
        if (read is not None and read.merged()) or (store is not None and wanted):
            return _augmented(node, read, store if wanted else None, plan)
    if isinstance(node, tree.Assign) and store is not None and wanted and store.value is None:
        place, value = _part(node.place, plan), _value(node.value, plan)
        return [_kept(store, value), tree.Assign(place, store.given(node.span), node.span)]
    made = rebuilt(node, lambda part: part if _is_statement(part) else _value(part, plan))
    return [with_blocks(made, lambda inner: _block(inner, plan))]


def _augmented(node: tree.Augment, read: Group | None, store: Group | None, plan: Plan) -> Iterable[tree.Statement]:
    """`place op= value` as a load, or the known value, an operation, and a store."""
    place, span = _part(node.place, plan), node.span
    left: tree.Expression = tree.Load(place, place.type, span)
    if read is not None and read.merged():
        left = read.given(span)
    value: tree.Expression = tree.Binary(node.op, left, _value(node.value, plan), node.checked, place.type, span)
    if store is None:
        return [tree.Assign(place, value, span)]
    return [_kept(store, value), tree.Assign(place, store.given(span), span)]


def _is_statement(node: Node) -> bool:
    return isinstance(node, tree.Statement)


def _part(place: tree.Place, plan: Plan) -> tree.Place:
    return rebuilt(place, lambda part: _value(part, plan))


def _value(node: Node, plan: Plan) -> Any:
    """An expression or a place with its loads replaced."""
    group = plan.reads.get(id(node))
    if group is not None and group.merged():
        return group.given(node.span)
    return rebuilt(node, lambda part: _value(part, plan))
