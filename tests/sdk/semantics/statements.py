"""What statements do. A function runs with its arguments coerced to their types, and gives its result so.

Follows docs/language.md, "Statements" and "Events". Never: gas.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Any

from tests.sdk.semantics import arithmetic
from tests.sdk.semantics.abi import custom, reason
from tests.sdk.semantics.calls import bound
from tests.sdk.semantics.expressions import evaluate, place, truth
from tests.sdk.semantics.frame import EntryPlace, Frame, LocalPlace
from tests.sdk.semantics.values import (
    U64,
    IllTyped,
    Mapping,
    NoneT,
    Num,
    Seq,
    coerce,
    default,
    order,
    panic,
    plain,
    type_of,
)


class Breaks(Exception): ...


class Continues(Exception): ...


class Returns(Exception):
    def __init__(self, value: Any) -> None:
        super().__init__()
        self.value = value


def run(frame: Frame, given: list[Any], named: dict[str, Any]) -> Any:
    """A function with arguments by place and by name; defaults fill in. Raises: Reverted."""
    node = frame.method.node
    parameters = [one for one in node.args.args if one.arg != "self"]
    defaults = dict(zip(reversed(parameters), reversed(node.args.defaults), strict=False))
    for i, parameter in enumerate(parameters):
        assert parameter.annotation is not None
        type_ = frame.types[parameter.arg] = frame.module.type(parameter.annotation)
        if i < len(given):
            value = given[i]
        elif parameter.arg in named:
            value = named[parameter.arg]
        else:
            value = evaluate(frame, defaults[parameter])
        frame.values[parameter.arg] = coerce(value, type_)
    assert node.returns is not None
    returns = frame.module.type(node.returns)
    try:
        block(frame, node.body)
    except Returns as result:
        return None if returns == NoneT() else coerce(result.value, returns)
    return None


def block(frame: Frame, body: list[ast.stmt]) -> None:
    for node in body:
        execute(frame, node)


def execute(frame: Frame, node: ast.stmt) -> None:
    """One statement."""
    match node:
        case ast.Pass():
            pass
        case ast.Expr(value=ast.Call(func=ast.Name(id="emit"), args=[event])):
            emit(frame, event)
        case ast.Expr(value=value):
            evaluate(frame, value)
        case ast.AnnAssign(target=ast.Name(id=name), annotation=annotation, value=value):
            result = None if value is None else evaluate(frame, value)
            frame.types[name] = frame.module.type(annotation)
            if value is not None:
                LocalPlace(frame, name).set(result)
        case ast.Assign(targets=[target], value=value):
            assign(frame, target, evaluate(frame, value))
        case ast.AugAssign(target=target, op=op, value=value):
            where = place(frame, target)
            before = where.get()
            after = arithmetic.binary(type(op).__name__, before, evaluate(frame, value), frame.checked)
            where.set(after)
        case ast.If(test=test, body=body, orelse=orelse):
            block(frame, body if truth(frame, test) else orelse)
        case ast.While() | ast.For():
            loop(frame, node)
        case ast.With(body=body):
            unchecked(frame, body)
        case ast.Return(value=value):
            raise Returns(None if value is None else evaluate(frame, value))
        case ast.Delete(targets=targets):
            for target in targets:
                where = place(frame, target)
                if isinstance(where, EntryPlace):
                    where.map.entries.pop(where.key, None)
                else:
                    where.set(default(type_of(where.get())))
        case _:
            leave(frame, node)


def leave(frame: Frame, node: ast.stmt) -> None:
    """Statements that go elsewhere."""
    match node:
        case ast.Break():
            raise Breaks
        case ast.Continue():
            raise Continues
        case ast.Assert(test=test, msg=None):
            if not truth(frame, test):
                raise panic(0x01)
        case ast.Assert(test=test, msg=ast.expr() as message):
            if not truth(frame, test):
                raise reason(evaluate(frame, message))
        case ast.Raise(exc=ast.Call(func=ast.Name(id="Revert"), args=[message])):
            raise reason(evaluate(frame, message))
        case ast.Raise(exc=ast.Call() as error):
            name, values = made(frame, error)
            raise custom(name, values)
        case _:
            raise IllTyped(ast.unparse(node))


def made(frame: Frame, node: ast.Call) -> tuple[str, list[Any]]:
    """An event or an error with its fields' values."""
    assert isinstance(node.func, ast.Name)
    given = [evaluate(frame, one) for one in node.args]
    named = {keyword.arg or "": evaluate(frame, keyword.value) for keyword in node.keywords}
    fields = bound(frame, frame.module.classes[node.func.id], given, named, evaluate)
    return node.func.id, list(fields.values())


def emit(frame: Frame, node: ast.expr) -> None:
    assert isinstance(node, ast.Call)
    name, values = made(frame, node)
    frame.world.log(frame.instance.address, name, tuple(map(plain, values)))


def assign(frame: Frame, target: ast.expr, value: Any) -> None:
    """To one target, or to several from a tuple, from the left."""
    if isinstance(target, ast.Tuple):
        for one, part in zip(target.elts, value, strict=True):
            assign(frame, one, part)
    elif not (isinstance(target, ast.Name) and target.id == "_"):
        place(frame, target).set(value)


def unchecked(frame: Frame, body: list[ast.stmt]) -> None:
    before, frame.checked = frame.checked, False
    try:
        block(frame, body)
    finally:
        frame.checked = before


def loop(frame: Frame, node: ast.While | ast.For) -> None:
    steps = looped(frame, node.iter) if isinstance(node, ast.For) else repeated(frame, node.test)
    for value in steps:
        if isinstance(node, ast.For):
            for name in ast.walk(node.target):
                if isinstance(name, ast.Name):
                    frame.types.pop(name.id, None)
            assign(frame, node.target, value)
        try:
            block(frame, node.body)
        except Breaks:
            return
        except Continues:
            continue


def repeated(frame: Frame, test: ast.expr) -> Iterator[None]:
    while truth(frame, test):
        yield None


def looped(frame: Frame, node: ast.expr) -> Iterator[Any]:
    """The steps of a `for`."""
    match node:
        case ast.Call(func=ast.Name(id="range"), args=bounds):
            numbers = [plain(evaluate(frame, bound)) for bound in bounds]
            for number in range(*numbers):
                yield Num(U64, number)
        case ast.Call(func=ast.Name(id="enumerate"), args=[inner]):
            for at, value in enumerate(looped(frame, inner)):
                yield Num(U64, at), value
        case ast.Call(func=ast.Attribute(value=base, attr="items")):
            yield from walked(evaluate(frame, base), values=True)
        case ast.Call(func=ast.Attribute(value=base, attr="keys")):
            yield from walked(evaluate(frame, base), values=False)
        case _:
            of = evaluate(frame, node)
            if isinstance(of, Mapping):
                yield from walked(of, values=False)
            else:
                yield from stepped(of)


def stepped(of: Seq) -> Iterator[Any]:
    """A list's items; its length is looked at before each step."""
    at = 0
    while at < len(of.items):
        yield of.items[at]
        at += 1


def walked(of: Mapping, values: bool) -> Iterator[Any]:
    """A cursor that looks for the next greater key, in the map as it is then."""
    last: Any = None
    while True:
        greater = [key for key in of.entries if last is None or order(key) > order(last)]
        if not greater:
            return
        last = min(greater, key=order)
        yield (last, of.entries[last]) if values else last
