"""Leaves out copies that nobody can tell from the thing itself.

What is read from storage is a copy already; what is stored is written out; comparisons, the ABI and `len` only read;
and what a function gives to the ABI alone is read once.
Source: docs/language.md, "No hidden alias". Never: lets two places in memory hold one thing.
"""

from __future__ import annotations

from collections.abc import Iterable

from sdk.compiler import tree
from sdk.compiler.check.aliases import root
from sdk.compiler.check.walk import below
from sdk.compiler.optimise.rewrite import Block, Node, bottom_up, rebuilt


def without_copies(body: Block, *, returned: bool) -> Block:
    """Statements with fewer copies; `returned`: what they return goes to the ABI alone."""

    def rule(node: Node) -> Node:
        node = _rule(node)
        if returned and isinstance(node, tree.Return) and not calls(node):
            return rebuilt(node, _bare_deep)
        return node

    return tuple(bottom_up(node, rule) for node in body)


def _rule(node: Node) -> Node:
    match node:
        case tree.Copy(tree.Load(place)) if isinstance(root(place), tree.FieldPlace):
            return node.value
        case tree.Copy(tree.Copy() | tree.MakeStruct() | tree.Call() | tree.Decode() | tree.Default() as inner):
            return inner
        case tree.Assign(place) | tree.Append(place) if isinstance(root(place), tree.FieldPlace) and not calls(place):
            return _last(node)
        case (
            tree.Emit()
            | tree.Revert()
            | tree.Encode()
            | tree.Compare()
            | tree.CallRemote()
            | tree.Create()
            | tree.Length()
            | tree.Contains()
        ):
            return node if calls(node) else rebuilt(node, _bare_deep)
    return node


def calls(node: Node) -> bool:
    """Whether a function runs in it, which could change what was copied before it is read."""
    return any(isinstance(part, tree.Call) for part in below([node]))


def _last(node: tree.Assign | tree.Append) -> Node:
    value = _bare_deep(node.value)
    if value is node.value:
        return node
    if isinstance(node, tree.Assign):
        return tree.Assign(node.place, value, node.span)  # type: ignore[arg-type]
    return tree.Append(node.place, value, node.span)  # type: ignore[arg-type]


def _bare_deep(node: Node) -> Node:
    """A value without copies on top, and in what it is put together from."""
    match node:
        case tree.Copy(inner):
            return _bare_deep(inner)
        case tree.MakeTuple() | tree.MakeStruct() | tree.MakeList():
            return rebuilt(node, _bare_deep)
    return node


def called(functions: Iterable[tree.Function]) -> set[tree.Function]:
    """The functions that others call from within."""
    return {node.function for one in functions for node in below(one.body) if isinstance(node, tree.Call)}
