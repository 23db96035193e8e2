"""Which storage places are the same, and what may change them: the facts behind merging loads.

A place has a key if its own keys and indices are constants, variables, facts of the call, or such places. Two places
with one key are one place as long as no variable in the key and no field in it is written between them.
Source: docs/language.md, "Map", "Other contracts": without `reentry=True` nobody enters this contract while it waits.
Never: looks at memory.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping
from dataclasses import field

from contractvm.dataclass import dataclass
from sdk.compiler import tree
from sdk.compiler.check.aliases import carries
from sdk.compiler.check.effects import field_of, written
from sdk.compiler.check.walk import Node, below
from sdk.compiler.symbols import Field
from sdk.compiler.types import Map, Type

CHANGING = frozenset({"msg.gas", "self.balance", "msg.data"})


@dataclass(frozen=True, slots=True)
class Key:
    """What a place is called: `path` is equal for equal places."""

    path: Hashable
    locals: frozenset[tree.Local]
    fields: frozenset[Field]
    may_panic: bool = False

    def with_(self, tag: str, *parts: object, other: Key | None = None, panics: bool = False) -> Key:
        more = other if other is not None else Key(None, frozenset(), frozenset())
        return Key(
            (tag, self.path, *parts, more.path),
            self.locals | more.locals,
            self.fields | more.fields,
            self.may_panic or more.may_panic or panics,
        )


def key_of(place: tree.Place | tree.Expression) -> Key | None:
    """The key of a place in storage, None where it has none."""
    match place:
        case tree.FieldPlace(one):
            return Key(("field", one), frozenset(), frozenset({one}))
        case tree.EntryPlace(base, key):
            inner, value = key_of(base), key_of_value(key)
            return None if inner is None or value is None else inner.with_("entry", other=value)
        case tree.IndexPlace(base, index):
            inner, value = key_of(base), key_of_value(index)
            return None if inner is None or value is None else inner.with_("index", other=value, panics=True)
        case tree.MemberPlace(base, index):
            inner = key_of(base)
            return None if inner is None else inner.with_("member", index)
    return None


def key_of_value(value: tree.Expression) -> Key | None:
    """The key of a value that costs nothing to name."""
    nothing: frozenset[tree.Local] = frozenset()
    match value:
        case tree.Constant(inner, type_):
            return Key(("constant", inner, type_), nothing, frozenset())
        case tree.Load(tree.LocalPlace(local)):
            return Key(("local", local), frozenset({local}), frozenset())
        case tree.Load(place):
            return key_of(place)
        case tree.Builtin(name, ()) if name not in CHANGING:
            return Key(("fact", name), nothing, frozenset())
        case tree.Convert(inner, checked, type_):
            known = key_of_value(inner)
            return None if known is None else known.with_("convert", type_, checked, panics=checked)
    return None


def disjoint(one: Key, other: Key) -> bool:
    """Whether two places surely share nothing: members of one struct, entries under different constants."""
    match one.path, other.path:
        case ("member", base, index, None), ("member", back, position, None):
            return base == back and index != position
        case (("entry", base, ("constant", *key)), ("entry", back, ("constant", *name))):
            return base == back and key != name
    return False


@dataclass(slots=True)
class Changes:
    """What a piece of code may write. `all`: anything in storage."""

    fields: set[Field] = field(default_factory=set)
    locals: set[tree.Local] = field(default_factory=set)
    all: bool = False

    def add(self, other: Changes) -> bool:
        """Take in the storage part of another's; whether that was anything new."""
        before = (len(self.fields), self.all)
        self.fields |= other.fields
        self.all = self.all or other.all
        return before != (len(self.fields), self.all)


def changes_of(nodes: Iterable[Node], known: Mapping[tree.Function, Changes]) -> Changes:
    """What statements may write, with the functions that they call."""
    made = Changes()
    for node in below(nodes):
        for place in written(node):
            changed = field_of(place)
            if changed is not None:
                made.fields.add(changed)
            elif isinstance(place, tree.LocalPlace):
                made.locals.add(place.local)
        match node:
            case tree.Call(function):
                made.add(known.get(function, Changes(all=True)))
            case tree.ForRange(local):
                made.locals.add(local)
            case tree.ForEach(index, item):
                made.locals.update(local for local in (index, item) if local is not None)
            case tree.ForMap(index, key, value):
                made.locals.update(local for local in (index, key, value) if local is not None)
            case _ if opens(node):
                made.all = True
    return made


def opens(node: Node) -> bool:
    """Whether others may write this contract's storage while a node runs."""
    match node:
        case tree.CallRemote(reentry=reentry) | tree.RawCall(reentry=reentry):
            return reentry or (isinstance(node, tree.RawCall) and node.kind == "delegate")
        case tree.Create():
            return True
    return False


def all_changes(functions: Iterable[tree.Function]) -> dict[tree.Function, Changes]:
    """Of each function, with what it calls."""
    functions = list(functions)
    known = {function: Changes() for function in functions}
    again = True
    while again:
        again = False
        for function in functions:
            again = known[function].add(changes_of(function.body, known)) or again
    return known


def mergeable(type_: Type) -> bool:
    """Whether values of a type can be kept in a variable without being shared."""
    return not carries(type_) and not isinstance(type_, Map)
