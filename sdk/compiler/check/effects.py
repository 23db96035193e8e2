"""What functions do to the world, through all that they call: views that write, maps that change while they are looped
over, calls that are not there where nothing may change.

Source: docs/language.md, "Map", "Functions": `@view`. Never: looks at syntax; reads the tree of finished bodies.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import field

from contractvm.dataclass import dataclass
from sdk.compiler import tree
from sdk.compiler.check.aliases import carries, root
from sdk.compiler.check.walk import Node, below
from sdk.compiler.diagnostics import Reporter
from sdk.compiler.symbols import Field, Kind, Span
from sdk.compiler.types import Map

STATE = (Kind.STORAGE, Kind.TRANSIENT)
READ_ONLY_FACTS = frozenset({"msg.data", "msg.sig"})
HASHES = frozenset({"keccak256", "sha256", "ripemd160", "blake2b256"})
SIGNATURES = frozenset({"ecrecover", "secp256k1_verify", "ed25519_verify"})
PURE_BUILTINS = HASHES | SIGNATURES | {"abs", "min", "max", "sum", "pow_mod", "concat"}


@dataclass(slots=True)
class Effects:
    """Of one function. The writes by field, with the first place of each; `outside`: calls out, logs, creations."""

    reads: dict[Field, Span] = field(default_factory=dict)
    writes: dict[Field, Span] = field(default_factory=dict)
    outside: list[tuple[str, Span]] = field(default_factory=list)
    looks: bool = False
    """Whether it reads state or surroundings: it is not pure."""
    calls: dict[tree.Function, Span] = field(default_factory=dict)
    creates: bool = False

    @property
    def changes(self) -> bool:
        return bool(self.writes or self.outside)


def field_of(place: tree.Place | tree.Expression) -> Field | None:
    """The field that a place is in, None for memory."""
    if not isinstance(
        place,
        tree.FieldPlace | tree.EntryPlace | tree.IndexPlace | tree.MemberPlace | tree.LocalPlace | tree.ValuePlace,
    ):
        return None
    start = root(place)
    return start.field if isinstance(start, tree.FieldPlace) else None


def written(node: Node) -> Iterator[tree.Place]:
    """The places that a node itself writes."""
    match node:
        case tree.Assign(place) | tree.Augment(_, place) | tree.Delete(place) | tree.Append(place) | tree.Pop(place):
            yield place
        case tree.Unpack(places):
            yield from (place for place in places if place is not None)


def leaves(node: Node) -> str | None:
    """How a node itself changes the world beside storage, None when it does not."""
    match node:
        case tree.Emit(event):
            return f"emits {event.name}"
        case tree.CallRemote(function=function, static=False):
            return f"calls {function.name}, which is no @view"
        case tree.RawCall(kind="call" | "delegate"):
            return "calls another contract"
        case tree.Send():
            return "sends"
        case tree.Create():
            return "creates a contract"
    return None


def own(nodes: Iterable[Node]) -> Effects:
    """What statements do themselves."""
    made = Effects()
    for node in below(nodes):
        for place in written(node):
            changed = field_of(place)
            if changed is not None and changed.kind in STATE:
                made.writes.setdefault(changed, node.span)
        how = leaves(node)
        if how is not None:
            made.outside.append((how, node.span))
        _looked(node, made)
    return made


def _looked(node: Node, made: Effects) -> None:
    match node:
        case tree.FieldPlace(read, _, span):
            made.reads.setdefault(read, span)
            made.looks = True
        case tree.Call(function):
            made.calls.setdefault(function, node.span)
        case tree.Builtin(name):
            made.looks = made.looks or (name not in PURE_BUILTINS and name not in READ_ONLY_FACTS)
        case tree.CallRemote() | tree.RawCall() | tree.Send() | tree.Create():
            made.looks = True


def all_effects(functions: Iterable[tree.Function]) -> dict[tree.Function, Effects]:
    """Of each function, with what it calls."""
    found = {function: own(function.body) for function in functions}
    changed = True
    while changed:
        changed = False
        for effects in found.values():
            before = (len(effects.writes), len(effects.reads), len(effects.outside), effects.looks)
            for callee, span in effects.calls.items():
                inner = found.get(callee)
                if inner is None:
                    continue
                for one in inner.writes:
                    effects.writes.setdefault(one, span)
                for one in inner.reads:
                    effects.reads.setdefault(one, span)
                if inner.outside and not effects.outside:
                    effects.outside.append((f"calls {callee.name}, which {inner.outside[0][0]}", span))
                effects.looks = effects.looks or inner.looks
            changed = changed or before != (
                len(effects.writes),
                len(effects.reads),
                len(effects.outside),
                effects.looks,
            )
    return found


def check_view(function: tree.Function, effects: Effects, reporter: Reporter) -> None:
    """Report each change that a view makes."""
    by_callee = {span: called.name for called, span in effects.calls.items()}
    for one, span in effects.writes.items():
        through = f"calls {by_callee[span]}, which writes" if span in by_callee else "writes"
        message = f"{function.name} is a @view and {through} {one.name}"
        reporter.error("CV301", span, message, "remove @view, or the write")
    for how, span in effects.outside:
        reporter.error("CV301", span, f"{function.name} is a @view and {how}", "remove @view, or this")


def check_guard(
    function: tree.Function, known: Mapping[tree.Function, Effects], reporter: Reporter, *, may_have_one: bool
) -> None:
    """Report a door without a guard by which others come to a function that has one."""
    seen = {function}
    ahead = [*known[function].calls.items()] if function in known and not function.nonreentrant else []
    for callee, span in ahead:
        if callee.nonreentrant:
            message = f"{function.name} is not @nonreentrant and calls {callee.name}, which is: nothing would guard it"
            first = f"make {function.name} @nonreentrant, or " if may_have_one else ""
            help_ = f"{first}move what both do to a function that is not @external"
            reporter.error("CV305", span, message, help_)
            return
        if callee in known and callee not in seen:
            seen.add(callee)
            ahead += [(deeper, span) for deeper in known[callee].calls]


def check_loops(function: tree.Function, known: Mapping[tree.Function, Effects], reporter: Reporter) -> None:
    """Report what a loop over a field changes of that field."""
    for node in below(function.body):
        match node:
            case tree.ForMap(_, key, _, of, body):
                looped = field_of(of)
                if looped is not None:
                    _check_loop(looped, of, key, body, known, reporter)
            case tree.ForEach(_, item, of, body) if item is not None and carries(item.type):
                looped = field_of(of)
                if looped is not None:
                    _check_loop(looped, of, None, body, known, reporter)


def _check_loop(
    looped: Field,
    of: tree.Place | tree.Expression,
    key: tree.Local | None,
    body: Iterable[tree.Statement],
    known: Mapping[tree.Function, Effects],
    reporter: Reporter,
) -> None:
    what = "map" if isinstance(of.type, Map) else "list"
    help_ = "delete the current key alone, or remember what to do in a List and do it behind the loop"
    if what == "list":
        help_ = "loop over an index: for i in range(len(xs))"
    for node in below(body):
        changed = [place for place in written(node) if field_of(place) is looped]
        if isinstance(node, tree.Delete) and key is not None and _current(node.place, of, key):
            continue
        if changed:
            reporter.error("CV302", node.span, f"{looped.name} is written while a loop goes over this {what}", help_)
        if isinstance(node, tree.Call) and node.function in known and looped in known[node.function].writes:
            message = f"{node.function.name} writes {looped.name} while a loop goes over this {what}"
            reporter.error("CV302", node.span, message, help_)


def _current(place: tree.Place, of: tree.Place | tree.Expression, key: tree.Local) -> bool:
    """Whether a place is the entry that the loop is at."""
    match place:
        case tree.EntryPlace(base, tree.Load(tree.LocalPlace(local))):
            return local is key and same_place(base, of)
    return False


def same_place(one: Node, other: Node) -> bool:
    """Whether two places are written alike, of fields, members, and keys that are constants or variables."""
    match one, other:
        case tree.FieldPlace(first), tree.FieldPlace(second):
            return first is second
        case tree.LocalPlace(here), tree.LocalPlace(there):
            return here is there
        case tree.MemberPlace(base, index), tree.MemberPlace(back, position):
            return index == position and same_place(base, back)
        case (tree.EntryPlace(base, key), tree.EntryPlace(back, name)) | (
            tree.IndexPlace(base, key),
            tree.IndexPlace(back, name),
        ):
            return same_place(base, back) and same_value(key, name)
    return False


def same_value(one: tree.Expression, other: tree.Expression) -> bool:
    """Whether two expressions are alike and simple: constants, facts, variables."""
    match one, other:
        case tree.Constant(first, type_), tree.Constant(second, same):
            return first == second and type_ == same
        case tree.Load(place), tree.Load(where):
            return isinstance(place, tree.LocalPlace) and same_place(place, where)
        case tree.Builtin(name, ()), tree.Builtin(fact, ()):
            return name == fact and name != "msg.gas"
    return False
