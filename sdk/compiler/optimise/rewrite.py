"""Builds trees anew: a node with its parts replaced, bottom up; statements by statements.

Source: `sdk.compiler.tree`. Never: changes a node in place, but for a function's body; knows a rule.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from functools import cache
from typing import TypeAlias, TypeVar, cast

from sdk.compiler import tree

Node: TypeAlias = tree.Statement | tree.Expression | tree.Place
N = TypeVar("N")

SKIPPED = frozenset({"type", "span", "local", "field", "function", "event", "error", "op", "checked", "order", "name"})


@cache
def _names(kind: type) -> tuple[tuple[str, bool], ...]:
    """Every field of a node, and whether it can hold nodes."""
    return tuple((field.name, field.name not in SKIPPED) for field in dataclasses.fields(kind))


def is_node(value: object) -> bool:
    return type(value).__module__ == tree.__name__ and not isinstance(value, tree.Local | tree.Function)


def rebuilt(node: N, change: Callable[[Node], Node]) -> N:
    """The node with `change` of each part; itself where no part changed."""
    given: list[object] = []
    same = True
    for name, inner in _names(cast(type, type(node))):
        before = getattr(node, name)
        after = _changed(before, change) if inner else before
        same = same and after is before
        given.append(after)
    return node if same else type(node)(*given)


def _changed(value: object, change: Callable[[Node], Node]) -> object:
    if isinstance(value, tuple):
        made = tuple(_changed(item, change) for item in value)
        return value if all(a is b for a, b in zip(made, value, strict=True)) else made
    return change(cast(Node, value)) if is_node(value) else value


def bottom_up(node: N, rule: Callable[[Node], Node]) -> N:
    """The node with a rule applied to everything in it, parts first."""

    def change(part: Node) -> Node:
        return rule(rebuilt(part, change))

    return cast(N, change(cast(Node, node)))


Block: TypeAlias = tuple[tree.Statement, ...]


def with_blocks(node: tree.Statement, change: Callable[[Block], Block]) -> tree.Statement:
    """A statement with each block in it changed."""
    match node:
        case tree.If(test, body, otherwise, span):
            return tree.If(test, change(body), change(otherwise), span)
        case tree.While(test, body, span):
            return tree.While(test, change(body), span)
        case tree.ForRange(local, start, stop, step, body, span):
            return tree.ForRange(local, start, stop, step, change(body), span)
        case tree.ForEach(index, item, of, body, span):
            return tree.ForEach(index, item, of, change(body), span)
        case tree.ForMap(index, key, value, of, body, span):
            return tree.ForMap(index, key, value, of, change(body), span)
    return node
