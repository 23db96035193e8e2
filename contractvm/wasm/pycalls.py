"""Calls of the portable tier: direct, indirect, and tail calls, which return a `portable.Tail` to a loop in the entry.

Every generated function takes its operands and then the stack weight left. Never: recursion for a tail call.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from contractvm.wasm import pyvalue as v
from contractvm.wasm.module import FuncType
from contractvm.wasm.pybody import Body
from contractvm.wasm.sections import CALL, CALL_INDIRECT, RETURN_CALL, RETURN_CALL_INDIRECT


def _call(body: Body, i: int, imm: int) -> None:
    type_ = body.compiled.module.signature(imm)
    target = body.cell(f"f{imm}")
    # A contract imports host functions alone, which take no stack weight.
    host = imm < body.compiled.module.imported_functions and body.compiled.rules.contract
    body.call(i, target, type_.params, type_.results, None if host else body.deeper())


def _look_up(body: Body, i: int, imm: tuple[int, int]) -> FuncType:
    """Emit the table look-up that leaves the function in `f`; return its type."""
    index, table = imm
    at = v.exact(body.pop(), 32)
    body.before_effect()
    key = body.compiled.keys[index]
    body.emit(f'f = {body.cell("inst")}.indirect({at.text}, "{key}", {table})', i)
    return body.compiled.module.types[index]


def _call_indirect(body: Body, i: int, imm: tuple[int, int]) -> None:
    type_ = _look_up(body, i, imm)
    body.call(i, "f.call", type_.params, type_.results, body.deeper())


def _return_call(body: Body, i: int, imm: int) -> None:
    module = body.compiled.module
    target = f"{body.cell('inst')}.function({imm})"
    _tail(body, i, target, module.signature(imm), imm < module.imported_functions)


def _return_call_indirect(body: Body, i: int, imm: tuple[int, int]) -> None:
    _tail(body, i, "f", _look_up(body, i, imm), True)


def _tail(body: Body, i: int, target: str, type_: FuncType, maybe_host: bool) -> None:
    operands = body.pops(len(type_.params))
    texts = [body.canonical(o, t).text for o, t in zip(operands, type_.params, strict=True)]
    body.before_effect()
    body.tail = True
    if maybe_host:
        # A host function makes no further tail calls, and called from here its trap has its place.
        if target != "f":
            body.emit(f"f = {target}", i)
            target = "f"
        body.emit(f"if f.instance is None: return f.call({''.join(f'{text}, ' for text in texts)}sp)", i)
    # Default values hold the operands, so that no local of the function becomes a cell.
    bound = "".join(f"a{n}={text}, " for n, text in enumerate(texts))
    passed = "".join(f"a{n}, " for n in range(len(texts)))
    body.emit(f"return Tail(lambda {bound}f={target}, sp=sp: f.body({passed}sp))", i)


CALLS: dict[int, Callable[[Body, int, Any], None]] = {
    CALL: _call,
    CALL_INDIRECT: _call_indirect,
    RETURN_CALL: _return_call,
    RETURN_CALL_INDIRECT: _return_call_indirect,
}
