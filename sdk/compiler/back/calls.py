"""Calls of other contracts, sending, and making new ones.

A failure undoes the caller too, with whatever the callee returned as its reason: nothing, when it did not revert. A
callee without code fails, because no input of a function is empty. `try_` forms say so instead; the answer of a call
that succeeded must have the length of its results there too, or the call counts as failed. Calls without leave for
re-entry are refused by the engine when they come back.
Source: docs/language.md, "Other contracts"; design of the chain, section 7, for statuses and flags.
Never: looks whether an account has code.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from types import MappingProxyType
from typing import Final

from contractvm.crypto import keccak256
from contractvm.wasm.module import I32
from sdk.compiler.back import slots
from sdk.compiler.back.abi_decode import check_room, get_sequence
from sdk.compiler.back.abi_encode import PADDING, Parts, all_static, call_data, encoded, heads, put_parts
from sdk.compiler.back.arguments import evaluated, operand
from sdk.compiler.back.asm import Body, Routine
from sdk.compiler.back.defaults import default
from sdk.compiler.back.operand import Spot
from sdk.compiler.back.reverts import reason
from sdk.compiler.back.writer import ALLOCATE, Write, Writer, push_room
from sdk.compiler.symbols import outputs
from sdk.compiler.tree import CallRemote, Create, Expression, RawCall, Send
from sdk.compiler.types import ADDRESS, U256, Type

REENTRY: Final = 1
REENTRY_DENIED: Final = 7
"""A flag of the host's calls, and the status of one that was not let in."""
ALL_GAS: Final = (1 << 64) - 1


def _returned(b: Body) -> None:
    """Copy to the heap what fits there; only more than that takes a second look."""
    end = b.assembly.global_("heap", I32, None)
    with b.temporaries(I32, I32, I32) as (length, room, start):
        push_room(b)
        b.set(room)
        b.global_get(end)
        b.i32(0)
        b.get(room)
        b.host("returndata_copy")
        b.tee(length)
        b.call(ALLOCATE)
        b.set(start)
        b.get(length, room)
        b.op("i32.gt_u")
        with b.if_():
            b.get(start)
            b.i32(0)
            b.get(length)
            b.host("returndata_copy")
            b.op("drop")
        b.get(start, length)


RETURNED: Final = Routine("returned", (), (I32, I32), _returned)
"""Address and length of what the last call returned or reverted with."""


def _bubble(b: Body) -> None:
    """A callee that was not entered has left no reason; of the one that an author meets unprepared there is one."""
    b.get(0)
    b.i32(REENTRY_DENIED)
    b.op("i32.eq")
    with b.if_():
        reason(b, "reentrant call")
    b.call(RETURNED)
    b.host("revert")
    b.unreachable()


BUBBLE: Final = Routine("revert_as_callee", (I32,), (), _bubble)
"""A status other than 0 -> a revert with the callee's reason."""


def _address(b: Body, locals_: Sequence[int]) -> int:
    """Write an address to an area of its own; return where that is."""
    area = b.assembly.area("call.address", slots.slot_bytes(slots.slots(ADDRESS)))
    _put(b, locals_, area)
    return area


def _put(b: Body, locals_: Sequence[int], area: int) -> None:
    for i, local in enumerate(locals_):
        b.i32(0)
        b.get(local)
        b.store("i64.store", area + 8 * i)


def _amount(b: Body, locals_: Sequence[int] | None) -> int:
    """Write wei to an area; return where that is. None: where 32 zeros are."""
    if locals_ is None:
        return b.assembly.area("zeros", slots.size(U256))
    area = b.assembly.area("call.value", slots.size(U256))
    _put(b, locals_, area)
    return area


def _optional(w: Writer, node: Expression | None, held: ExitStack) -> tuple[int, ...] | None:
    return None if node is None else operand(w, node, held)


def _gas(b: Body, local: tuple[int, ...] | None) -> None:
    if local is None:
        b.i64(ALL_GAS)
    else:
        b.get(*local)


def _data(b: Body, selector: bytes, inside: Parts, start: int, length: int) -> None:
    """Write a call's input; address and length go to two locals."""
    types = [type_ for type_, _ in inside]
    if not all_static(types):
        call_data(b, selector, inside, start, length)
        return
    name = f"call {selector.hex()}({', '.join(map(slots.spelled, types))})"
    area = b.assembly.area(name, PADDING + 4 + heads(types), bytes(PADDING) + selector)
    put_parts(b, inside, Spot(None, area + PADDING + 4))
    b.i32(area + PADDING)
    b.set(start)
    b.i32(4 + heads(types))
    b.set(length)


def _call_remote(w: Writer, node: CallRemote) -> None:
    b = w.b
    with ExitStack() as held:
        target = operand(w, node.target, held)
        inside = evaluated(w, node.arguments, held)
        value, gas = _optional(w, node.value, held), _optional(w, node.gas, held)
        selector = keccak256(node.function.signature(len(node.arguments)).encode())[:4]
        with b.temporaries(I32, I32) as (start, length):
            _data(b, selector, inside, start, length)
            b.i32(_address(b, target))
            if not node.static:
                b.i32(_amount(b, value))
            b.get(start, length)
            _gas(b, gas)
            b.i32(REENTRY if node.reentry else 0)
            b.host("static_call" if node.static else "call")
    types = outputs(node.function.returns)
    if node.tried:
        _tried(w, node.function.returns, types)
        return
    _settled(b, tried=False)
    if types:
        with b.temporaries(I32, I32) as (start, end):
            _answer(b, types, start, end)
            check_room(b, start, end, heads(types))
            get_sequence(b, types, start, end)


def _answer(b: Body, types: Sequence[Type], start: int, end: int) -> None:
    """Start and end of the last call's output go to two locals; only the heads, where that is all that is read."""
    if all_static(types):
        size = heads(types)
        area = b.assembly.area(f"answer {size}", size)
        b.i32(area)
        b.set(start)
        b.i32(area)
        b.i32(area)
        b.i32(0)
        b.i32(size)
        b.host("returndata_copy")
        b.op("i32.add")
        b.set(end)
    else:
        b.call(RETURNED)
        b.set(start, end)
        b.get(start, end)
        b.op("i32.add")
        b.set(end)


def _tried(w: Writer, returns: Type, types: Sequence[Type]) -> None:
    """The status is on the stack: push whether it is 0 and the answer long enough, and the result or its default."""
    b = w.b
    if not types:
        b.op("i32.eqz")
        return
    with b.temporaries(I32, I32, I32) as (start, end, good), ExitStack() as held:
        result = held.enter_context(b.temporaries(*slots.slots(returns)))
        b.op("i32.eqz")
        b.set(good)
        b.get(good)
        with b.if_():
            _answer(b, types, start, end)
            b.get(end, start)
            b.op("i32.sub")
            b.i32(heads(types))
            b.op("i32.ge_u")
            b.set(good)
        b.get(good)
        with b.if_():
            get_sequence(b, types, start, end)
            b.set(*result)
            b.otherwise()
            default(b, returns)
            b.set(*result)
        b.get(good, *result)


def _settled(b: Body, tried: bool) -> None:
    """What becomes of the status on the stack: a bool where the call was tried, otherwise a failure is passed on."""
    if tried:
        b.op("i32.eqz")
        return
    with b.temporaries(I32) as (status,):
        b.tee(status)
        with b.if_():
            b.get(status)
            b.call(BUBBLE)
            b.unreachable()


def _raw_call(w: Writer, node: RawCall) -> None:
    b = w.b
    with ExitStack() as held:
        target = operand(w, node.target, held)
        data = operand(w, node.data, held)
        value, gas = _optional(w, node.value, held), _optional(w, node.gas, held)
        b.i32(_address(b, target))
        if node.kind == "call":
            b.i32(_amount(b, value))
        b.get(*data)
        _gas(b, gas)
        b.i32(REENTRY if node.reentry else 0)
        b.host("call" if node.kind == "call" else f"{node.kind}_call")
    _settled(b, node.tried)
    b.call(RETURNED)


def _send(w: Writer, node: Send) -> None:
    b = w.b
    with ExitStack() as held:
        target = operand(w, node.target, held)
        amount = operand(w, node.amount, held)
        b.i32(_address(b, target))
        b.i32(_amount(b, amount))
        b.host("transfer")
    _settled(b, node.tried)


def _create(w: Writer, node: Create) -> None:
    b = w.b
    with ExitStack() as held, b.temporaries(I32, I32) as (start, length):
        code = operand(w, node.code, held)
        inside = evaluated(w, node.arguments, held)
        value, salt = _optional(w, node.value, held), _optional(w, node.salt, held)
        if inside:
            encoded(b, inside, start, length)
        out = b.assembly.area("call.address", slots.slot_bytes(slots.slots(ADDRESS)))
        b.get(*code)
        b.i32(_amount(b, value))
        if inside:
            b.get(start, length)
        else:
            b.i32(0)
            b.i32(0)
        b.i64(ALL_GAS)
        if salt is not None:
            area = b.assembly.area("call.salt", slots.size(U256))
            _put(b, salt, area)
            b.i32(area)
        b.i32(out)
        b.host("create" if salt is None else "create2")
        refused = b.local(I32)
        b.set(refused)
        b.get(refused)
        _settled(b, tried=False)
        b.free([refused])
        for i, name in enumerate(("i64.load", "i64.load", "i64.load32_u")):
            b.i32(0)
            b.load(name, out + 8 * i)


EXPRESSIONS: Final[Mapping[type, Write]] = MappingProxyType(
    {
        CallRemote: _call_remote,
        RawCall: _raw_call,
        Send: _send,
        Create: _create,
    }
)
