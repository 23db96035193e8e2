"""Constructors: each immutable is assigned once on every way through, read behind that, and each base's `__init__` is
called once.

Goes through the constructor's tree in order of running, into the bases' constructors where they are called.
Source: docs/language.md, "Fields", "Inheritance". Never: runs code.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping

from contractvm.dataclass import dataclass
from sdk.compiler import tree
from sdk.compiler.check.effects import Effects
from sdk.compiler.check.walk import Node, parts
from sdk.compiler.check.whole import Whole
from sdk.compiler.diagnostics import Reporter
from sdk.compiler.front.declared import ContractDecl, FunctionDecl
from sdk.compiler.symbols import Field, Kind, Span


@dataclass(frozen=True, slots=True)
class State:
    """The immutables that surely, and that perhaps have a value; `live`: whether this point is reached."""

    surely: frozenset[Field] = frozenset()
    perhaps: frozenset[Field] = frozenset()
    live: bool = True

    def with_(self, one: Field) -> State:
        return State(self.surely | {one}, self.perhaps | {one}, self.live)

    def or_(self, other: State) -> State:
        if not (self.live and other.live):
            return self if self.live else other
        return State(self.surely & other.surely, self.perhaps | other.perhaps)


@dataclass(slots=True)
class Flow:
    """One walk. `ends`: the states at each return of the constructor that is being walked."""

    constructors: frozenset[tree.Function]
    known: Mapping[tree.Function, Effects]
    reporter: Reporter
    looping: int = 0

    def run(self, function: tree.Function, state: State) -> State:
        """The state behind a constructor. Returns within it count as its end."""
        ends: list[State] = []
        state = self.block(function.body, state, ends)
        for end in ends:
            state = state.or_(end)
        return state

    def block(self, statements: Iterable[tree.Statement], state: State, ends: list[State]) -> State:
        for statement in statements:
            state = self.statement(statement, state, ends)
        return state

    def statement(self, node: tree.Statement, state: State, ends: list[State]) -> State:
        dead = State(live=False)
        match node:
            case tree.If(test, body, otherwise):
                state = self.value(test, state)
                return self.block(body, state, ends).or_(self.block(otherwise, state, ends))
            case tree.While(test, body):
                return self.loop([test], body, state, ends)
            case tree.ForRange(_, start, stop, _, body):
                return self.loop([start, stop], body, state, ends)
            case tree.ForEach(_, _, of, body) | tree.ForMap(_, _, _, of, body):
                return self.loop([of], body, state, ends)
            case tree.Return():
                ends.append(state)
                return dead
            case tree.Break() | tree.Continue():
                return dead
            case tree.Assign(tree.FieldPlace(one), value, span) if one.kind is Kind.IMMUTABLE:
                return self.assigned(one, span, self.value(value, state))
            case tree.Unpack(places, value, span):
                state = self.value(value, state)
                for place in places:
                    if isinstance(place, tree.FieldPlace) and place.field.kind is Kind.IMMUTABLE:
                        state = self.assigned(place.field, span, state)
                return state
        for part in parts(node):
            state = self.value(part, state)
        return dead if isinstance(node, tree.Revert | tree.Fail) else state

    def loop(self, heads: Iterable[Node], body: Iterable[tree.Statement], state: State, ends: list[State]) -> State:
        for head in heads:
            state = self.value(head, state)
        self.looping += 1
        inside = self.block(body, state, ends)
        self.looping -= 1
        return State(state.surely, state.perhaps | inside.perhaps)

    def value(self, node: Node, state: State) -> State:
        """What evaluating an expression or a place does."""
        if isinstance(node, tree.FieldPlace):
            self.read(node.field, node.span, state)
        for part in parts(node):
            state = self.value(part, state)
        if isinstance(node, tree.Call):
            if node.function in self.constructors:
                return self.run(node.function, state)
            effects = self.known.get(node.function)
            for one in effects.reads if effects is not None else ():
                self.read(one, node.span, state, f"{node.function.name} reads ")
        return state

    def assigned(self, one: Field, span: Span, state: State) -> State:
        if one in state.perhaps or self.looping:
            message = f"{one.name} is immutable and may be assigned twice"
            self.reporter.error("CV303", span, message, "assign it once, outside of loops")
        return state.with_(one)

    def read(self, one: Field, span: Span, state: State, what: str = "") -> None:
        if one.kind is Kind.IMMUTABLE and one not in state.surely and state.live:
            message = f"{what}{one.name} before it has its value"
            self.reporter.error("CV303", span, message, "assign the immutable first")


def check_immutables(
    whole: Whole,
    constructor: tree.Function | None,
    known: Mapping[tree.Function, Effects],
) -> None:
    """Report immutables that are not assigned exactly once."""
    wanted = [
        declared
        for declared in whole.contract.fields.values()
        if declared.symbol is not None and declared.symbol.kind is Kind.IMMUTABLE
    ]
    bases = frozenset(
        function
        for declared, function in whole.functions.items()
        if declared.name == "__init__" and function is not None
    )
    state = State()
    if constructor is not None:
        state = Flow(bases, known, whole.reporter).run(constructor, state)
    for declared in wanted:
        if declared.symbol is not None and declared.symbol not in state.surely and state.live:
            where = "on every way through __init__" if declared.symbol in state.perhaps else "in __init__"
            message = f"{declared.name} is immutable and not assigned {where}"
            whole.reporter.error(
                "CV303", declared.symbol.span, message, f"write self.{declared.name} = ... in __init__"
            )


def check_super(whole: Whole, declared: FunctionDecl, owner: ContractDecl) -> None:
    """Report an `__init__` that does not call the next one exactly once, as a line of its own."""
    calls = [node for node in ast.walk(declared.node) if isinstance(node, ast.Call) and _is_super_init(node)]
    lines = [node.value for node in declared.node.body if isinstance(node, ast.Expr)]
    following = whole.contract.method_after(owner, "__init__")
    if following is None:
        return
    report, span = whole.reporter.error, owner.module.span
    if not calls:
        help_ = f"write super().__init__({', '.join(p.name for p in following.parameters)})"
        message = f"{following.owner.name if following.owner else 'the base'}.__init__ is never called"
        report("CV304", declared.span, message, help_)
    for call in calls[1:]:
        report("CV304", span(call), "super().__init__ is called twice", "call it once")
    for call in calls[:1]:
        if call not in lines:
            help_ = "call it outside of branches and loops"
            report("CV304", span(call), "super().__init__ is called on every way, as a line of its own", help_)


def _is_super_init(node: ast.Call) -> bool:
    match node:
        case ast.Call(func=ast.Attribute(value=ast.Call(func=ast.Name("super")), attr="__init__")):
            return True
    return False
