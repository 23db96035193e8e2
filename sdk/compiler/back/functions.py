"""Functions and internal calls: parameters are wasm's, results too.

The chain allows 128 parameters and 16 results. What is more goes through memory: the caller passes the address of all
parameters, the callee returns that of all results; each call has memory of its own, so recursion is no matter.
Source: contractvm.rules.Limits. Never: knows of selectors; `dispatch.py` calls these functions for them.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from contractvm.wasm.module import I32
from sdk.compiler.back import slots
from sdk.compiler.back.asm import Body, Types
from sdk.compiler.back.facts import gather
from sdk.compiler.back.writer import ALLOCATE, Unit, Write, Writer
from sdk.compiler.tree import Call, Function

PARAMETERS: Final = 128
RESULTS: Final = 16


def parameter_slots(function: Function) -> Types:
    return tuple(slot for local in function.parameters for slot in slots.slots(local.type))


def declare(unit: Unit, function: Function) -> None:
    """Make the wasm function of a function, still without a body."""
    params, results = parameter_slots(function), slots.slots(function.returns)
    unit.functions[function] = unit.assembly.declare(
        function.qualified,
        params if len(params) <= PARAMETERS else (I32,),
        results if len(results) <= RESULTS else (I32,),
    )


def write(unit: Unit, function: Function) -> None:
    """Write a function's body."""
    w = Writer(unit, Body(unit.assembly, unit.functions[function]))
    b = w.b
    b.span = function.span
    params, results = parameter_slots(function), slots.slots(function.returns)
    if len(params) <= PARAMETERS:
        at = 0
        for local in function.parameters:
            count = len(slots.slots(local.type))
            w.variables[local] = tuple(range(at, at + count))
            at += count
    else:
        offset = 0
        for local in function.parameters:
            types = slots.slots(local.type)
            slots.load(b, types, 0, offset)
            b.set(*w.variable(local))
            offset += slots.slot_bytes(types)
    if len(results) > RESULTS:
        w.returning = lambda: _return_in_memory(b, results)
    gather(w, function.body)
    w.statements(function.body)
    if b.reached and results:
        # The checker has seen that every way ends with `return`.
        b.unreachable()
    if b.code and b.code[-1].name == "return":
        b.code.pop()


def _in_memory(b: Body, types: Types) -> None:
    """Slots on the stack -> the address of fresh memory that has them."""
    with b.temporaries(I32, *types) as (start, *held):
        b.set(*held)
        b.i32(slots.slot_bytes(types))
        b.call(ALLOCATE)
        b.set(start)
        slots.store(b, tuple(held), start)
        b.get(start)


def _return_in_memory(b: Body, results: Types) -> None:
    _in_memory(b, results)
    b.return_()


def invoke(w: Writer, function: Function) -> None:
    """Call a function: its parameters' slots are on the stack, its result's are afterwards."""
    b = w.b
    params, results = parameter_slots(function), slots.slots(function.returns)
    if len(params) > PARAMETERS:
        _in_memory(b, params)
    b.call(w.unit.functions[function])
    if len(results) > RESULTS:
        with b.temporaries(I32) as (start,):
            b.set(start)
            slots.load(b, results, start)


def _call(w: Writer, node: Call) -> None:
    """Arguments are evaluated in the source's order, and pushed in the parameters'."""
    b = w.b
    if node.order == tuple(range(len(node.arguments))):
        for argument in node.arguments:
            w.expr(argument)
    else:
        held = {}
        for index in node.order:
            w.expr(node.arguments[index])
            held[index] = b.fresh(slots.slots(node.arguments[index].type))
            b.set(*held[index])
        for index in range(len(node.arguments)):
            b.get(*held[index])
        for index in reversed(node.order):
            b.free(held[index])
    invoke(w, node.function)


EXPRESSIONS: Final[Mapping[type, Write]] = MappingProxyType({Call: _call})
