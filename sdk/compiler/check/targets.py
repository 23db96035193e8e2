"""What may be written: places on the left of `=`, of `op=`, of `.append()` and behind `del`.

Source: docs/language.md, "Fields", "Statements": assignment. Never: the flow of immutables (`initialise`), or effects.
"""

from __future__ import annotations

import ast

from sdk.compiler import tree
from sdk.compiler.check.aliases import looped, root
from sdk.compiler.check.body import Body, Node
from sdk.compiler.symbols import Kind


def writable(body: Body, place: tree.Place, node: Node) -> bool:
    """Whether a place that exists may be changed. Says why not."""
    start = root(place)
    match start:
        case tree.ValuePlace():
            body.error("CV216", node, "this would be changed and forgotten", "keep it in a variable first")
            return False
        case tree.LocalPlace(local) if looped(body, local):
            body.error(
                "CV216",
                node,
                f"{local.name} is a loop's: it is only read",
                "write to xs[i] with for i in range(len(xs)), or take a copy: x = item.copy()"
                if place is not start
                else "use a variable of your own",
            )
            return False
        case tree.FieldPlace(field) if field.kind is Kind.IMMUTABLE:
            if place is not start:
                body.error(
                    "CV303", node, f"{field.name} is immutable: its parts are not assigned", "assign the whole once"
                )
                return False
            if not body.constructor:
                body.error(
                    "CV303",
                    node,
                    f"{field.name} is immutable: it is assigned in __init__ alone",
                    f"write {field.name}: {field.type} to have a field that changes",
                )
                return False
    return True


def constant_target(body: Body, node: ast.expr) -> bool:
    """Whether a constant stands where something is assigned: said."""
    if isinstance(node, ast.Attribute) and body.is_self(node.value):
        declared = body.whole.storage(node.attr)
        if declared is not None and declared.symbol is not None and declared.symbol.kind is Kind.CONST:
            body.error("CV216", node, f"{node.attr} is a constant", "leave Const out to have a field in storage")
            return True
        if declared is None and node.attr in ("address", "balance"):
            body.error(
                "CV216",
                node,
                f"self.{node.attr} is read only",
                "it is a fact of the chain: keep what changes in a field of your own",
            )
            return True
    return False
