"""What a name means while a module is being declared: only what stands above, unless the annotation is quoted.

Python evaluates annotations, bases and defaults when it reads a class, so that a name that is declared further down is
an error there; a quoted annotation may name it, and gets it declared early. Bodies run later and see everything.
Source: The Python Language Reference, "Naming and binding". Never: declares anything itself.
"""

from __future__ import annotations

import ast
from collections.abc import Callable

from sdk.compiler.diagnostics import Reporter
from sdk.compiler.front.declared import Declaration, LanguageName, Module, Unresolved
from sdk.compiler.front.language import INSTEAD, unknown_name
from sdk.compiler.symbols import Span

Definition = ast.ClassDef | ast.FunctionDef | ast.AnnAssign


class Names:
    """The scope of one module as it grows. `later` are definitions that were not reached yet."""

    def __init__(self, module: Module, reporter: Reporter, later: dict[str, Definition]) -> None:
        self.module = module
        self.reporter = reporter
        self.later = later
        self._definitions = dict(later)
        self.open: list[str] = []
        """What is being declared, the innermost last."""
        self.declare: Callable[[str, Definition], None] = lambda name, node: None

    def find(self, node: ast.Name, quoted: bool = False) -> Declaration | None:
        """What a name stands for; None when it stands for nothing, or not yet, which has been reported."""
        name = node.id
        if not quoted:
            self._above(node)
        if name in self.open or name in self.later:
            if name in self.later:
                self.declare(name, self.later.pop(name))
            elif name not in self.module.scope:
                self.recursive(node)
                return None
        found = self.module.scope.get(name)
        if found is None:
            self.unknown(node)
        return found

    def language(self, node: ast.expr) -> str | None:
        """The name of the language that an expression is, None for anything else."""
        found = self.module.scope.get(node.id) if isinstance(node, ast.Name) else None
        return found.name if isinstance(found, LanguageName) else None

    def unresolved(self, node: ast.expr) -> bool:
        """Whether an expression is an attribute of something that an error has been reported about."""
        while isinstance(node, ast.Attribute):
            node = node.value
        return isinstance(node, ast.Name) and isinstance(self.module.scope.get(node.id), Unresolved)

    def in_order(self, value: ast.expr) -> None:
        """Report names in a value that Python evaluates now and that are declared further down."""
        for node in ast.walk(value):
            if isinstance(node, ast.Name):
                self._above(node)

    def _above(self, node: ast.Name) -> None:
        """Report a name whose declaration does not end above."""
        declared = self._definitions.get(node.id)
        if declared is None or (declared.end_lineno or declared.lineno) < node.lineno:
            return
        within = declared.lineno <= node.lineno and isinstance(declared, ast.ClassDef)
        help_ = f'quote it: "{node.id}"' if within else f"declare {node.id} above this line"
        self.error("CV137", node, f"{node.id} is used before it is declared", help_)

    def unknown(self, node: ast.Name) -> None:
        known = [*self.module.scope, *self.later]
        message = f"{node.id} is not in the language" if node.id in INSTEAD else f"{node.id} is not known"
        self.error("CV130", node, message, unknown_name(node.id, known))

    def recursive(self, node: ast.Name) -> None:
        self.error(
            "CV113",
            node,
            f"{node.id} contains itself",
            "a value has a size: keep the others in a Map and refer to them by key",
        )

    def error(self, code: str, node: ast.stmt | ast.expr | ast.arg | ast.keyword | Span, text: str, help: str) -> None:
        """Report something of this module."""
        span = node if isinstance(node, Span) else self.module.span(node)
        self.reporter.error(code, span, text, help)
