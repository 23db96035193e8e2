"""One function's body while it is checked: its variables, what surely has a value, loops, and how errors are said.

Source: docs/language.md, "Statements". Never: knows any single construct; `expressions` and `statements` do.
"""

from __future__ import annotations

import ast
from collections.abc import Callable
from dataclasses import field
from typing import TypeAlias

from contractvm.dataclass import dataclass
from sdk.compiler import tree
from sdk.compiler.check.convertible import convertible
from sdk.compiler.check.whole import Whole
from sdk.compiler.front.annotations import resolve_type
from sdk.compiler.front.declared import ContractDecl, Declaration, LanguageName, Module
from sdk.compiler.symbols import Span
from sdk.compiler.types import NOTHING, Type

Node: TypeAlias = ast.stmt | ast.expr | ast.arg | ast.keyword


@dataclass(slots=True, eq=False)
class Variable:
    """A name in a body. `local` is None where its type is not understood, which has been said."""

    local: tree.Local | None
    owned: bool = True
    """Whether nobody else can hold its value: not so for parameters and for what a loop gives."""
    looped: bool = False
    """Whether a loop gives it: it is only read."""


@dataclass(slots=True)
class Loop:
    """A loop that is being checked; `broken`: what was assigned at each `break`."""

    broken: list[frozenset[str]] = field(default_factory=list)


@dataclass(slots=True)
class Memo:
    """What has been computed of nodes, which are compared by identity."""

    numbers: dict[ast.expr, int | None] = field(default_factory=dict)


class Body:
    """The state of one body. `assigned` holds the variables that surely have a value; `reached` is False behind
    `return`, `raise`, `break` and `continue`."""

    def __init__(
        self,
        whole: Whole,
        module: Module,
        owner: ContractDecl | None,
        function: tree.Function | None,
        dispatch: Callable[[Body, ast.expr, Type | None], tree.Expression | None],
    ) -> None:
        self.whole = whole
        self.module = module
        self.owner = owner
        self.function = function
        self.variables: dict[str, Variable] = {}
        self.stored: frozenset[str] = frozenset()
        """Every name that the body assigns: a variable from its first line on, as in Python."""
        self.past: set[str] = set()
        """Names that loops gave and that are gone."""
        self.assigned: set[str] = set()
        self.reached = True
        self.unchecked = False
        self.constructor = False
        self.within: ContractDecl | None = None
        """The class in whose own body an expression stands, outside of methods: it sees the constants above it."""
        self.loops: list[Loop] = []
        self.memo = Memo()
        self._dispatch = dispatch

    @property
    def checked(self) -> bool:
        return not self.unchecked

    def expression(self, node: ast.expr, hint: Type | None = None) -> tree.Expression | None:
        """The value of an expression; `hint` is the type that literals in it take; `NOTHING` where
        it is not understood, which has been said. None: an error has been said."""
        return self._dispatch(self, node, hint)

    def unhinted(self, node: ast.expr) -> None:
        """Look at an expression whose context is not understood: a literal in it has no type, and that is no news."""
        self.expression(node, NOTHING)

    def typed(self, node: ast.expr, expected: Type) -> tree.Expression | None:
        """The value, of just this type."""
        value = self.expression(node, expected)
        if value is None or value.type == expected:
            return value
        self.mismatch(node, expected, value.type)
        return None

    def mismatch(self, node: Node, expected: Type, found: Type) -> None:
        self.error("CV201", node, f"{expected} is needed here, this is {found}", conversion_help(expected, found))

    def error(self, code: str, node: Node | Span, message: str, help: str) -> None:
        span = node if isinstance(node, Span) else self.module.span(node)
        self.whole.reporter.error(code, span, message, help)

    def warning(self, code: str, node: Node | Span, message: str, help: str) -> None:
        span = node if isinstance(node, Span) else self.module.span(node)
        self.whole.reporter.warning(code, span, message, help)

    def span(self, node: Node) -> Span:
        return self.module.span(node)

    def type(self, node: ast.expr) -> Type | None:
        """What an annotation means; None: said."""
        return resolve_type(node, self.module, self.whole.reporter)

    def declared(self, node: ast.expr) -> Declaration | None:
        """The declaration that a bare name means, if no variable hides it."""
        if isinstance(node, ast.Name) and node.id not in self.variables and node.id not in self.stored:
            return self.module.scope.get(node.id)
        return None

    def language(self, node: ast.expr) -> str | None:
        """The language's name that a bare name means."""
        found = self.declared(node)
        return found.name if isinstance(found, LanguageName) else None

    def is_self(self, node: ast.expr) -> bool:
        return self.owner is not None and isinstance(node, ast.Name) and node.id == "self"

    def end(self) -> None:
        """Nothing behind here runs."""
        self.reached = False

    def snapshot(self) -> tuple[frozenset[str], bool]:
        return frozenset(self.assigned), self.reached

    def restore(self, state: tuple[frozenset[str], bool]) -> None:
        self.assigned, self.reached = set(state[0]), state[1]

    def join(self, *states: tuple[frozenset[str], bool]) -> None:
        """Go on where any of the states that are reached goes on."""
        live = [assigned for assigned, reached in states if reached]
        self.reached = bool(live)
        self.assigned = set(frozenset.intersection(*live)) if live else set(self.variables)


def conversion_help(expected: Type, found: Type) -> str:
    """How to come from one type to another, where there is a way in one step."""
    if convertible(found, expected):
        return f"convert it: {expected}(...)"
    return f"write a value of the type {expected}"
