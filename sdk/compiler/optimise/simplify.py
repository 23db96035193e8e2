"""Leaves out what cannot run or does nothing, and writes operators as cheaper ones that mean the same.

Branches whose test is known, loops that never begin, lines behind a return; `not a < b`, `x // 8` of unsigned numbers,
`x + 0`. Source: docs/language.md, "Integers". Never: drops what may revert or change something.
"""

from __future__ import annotations

from sdk.compiler import tree
from sdk.compiler.optimise.folding import folded
from sdk.compiler.optimise.rewrite import Block, Node, bottom_up, with_blocks
from sdk.compiler.types import U64, Int

OPPOSITE = {"eq": "ne", "ne": "eq", "lt": "ge", "ge": "lt", "gt": "le", "le": "gt"}
ENDS = (tree.Return, tree.Revert, tree.Fail, tree.Break, tree.Continue)


def simplified(body: Block) -> Block:
    """Statements with everything in them folded and made simpler."""
    made: list[tree.Statement] = []
    for node in body:
        for kept in _kept(bottom_up(node, rule)):
            made.append(with_blocks(kept, simplified_again))
            if isinstance(kept, ENDS):
                return tuple(made)
    return tuple(made)


def simplified_again(body: Block) -> Block:
    """A block whose expressions are simple already."""
    made: list[tree.Statement] = []
    for node in body:
        for kept in _kept(node):
            made.append(with_blocks(kept, simplified_again))
            if isinstance(kept, ENDS):
                return tuple(made)
    return tuple(made)


def _kept(node: tree.Statement) -> Block:
    """What is left of a statement."""
    match node:
        case tree.If(tree.Constant(test), body, otherwise):
            return simplified_again(body if test else otherwise)
        case tree.If(test, (), (), span):
            return () if pure(test) else (tree.Discard(test, span),)
        case tree.If(tree.Unary("not", test), body, otherwise, span) if otherwise:
            return (tree.If(test, otherwise, body, span),)
        case tree.While(tree.Constant(False)) | tree.Assert(tree.Constant(True)):
            return ()
        case tree.Discard(value) if pure(value):
            return ()
    return (node,)


def pure(value: Node) -> bool:
    """Whether an expression neither reverts nor changes anything, so that it need not run."""
    match value:
        case tree.Constant() | tree.Default() | tree.Load(tree.LocalPlace() | tree.FieldPlace()):
            return True
        case tree.Compare(_, left, right) | tree.Logical(_, left, right):
            return pure(left) and pure(right)
        case tree.Unary(_, inner, checked) | tree.Convert(inner, checked):
            return pure(inner) and (not checked or (isinstance(value, tree.Unary) and value.op == "not"))
        case tree.Builtin(_, ()):
            return True
        case tree.MakeTuple(items) | tree.MakeStruct(items) | tree.MakeList(items):
            return all(map(pure, items))
    return False


def rule(node: Node) -> Node:
    """One node whose parts are simple already."""
    node = folded(node)
    match node:
        case tree.Unary("not", tree.Compare(op, left, right, type_)):
            return tree.Compare(OPPOSITE[op], left, right, type_, node.span)
        case tree.Unary("not", tree.Unary("not", inner)):
            return inner
        case tree.Binary():
            return _binary(node)
        case tree.Convert(inner) if inner.type == node.type:
            return inner
    return node


def _binary(node: tree.Binary) -> Node:
    """Operators with a constant on one side."""
    op, left, right, type_ = node.op, node.left, node.right, node.type
    if not isinstance(type_, Int):
        return node
    zero_left = isinstance(left, tree.Constant) and left.value == 0
    if op in ("add", "or", "xor") and zero_left:
        return right
    if not isinstance(right, tree.Constant) or not isinstance(right.value, int):
        if op == "mul" and isinstance(left, tree.Constant) and left.value == 1:
            return right
        return node
    value = right.value
    if (value == 0 and op in ("add", "sub", "or", "xor", "shl", "shr")) or (
        value == 1 and op in ("mul", "floordiv", "pow")
    ):
        return left
    power = value.bit_length() - 1
    if not type_.signed and value > 1 and value == 1 << power:
        if op == "floordiv":
            return tree.Binary("shr", left, tree.Constant(power, U64, right.span), False, type_, node.span)
        if op == "mod":
            return tree.Binary("and", left, tree.Constant(value - 1, type_, right.span), False, type_, node.span)
    if op == "pow" and value == 2 and isinstance(left, tree.Load) and isinstance(left.place, tree.LocalPlace):
        return tree.Binary("mul", left, left, node.checked, type_, node.span)
    if op in ("floordiv", "mod") and value not in (0, -1) and node.checked:
        # neither overflow nor a division by zero is left to look for
        return tree.Binary(op, left, right, False, type_, node.span)
    return node
