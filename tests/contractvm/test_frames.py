"""Frames: creations by transactions and by contracts, and calls of contracts by contracts."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from dataclasses import replace

import pytest

from contractvm.errors import Fatal, Revert
from contractvm.execute import Executed
from contractvm.frames import create2_address, create_address
from contractvm.host import Host, Log
from contractvm.machine import Status
from contractvm.nesting import FRAMES_ON_CALLER
from contractvm.types import Address
from state.world import EMPTY_CODE_HASH, World
from tests.contractvm.fake import Contract, call, host_call, init, poke, store
from tests.contractvm.scene import (
    ALICE,
    BOB,
    CALL,
    DEPLOY,
    OTHER,
    RULES,
    SHOP,
    apply,
    create,
    exhausts,
    reverts,
    traps,
    works,
    world_with,
)
from tests.threads import on_thread


def test_deployment() -> None:
    seen: list[object] = []

    def shop(host: Host, entry: str) -> bytes:
        seen.append((entry, host.call.input, host.call.value, host.world.code(host.self_address)))
        store(host, b"key", b"value")
        return b"ignored"

    world, executor = world_with(shop=shop)
    done = apply(executor, world, replace(DEPLOY, value=4))
    address = create_address(ALICE.address, 0)
    code = init("shop")[:-1]
    assert seen == [("deploy", b"args", 4, b"")]
    assert done.created == address
    assert world.code(address) == code
    assert (world.nonce(address), world.balance(address)) == (1, 4)
    data = DEPLOY.data
    intrinsic = 53_000 + 16 * len(data) - 12 * data.count(0) + 16 * len(data)
    assert done.gas_used == intrinsic + 22_100 + 32 * len(code)


@pytest.mark.parametrize("data", [init("nobody"), b"\x7fELF", b""])
def test_refused_code_pays_for_its_bytes_and_no_more(data: bytes) -> None:
    world, executor = world_with(shop=works)
    done = apply(executor, world, replace(DEPLOY, data=data))
    assert done.status is Status.TRAP
    assert done.detail.startswith("code refused: ")
    assert done.gas_used == replace(DEPLOY, data=data).intrinsic_gas(executor.prices)
    address = create_address(ALICE.address, 0)
    assert (world.nonce(address), world.code_hash(address)) == (0, EMPTY_CODE_HASH)


@pytest.mark.parametrize(
    ("contract", "status", "used"),
    [(reverts, Status.REVERT, None), (traps, Status.TRAP, None), (exhausts, Status.OUT_OF_GAS, 200_000)],
)
def test_a_constructor_that_fails_leaves_nothing(contract: Contract, status: Status, used: int | None) -> None:
    world, executor = world_with(shop=contract)
    done = apply(executor, world, replace(DEPLOY, value=4))
    assert done.status is status
    assert done.gas_used == (used or DEPLOY.intrinsic_gas(executor.prices) + 22_100)
    assert not world.exists(create_address(ALICE.address, 0))
    assert done.created is None


def test_a_deposit_that_cannot_be_paid_takes_all() -> None:
    world, executor = world_with(shop=lambda host, entry: b"")
    need = DEPLOY.intrinsic_gas(executor.prices) + 32 * len(init("shop")[:-1])
    assert apply(executor, world, replace(DEPLOY, gas_limit=need)).ok
    world, executor = world_with(shop=lambda host, entry: b"")
    done = apply(executor, world, replace(DEPLOY, gas_limit=need - 1))
    assert (done.status, done.gas_used) == (Status.OUT_OF_GAS, need - 1)


@pytest.mark.parametrize(
    "occupy",
    [
        lambda world, at: world.set_nonce(at, 1),
        lambda world, at: world.set_code(at, b"code"),
        lambda world, at: world.set_storage(at, b"k", b"v"),
    ],
)
def test_an_occupied_address_takes_all_gas(occupy: Callable[[World, Address], None]) -> None:
    world, executor = world_with(shop=works)
    occupy(world, create_address(ALICE.address, 0))
    done = apply(executor, world, DEPLOY)
    assert (done.status, done.gas_used) == (Status.OUT_OF_GAS, DEPLOY.gas_limit)
    assert "taken" in done.detail


def test_money_waiting_at_an_address_is_no_collision() -> None:
    world, executor = world_with(shop=works)
    address = create_address(ALICE.address, 0)
    world.set_balance(address, 9)
    assert apply(executor, world, replace(DEPLOY, value=1)).ok
    assert world.balance(address) == 10


def test_contracts_create_contracts() -> None:
    salt = bytes(range(32))
    seen = []

    def factory(host: Host, entry: str) -> bytes:
        seen.append(create(host, init("child")))
        seen.append(create(host, init("bad")))
        seen.append(create(host, init("child"), salt=salt))
        seen.append(create(host, init("child"), salt=salt))
        return b""

    world, executor = world_with(factory=factory, child=works, bad=reverts)
    assert apply(executor, world, replace(CALL, gas_limit=10_000_000)).ok
    second = create2_address(SHOP, salt, init("child"))
    assert seen == [
        (Status.OK, create_address(SHOP, 1)),
        (Status.REVERT, bytes(20)),
        (Status.OK, second),
        (Status.OUT_OF_GAS, bytes(20)),
    ]
    assert world.nonce(SHOP) == 5
    assert world.storage(second, b"key") == b"value"
    assert not world.exists(create_address(SHOP, 2))


def test_create2_address_example() -> None:
    """The second example of EIP-1014."""
    deployer = Address(bytes.fromhex("deadbeef00000000000000000000000000000000"))
    assert create2_address(deployer, bytes(32), b"\0").hex() == "b928f69bb1d91cd65274e3c79d8986362984fda3"


def test_an_inner_failure_is_undone_alone() -> None:
    statuses = []

    def outer(host: Host, entry: str) -> bytes:
        store(host, b"mine", b"1")
        for gas in (50_000, 10):
            statuses.append(call(host, OTHER, gas=gas, value=2))
        return host.returndata

    world, executor = world_with(outer=outer, inner=reverts)
    world.set_balance(SHOP, 10)
    done = apply(executor, world, CALL)
    assert statuses == [Status.REVERT, Status.OUT_OF_GAS]
    assert done.ok
    assert world.storage(SHOP, b"mine") == b"1"
    assert world.storage(OTHER, b"key") == b""
    assert world.balance(OTHER) == 0


def test_a_call_with_input_to_no_code_has_its_own_status() -> None:
    statuses = []

    def outer(host: Host, entry: str) -> bytes:
        statuses.append(call(host, BOB.address, b"data"))
        statuses.append(call(host, BOB.address, value=1))
        statuses.append(call(host, BOB.address, value=10**30))
        return b""

    world, executor = world_with(outer=outer)
    assert apply(executor, world, replace(CALL, value=1)).ok
    assert statuses == [Status.NO_CODE, Status.OK, Status.FUNDS]
    assert world.balance(BOB.address) == 1


def test_calls_nest_to_the_limit_and_no_further() -> None:
    depths = []

    def down(host: Host, entry: str) -> bytes:
        depths.append(host.call.depth)
        status = call(host, SHOP, flags=1)
        return bytes([status]) if host.call.depth == RULES.limits.call_depth else host.returndata

    world, executor = world_with(down=down)
    done = apply(executor, world, replace(CALL, gas_limit=10**13), 10**13)
    assert done.output == bytes([Status.DEPTH])
    assert depths == list(range(1_025))


def test_a_recursion_error_is_never_an_outcome() -> None:
    def runaway(host: Host, entry: str) -> bytes:
        raise RecursionError

    world, executor = world_with(runaway=runaway)
    with pytest.raises(Fatal):
        apply(executor, world, CALL)


def test_logs_survive_only_success() -> None:
    def logs(host: Host, entry: str) -> bytes:
        poke(host, 0, b"topic".ljust(32) + b"say")
        host_call(host, "log", 0, 1, 32, 3)
        call(host, OTHER)
        return b""

    def undone(host: Host, entry: str) -> bytes:
        host_call(host, "log", 0, 0, 0, 0)
        raise Revert(b"")

    world, executor = world_with(logs=logs, undone=undone)
    assert apply(executor, world, CALL).logs == (Log(SHOP, (b"topic".ljust(32),), b"say"),)


@pytest.mark.parametrize(
    ("stack_size", "first"),
    [
        (16 << 20, FRAMES_ON_CALLER),
        pytest.param(64 << 10, 0, marks=pytest.mark.skipif(sys.platform != "linux", reason="elsewhere nobody asks")),
    ],
)
def test_deep_chains_continue_on_other_threads(stack_size: int, first: int) -> None:
    """Eight frames on the caller's thread if it has room for them, on a leg if not; then 32 on each further leg."""
    threads: list[int] = []

    def nest(host: Host, entry: str) -> bytes:
        threads.append(threading.get_ident())
        if host.call.depth < 110:
            call(host, SHOP, flags=1)
        return b""

    done: list[Executed] = []

    def caller() -> None:
        world, executor = world_with(shop=nest)
        done.append(apply(executor, world, replace(CALL, gas_limit=20_000_000)))
        threads.append(threading.get_ident())

    on_thread(stack_size, caller)
    assert done[0].ok
    *frames, outermost = threads
    assert len(frames) == 111
    assert (frames[0] == outermost) == bool(first)
    legs = [frames[:8], *(frames[at : at + 32] for at in range(8, 111, 32))]
    assert all(len(set(leg)) == 1 for leg in legs)
    assert len({leg[0] for leg in legs}) == len(legs)
