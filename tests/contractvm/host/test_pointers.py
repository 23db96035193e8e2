"""Every pointer of every function: legal up to the last byte, a trap one further, and no effect then."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from contractvm.errors import Revert, Trap, TrapCode
from contractvm.host import BY_NAME, HOST, Finish
from tests.contractvm.host.rig import ME, OTHER, PAGE, Memory, Rig, rig

FIXED: dict[str, dict[str, int | str]] = {
    "caller": {"out": 20}, "origin": {"out": 20}, "self_address": {"out": 20}, "coinbase": {"out": 20},
    "value": {"out": 32}, "gas_price": {"out": 32}, "base_fee": {"out": 32},
    "balance": {"address": 20, "out": 32}, "code_hash": {"address": 20, "out": 32},
    "code_size": {"address": 20}, "code_copy": {"address": 20, "out": "cap"},
    "block_hash": {"out": 32}, "input_copy": {"out": "cap"}, "returndata_copy": {"out": "cap"},
    "storage_get": {"key": "key_len", "out": "cap"}, "transient_get": {"key": "key_len", "out": "cap"},
    "storage_has": {"key": "key_len"}, "storage_remove": {"key": "key_len"},
    "storage_set": {"key": "key_len", "value": "value_len"},
    "transient_set": {"key": "key_len", "value": "value_len"},
    "iter_open": {"start": "start_len", "end": "end_len"},
    "iter_key": {"out": "cap"}, "iter_value": {"out": "cap"},
    "keccak256": {"pointer": "length", "out": 32}, "sha256": {"pointer": "length", "out": 32},
    "blake2b256": {"pointer": "length", "out": 32}, "ripemd160": {"pointer": "length", "out": 20},
    "ecrecover": {"digest": 32, "signature": 64, "out": 20},
    "secp256k1_verify": {"digest": 32, "signature": 64, "key": "key_len"},
    "ed25519_verify": {"message": "length", "signature": 64, "key": 32},
    "u256_mul": {"a": 32, "b": 32, "out": 32}, "u256_div": {"a": 32, "b": 32, "out": 32},
    "u256_mod": {"a": 32, "b": 32, "out": 32}, "u256_exp": {"a": 32, "b": 32, "out": 32},
    "u256_addmod": {"a": 32, "b": 32, "m": 32, "out": 32}, "u256_mulmod": {"a": 32, "b": 32, "m": 32, "out": 32},
    "finish": {"pointer": "length"}, "revert": {"pointer": "length"}, "debug_print": {"pointer": "length"},
    "log": {"topics": "count", "data": "data_len"},
    "call": {"address": 20, "value": 32, "data": "data_len"},
    "static_call": {"address": 20, "data": "data_len"}, "delegate_call": {"address": 20, "data": "data_len"},
    "transfer": {"address": 20, "value": 32},
    "create": {"code": "code_len", "value": 32, "data": "data_len", "out": 20},
    "create2": {"code": "code_len", "value": 32, "data": "data_len", "salt": 32, "out": 20},
}  # fmt: skip
"""Of each function, its pointers and what says how long their ranges are: bytes, or another argument."""

NO_POINTERS = {"iter_next", "iter_close", "block_number", "block_timestamp", "chain_id", "gas_left", "input_size",
               "returndata_size"}  # fmt: skip


def cases() -> Iterator[tuple[str, str, int | str]]:
    for name, pointers in FIXED.items():
        for pointer, length in pointers.items():
            yield name, pointer, length


def test_every_function_is_here() -> None:
    assert set(FIXED) | NO_POINTERS == {row.name for row in HOST}
    for name, pointers in FIXED.items():
        mentioned = set(pointers) | {length for length in pointers.values() if isinstance(length, str)}
        others = {"offset", "flags", "handle", "gas", "recid", "number"}
        assert mentioned | others >= set(BY_NAME[name].arguments), name


def prepared() -> Rig:
    frame = rig(gas=1_000_000_000, data=bytes(range(200)))
    frame.host.returndata = bytes(range(200))
    frame.world.set_code(OTHER, bytes(range(200)))
    frame.world.set_balance(ME, 2**255)
    frame.world.set_storage(ME, bytes(8), bytes(range(200)))
    frame.run("iter_open", 0, 0, 0, 0, 0)
    frame.run("iter_next", 1)
    return frame


def attempt(frame: Rig, name: str, changed: dict[str, int]) -> Trap | None:
    """Call with harmless arguments except those that are `changed`; what it trapped with."""
    lengths = {length for length in FIXED[name].values() if isinstance(length, str)}
    usual = {"handle": 1, "number": 999}
    arguments = [
        changed.get(argument, 4 if argument in lengths and argument != "count" else usual.get(argument, 0))
        for argument in BY_NAME[name].arguments
    ]
    try:
        frame.run(name, *arguments)
    except Trap as trap:
        return trap
    except (Finish, Revert):
        return None
    return None


@pytest.mark.parametrize(("name", "pointer", "length"), list(cases()))
def test_a_range_ends_with_memory(name: str, pointer: str, length: int | str) -> None:
    item = 32 if length == "count" else 1
    for size in (1, 3) if isinstance(length, str) else (length,):
        given_ = {} if isinstance(length, int) else {length: size}
        inside = PAGE - size * item
        assert attempt(prepared(), name, {pointer: inside, **given_}) is None
        for outside in (inside + 1, PAGE, PAGE + 1, 0xFFFF_FFFF):
            frame = prepared()
            before, mark = bytes(frame.host.memory.data), frame.world.checkpoint()
            trap = attempt(frame, name, {pointer: outside, **given_})
            assert trap is not None and trap.code is TrapCode.HOST_POINTER
            assert frame.host.memory.data == before
            assert frame.world.checkpoint() == mark and frame.calls == []


@pytest.mark.parametrize(("name", "pointer", "length"), [case for case in cases() if isinstance(case[2], str)])
def test_nothing_at_the_end_of_memory_is_legal_and_behind_it_is_not(name: str, pointer: str, length: str) -> None:
    assert attempt(prepared(), name, {pointer: PAGE, length: 0}) is None
    trap = attempt(prepared(), name, {pointer: PAGE + 1, length: 0})
    assert trap is not None and trap.code is TrapCode.HOST_POINTER


@pytest.mark.parametrize(("name", "pointer"), [(n, p) for n, p, length in cases() if length == "cap"])
def test_all_of_cap_must_lie_in_memory_even_if_less_is_copied(name: str, pointer: str) -> None:
    assert attempt(prepared(), name, {pointer: 0, "cap": PAGE}) is None
    for changed in ({pointer: 0, "cap": PAGE + 1}, {pointer: 1, "cap": PAGE}, {pointer: 0, "cap": 0xFFFF_FFFF}):
        trap = attempt(prepared(), name, changed)
        assert trap is not None and trap.code is TrapCode.HOST_POINTER


def test_a_trap_names_the_range() -> None:
    trap = attempt(prepared(), "caller", {"out": 0x1_0000})
    assert trap is not None
    assert str(trap) == "host call pointer out of bounds: bytes 0x10000 to 0x10014 of a memory of 0x10000 bytes"


def test_memory_that_has_grown_is_seen() -> None:
    frame = prepared()
    frame.host.memory = Memory(2 * PAGE)
    frame.run("caller", PAGE + 100)
    assert bytes(frame.host.memory.data[PAGE + 100 : PAGE + 120]) == frame.host.call.caller
