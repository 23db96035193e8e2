"""Calling and creating contracts.

Gas, value and warmth follow Ethereum: min(asked, 63/64 of what is left) goes along, a call with value adds a stipend,
and what the callee leaves (the stipend too) comes back. Re-entry is denied by default: while a frame calls out
without the flag, its storage address is locked, and a `call` or `static_call` to a locked address answers 7 without
opening a frame.
Source: EIP-150, 161, 2929; yellow paper sections 7 and 8; EIP-1014 (create2).
Never: opens a frame itself; `host.invoke` does.
"""

from __future__ import annotations

from contractvm.errors import Trap, TrapCode
from contractvm.host.frame import Host, words
from contractvm.machine import CALL, CREATE, CREATE2, DELEGATE, OK, STATIC, Call, Kind, Outcome, Status
from contractvm.types import ZERO_ADDRESS, Address

ALLOW_REENTRY = 1
ALL_GAS = 2**64 - 1
"""More than any meter holds: forward as much as the 63/64 rule lets through."""


def call(host: Host, address: int, value: int, data: int, data_len: int, gas: int, flags: int) -> int:
    """Call a contract or account, sending wei along."""
    host.charge(host.prices.account_warm + host.prices.copy_word * words(data_len))
    target, wei = _address(host, address), _amount(host, value)
    content = host.take(data, data_len)
    _check(host, data_len, flags)
    if wei:
        host.require_writable("call with value")
    return _enter(host, CALL, target, wei, content, gas, flags & ALLOW_REENTRY)


def static_call(host: Host, address: int, data: int, data_len: int, gas: int, flags: int) -> int:
    """Call a contract that then cannot change anything."""
    return _without_value(host, STATIC, address, data, data_len, gas, flags)


def delegate_call(host: Host, address: int, data: int, data_len: int, gas: int, flags: int) -> int:
    """Run another contract's code on this frame's storage, caller and value."""
    return _without_value(host, DELEGATE, address, data, data_len, gas, flags)


def _without_value(host: Host, kind: Kind, address: int, data: int, data_len: int, gas: int, flags: int) -> int:
    host.charge(host.prices.account_warm + host.prices.copy_word * words(data_len))
    target = _address(host, address)
    content = host.take(data, data_len)
    _check(host, data_len, flags)
    return _enter(host, kind, target, 0, content, gas, flags & ALLOW_REENTRY)


def transfer(host: Host, address: int, value: int) -> int:
    """Send wei: a call with empty input, all gas that may go along, and no re-entry."""
    host.charge(host.prices.account_warm)
    target, wei = _address(host, address), _amount(host, value)
    host.require_writable("transfer")
    return _enter(host, CALL, target, wei, b"", ALL_GAS, 0)


def _address(host: Host, pointer: int) -> Address:
    return Address(host.take(pointer, 20))


def _amount(host: Host, pointer: int) -> int:
    return int.from_bytes(host.take(pointer, 32), "little")


def _check(host: Host, data_len: int, flags: int) -> None:
    host.require(data_len, host.limits.input_bytes, "input bytes")
    if flags & ~ALLOW_REENTRY:
        raise Trap(TrapCode.HOST_ARGUMENT, f"call flags {flags:#x}")


def _enter(host: Host, kind: Kind, target: Address, wei: int, content: bytes, asked: int, reentry: int) -> int:
    """Pay for reaching the target, refuse what must be refused, run the frame; the call's status."""
    world, prices, frame, me = host.world, host.prices, host.call, host.self_address
    cost = 0 if world.warm_address(target) else prices.account_cold - prices.account_warm
    stipend = 0
    if wei:
        cost += prices.call_value
        if world.is_empty(target):
            cost += prices.call_new_account
        stipend = prices.call_stipend
    if cost:
        host.charge(cost)
    denied = kind is not DELEGATE and (target in host.session.locked or (target == me and not reentry))
    refusal = Status.REENTRY if denied else _refusal(host, wei)
    if refusal is not OK:
        host.answered(b"")
        host.meter.give_back(stipend)
        return refusal
    gas = host.meter.forward(asked) + stipend
    depth = frame.depth + 1
    if kind is DELEGATE:
        inner = Call(kind, frame.caller, me, target, frame.value, content, gas, depth, frame.static)
    else:
        static = frame.static or kind is STATIC
        inner = Call(kind, me, target, target, wei, content, gas, depth, static)
    outcome = _run(host, inner, reentry)
    host.answered(outcome.output)
    return outcome.status


def _refusal(host: Host, wei: int) -> Status:
    """FUNDS, DEPTH, or OK."""
    if wei and host.world.balance(host.self_address) < wei:
        return Status.FUNDS
    if host.call.depth >= host.limits.call_depth:
        return Status.DEPTH
    return OK


def _run(host: Host, inner: Call, reentry: int) -> Outcome:
    """Open the frame, with this storage address locked meanwhile unless re-entry is allowed; take back its gas."""
    if reentry:
        outcome = host.invoke(inner)
    else:
        locked, me = host.session.locked, host.self_address
        locked[me] = locked.get(me, 0) + 1
        try:
            outcome = host.invoke(inner)
        finally:
            if locked[me] == 1:
                del locked[me]
            else:
                locked[me] -= 1
    host.meter.give_back(outcome.gas_left)
    return outcome


def create(host: Host, code: int, code_len: int, value: int, data: int, data_len: int, gas: int, out: int) -> int:
    """Deploy code with constructor input; its address depends on this account's nonce."""
    host.charge(host.prices.create_base + host.prices.copy_word * words(code_len + data_len))
    wei, init = _amount(host, value), host.take(code, code_len) + host.take(data, data_len)
    return _create(host, CREATE, wei, init, gas, b"", out)


def create2(
    host: Host, code: int, code_len: int, value: int, data: int, data_len: int, gas: int, salt: int, out: int
) -> int:
    """Deploy code with constructor input; its address depends on code, input and a 32-byte salt."""
    length = words(code_len + data_len)
    host.charge(host.prices.create_base + (host.prices.copy_word + host.prices.keccak_word) * length)
    wei, init = _amount(host, value), host.take(code, code_len) + host.take(data, data_len)
    return _create(host, CREATE2, wei, init, gas, host.take(salt, 32), out)


def _create(host: Host, kind: Kind, wei: int, init: bytes, asked: int, salt: bytes, out: int) -> int:
    host.room(out, 20)
    host.require(len(init), host.limits.input_bytes, "init bytes")
    host.require_writable(kind)
    host.answered(b"")
    refusal = _refusal(host, wei)
    if refusal is not OK:
        return refusal
    gas, me = host.meter.forward(asked), host.self_address
    inner = Call(kind, me, ZERO_ADDRESS, ZERO_ADDRESS, wei, init, gas, host.call.depth + 1, False, salt)
    outcome = _run(host, inner, 0)
    if outcome.created is not None and outcome.ok:
        host.put(out, outcome.created)
    else:
        host.answered(outcome.output)
    return outcome.status
