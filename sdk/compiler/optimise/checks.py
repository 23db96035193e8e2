"""Leaves out checks that cannot fail: `have - amount` behind `if have < amount: raise`, `i + 1` in a loop over a range.

One walk in order of running, with what tests, assertions, loops and assignments tell (`bounds`).
Source: docs/language.md, "Integers". Never: changes what an operation gives.
"""

from __future__ import annotations

from typing import Any

from sdk.compiler import tree
from sdk.compiler.check.effects import written
from sdk.compiler.check.walk import below
from sdk.compiler.optimise.bounds import Facts, variable
from sdk.compiler.optimise.rewrite import Block, Node, rebuilt
from sdk.compiler.types import Int

ENDS = (tree.Return, tree.Revert, tree.Fail, tree.Break, tree.Continue)


def without_checks(body: Block) -> Block:
    """A function's statements with fewer checks."""
    return _block(body, Facts())[0]


def _block(body: Block, facts: Facts) -> tuple[Block, Facts | None]:
    """(statements, what holds behind them; None where nothing gets there). The facts given are used up."""
    made: list[tree.Statement] = []
    here: Facts | None = facts
    for node in body:
        if here is None:
            break
        statement, here = _statement(node, here)
        made.append(statement)
    return tuple(made), here


def _statement(node: tree.Statement, facts: Facts) -> tuple[tree.Statement, Facts | None]:
    match node:
        case tree.If():
            return _if(node, facts)
        case tree.While(test, body, span):
            facts.forget(_changed(body))
            made = _value(test, facts)
            inside = facts.copy()
            inside.learn(test, True)
            inner = _block(body, inside)[0]
            if not any(isinstance(part, tree.Break) for part in below(body)):
                facts.learn(test, False)
            return tree.While(made, inner, span), facts
        case tree.ForRange():
            return _range(node, facts)
        case tree.ForEach(index, item, of, body, span):
            of = _value(of, facts)
            facts.forget(_changed(body))
            facts.forget(local for local in (index, item) if local is not None)
            return tree.ForEach(index, item, of, _block(body, facts.copy())[0], span), facts
        case tree.ForMap(index, key, value, of, body, span):
            of = _value(of, facts)
            facts.forget(_changed(body))
            facts.forget(local for local in (index, key, value) if local is not None)
            return tree.ForMap(index, key, value, of, _block(body, facts.copy())[0], span), facts
        case tree.Augment():
            return _augment(node, facts), facts
    plain: tree.Statement = rebuilt(node, lambda part: _value(part, facts))
    if isinstance(node, ENDS):
        return plain, None
    match plain:
        case tree.Assert(test):
            facts.learn(test, True)
        case tree.Assign(tree.LocalPlace(local), stored):
            _assigned(local, stored, facts)
        case tree.Unpack(places):
            facts.forget(place.local for place in places if isinstance(place, tree.LocalPlace))
    return plain, facts


def _if(node: tree.If, facts: Facts) -> tuple[tree.Statement, Facts | None]:
    test = _value(node.test, facts)
    then, other = facts.copy(), facts
    then.learn(node.test, True)
    other.learn(node.test, False)
    body, after = _block(node.body, then)
    otherwise, instead = _block(node.otherwise, other)
    if after is None or instead is None:
        return tree.If(test, body, otherwise, node.span), after if instead is None else instead
    return tree.If(test, body, otherwise, node.span), after.both(instead)


def _range(node: tree.ForRange, facts: Facts) -> tuple[tree.Statement, Facts]:
    """In the body the index is between the bounds; their values are those from before the loop."""
    start, stop = _value(node.start, facts), _value(node.stop, facts)
    first, last = facts.range(start), facts.range(stop)
    changed = _changed(node.body)
    facts.forget([*changed, node.local])
    inside = facts.copy()
    if first is not None and last is not None:
        if node.step > 0:
            inside.narrow(node.local, first[0], last[1] - 1)
        else:
            inside.narrow(node.local, last[0] + 1, first[1])
    near, far = (start, stop) if node.step > 0 else (stop, start)
    low, high = variable(near), variable(far)
    if high is not None and high not in changed and high is not node.local:
        inside.order[node.local, high] = node.step > 0
    if low is not None and low not in changed and low is not node.local:
        inside.order[low, node.local] = node.step < 0
    body = _block(node.body, inside)[0]
    return tree.ForRange(node.local, start, stop, node.step, body, node.span), facts


def _changed(body: Block) -> set[tree.Local]:
    """The variables that a loop's body assigns."""
    found: set[tree.Local] = set()
    for node in below(body):
        found.update(place.local for place in written(node) if isinstance(place, tree.LocalPlace))
        if isinstance(node, tree.ForRange | tree.ForEach | tree.ForMap):
            names = [getattr(node, name, None) for name in ("local", "index", "item", "key", "value")]
            found.update(local for local in names if isinstance(local, tree.Local))
    return found


def _assigned(local: tree.Local, value: tree.Expression, facts: Facts) -> None:
    """What is known of a variable that has just got a value."""
    known = facts.range(value)
    facts.forget([local])
    if known is not None:
        facts.narrow(local, *known)
    if isinstance(local.type, Int):
        _related(local, value, facts)


def _related(local: tree.Local, value: tree.Expression, facts: Facts) -> None:
    """How it stands to the variables that the value was made of. What wraps says nothing."""
    match value:
        case tree.Load(tree.LocalPlace(other)) if other is not local:
            facts.order[local, other] = facts.order[other, local] = False
        case tree.Binary("sub" | "floordiv" | "shr", tree.Load(tree.LocalPlace(other)), right) if other is not local:
            exact = value.checked or value.op != "sub"
            if exact and isinstance(local.type, Int) and not local.type.signed and other is not variable(right):
                facts.order[local, other] = False
        case tree.Binary("mod", _, tree.Load(tree.LocalPlace(other))) if other is not local:
            if isinstance(local.type, Int) and not local.type.signed:
                facts.order[local, other] = True
        case tree.Builtin("min", arguments) if len(arguments) > 1:
            for each in map(variable, arguments):
                if each is not None and each is not local:
                    facts.order[local, each] = False
        case tree.Builtin("max", arguments) if len(arguments) > 1:
            for each in map(variable, arguments):
                if each is not None and each is not local:
                    facts.order[each, local] = False


def _augment(node: tree.Augment, facts: Facts) -> tree.Statement:
    place, value = rebuilt(node.place, lambda part: _value(part, facts)), _value(node.value, facts)
    load = tree.Load(place, place.type, node.span)
    checked = node.checked
    if isinstance(place.type, Int):
        as_binary = _unchecked(tree.Binary(node.op, load, value, node.checked, place.type, node.span), facts)
        checked = as_binary.checked
        if isinstance(place, tree.LocalPlace):
            known = facts.range(as_binary)
            facts.forget([place.local])
            if known is not None:
                facts.narrow(place.local, *known)
    return tree.Augment(node.op, place, value, checked, node.span)


def _value(node: Node, facts: Facts) -> Any:
    """An expression with fewer checks; tests in it tell about what follows them there."""
    match node:
        case tree.Logical(op, left, right, type_, span):
            first = _value(left, facts)
            inside = facts.copy()
            inside.learn(left, op == "and")
            return tree.Logical(op, first, _value(right, inside), type_, span)
        case tree.Conditional(test, then, otherwise, type_, span):
            first, yes, no = _value(test, facts), facts.copy(), facts.copy()
            yes.learn(test, True)
            no.learn(test, False)
            return tree.Conditional(first, _value(then, yes), _value(otherwise, no), type_, span)
    made = rebuilt(node, lambda part: _value(part, facts))
    match made:
        case tree.Binary():
            return _unchecked(made, facts)
        case tree.Unary("neg", inner, True, Int() as type_):
            known = facts.range(inner)
            if known is not None and known[0] > type_.low:
                return tree.Unary("neg", inner, False, type_, made.span)
        case tree.Convert(inner, True, Int() as type_) if isinstance(inner.type, Int):
            known = facts.range(inner)
            if known is not None and type_.low <= known[0] and known[1] <= type_.high:
                return tree.Convert(inner, False, type_, made.span)
    return made


def _unchecked(node: tree.Binary, facts: Facts) -> tree.Binary:
    """An operation, without its check where that cannot fail."""
    if not node.checked or not isinstance(node.type, Int) or node.op in ("floordiv", "mod"):
        return node
    known = facts.combined(node.op, node.left, node.right)
    fits = known is not None and node.type.low <= known[0] and known[1] <= node.type.high
    left, right = variable(node.left), variable(node.right)
    if not fits and node.op == "sub" and not node.type.signed and left is not None and right is not None:
        fits = right is left or facts.below(right, left) is not None
    if not fits and node.op == "add" and left is not None:
        one = isinstance(node.right, tree.Constant) and node.right.value == 1
        fits = one and facts.below_something(left)
    if not fits:
        return node
    return tree.Binary(node.op, node.left, node.right, False, node.type, node.span)
