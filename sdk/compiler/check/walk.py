"""Going through the typed tree: the parts of a node in order of evaluation, and everything below it.

Source: `sdk.compiler.tree`. Never: changes a node.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator
from functools import cache
from typing import TypeAlias, cast

from sdk.compiler import tree

Node: TypeAlias = tree.Statement | tree.Expression | tree.Place


@cache
def _names(kind: type) -> tuple[str, ...]:
    """The fields of a node that can hold nodes."""
    skipped = {"type", "span", "local", "field", "function", "event", "error", "op", "checked", "order", "name"}
    return tuple(field.name for field in dataclasses.fields(kind) if field.name not in skipped)


def parts(node: Node) -> Iterator[Node]:
    """The nodes right below one."""
    for name in _names(cast(type, type(node))):
        yield from _nodes(getattr(node, name))


def _nodes(value: object) -> Iterator[Node]:
    if isinstance(value, tuple):
        for item in value:
            yield from _nodes(item)
    elif type(value).__module__ == tree.__name__ and not isinstance(value, tree.Local | tree.Function):
        yield value  # type: ignore[misc]


def below(nodes: Iterable[Node]) -> Iterator[Node]:
    """These nodes and everything below them, a node before its parts."""
    stack = [iter(nodes)]
    while stack:
        for node in stack[-1]:
            yield node
            stack.append(parts(node))
            break
        else:
            stack.pop()
