"""Transactions on a world: what is refused, bought, refunded, paid and burnt; calls and creations inside them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contractvm.devaccounts import dev_accounts
from contractvm.errors import Fatal, Rejected, Revert, Trap, TrapCode
from contractvm.execute import BlockContext, Executed, Executor, Message
from contractvm.frames import create2_address, create_address
from contractvm.host import Host, Log
from contractvm.machine import Status
from contractvm.rejections import (
    FeeTooLow,
    InsufficientFunds,
    IntrinsicGasTooLow,
    LimitExceeded,
    NonceTooHigh,
    NonceTooLow,
    SenderNotEOA,
)
from contractvm.rules import contract_rules
from contractvm.transaction import Transaction
from contractvm.types import Address
from state.world import EMPTY_CODE_HASH, World
from tests.contractvm.fake import MAGIC, Contract, FakeMachine, burn, call, empty_world, host_call, init, poke, store

RULES = contract_rules()
ALICE, BOB = dev_accounts()[:2]
MINER = Address(b"\x22" * 20)
SHOP = Address(b"\x33" * 20)
OTHER = Address(b"\x44" * 20)
ETHER = 10**18
BLOCK = BlockContext(chain_id=1, number=5, timestamp=1_000, coinbase=MINER, base_fee=7)
TRANSFER = Transaction(max_fee=10, max_tip=2, gas_limit=50_000, to=BOB.address, value=5, chain_id=1)
CALL = replace(TRANSFER, to=SHOP, value=0, gas_limit=200_000)


def world_with(**contracts: Contract) -> tuple[World, Executor]:
    """A world with a funded Alice, each contract at `SHOP`, `OTHER`, ... in order, and an executor that knows them."""
    world = empty_world()
    world.set_balance(ALICE.address, ETHER)
    for address, name in zip((SHOP, OTHER, Address(b"\x55" * 20)), contracts, strict=False):
        world.set_nonce(address, 1)
        world.set_code(address, MAGIC + name.encode())
    return world, Executor(RULES, [FakeMachine(contracts)])


def apply(executor: Executor, world: World, tx: Transaction, gas: int = 30_000_000) -> Executed:
    """Sign by Alice and run."""
    return executor.apply(tx.sign(ALICE.secret), world, BLOCK, gas)


def test_a_transfer() -> None:
    world, executor = world_with()
    done = apply(executor, world, TRANSFER)
    assert (done.status, done.gas_used, done.gas_price) == (Status.OK, 21_000, 9)
    assert world.balance(BOB.address) == 5
    assert world.balance(ALICE.address) == ETHER - 5 - 21_000 * 9
    assert world.balance(MINER) == 21_000 * 2
    assert world.nonce(ALICE.address) == 1


def test_data_for_an_account_without_code_is_a_note() -> None:
    world, executor = world_with()
    done = apply(executor, world, replace(TRANSFER, data=b"thanks"))
    assert done.ok
    assert done.gas_used == 21_000 + 6 * 16


@pytest.mark.parametrize(
    ("change", "error", "says"),
    [
        ({"nonce": 1}, NonceTooHigh, "^nonce too high"),
        ({"max_fee": 6, "max_tip": 1}, FeeTooLow, "^max fee per gas less than block base fee"),
        ({"value": ETHER}, InsufficientFunds, "^insufficient funds"),
        ({"gas_limit": 20_999}, IntrinsicGasTooLow, "^intrinsic gas too low"),
        ({"gas_limit": 30_000_001}, LimitExceeded, "^gas limit reached"),
        ({"data": bytes(1 << 20) + b"1", "gas_limit": 29_000_000}, LimitExceeded, "^oversized data"),
    ],
)
def test_a_rejected_transaction_changes_nothing(change: dict[str, int], error: type[Rejected], says: str) -> None:
    world, executor = world_with()
    mark = world.checkpoint()
    with pytest.raises(error, match=says):
        apply(executor, world, replace(TRANSFER, **change))  # type: ignore[arg-type]
    assert world.checkpoint() == mark


def test_a_used_nonce_is_too_low() -> None:
    world, executor = world_with()
    apply(executor, world, TRANSFER)
    with pytest.raises(NonceTooLow, match=r"^nonce too low: next nonce 1, tx nonce 0"):
        apply(executor, world, TRANSFER)


def test_a_sender_with_code_has_not_signed() -> None:
    world, executor = world_with()
    world.set_code(ALICE.address, MAGIC)
    with pytest.raises(SenderNotEOA):
        apply(executor, world, TRANSFER)
    assert executor.apply(TRANSFER.impersonate(ALICE.address), world, BLOCK, 30_000_000).ok


def works(host: Host, entry: str) -> bytes:
    """Writes a slot and returns five bytes."""
    store(host, b"key", b"value")
    return b"done!"


def reverts(host: Host, entry: str) -> bytes:
    """Writes, then takes it back."""
    store(host, b"key", b"value")
    raise Revert(b"why")


def traps(host: Host, entry: str) -> bytes:
    """Writes, then breaks a rule."""
    store(host, b"key", b"value")
    raise Trap(TrapCode.UNREACHABLE, "here")


def exhausts(host: Host, entry: str) -> bytes:
    """Uses more than any gas."""
    store(host, b"key", b"value")
    burn(host, 10**12)
    return b""


def test_success_keeps_effects() -> None:
    world, executor = world_with(works=works)
    done = apply(executor, world, CALL)
    assert (done.status, done.output) == (Status.OK, b"done!")
    assert done.gas_used == 21_000 + 2_100 + 20_000
    assert world.storage(SHOP, b"key") == b"value"


@pytest.mark.parametrize(
    ("contract", "status", "output"), [(reverts, Status.REVERT, b"why"), (traps, Status.TRAP, b"")]
)
def test_failure_gives_back_what_is_left(contract: Contract, status: Status, output: bytes) -> None:
    world, executor = world_with(bad=contract)
    done = apply(executor, world, replace(CALL, value=3))
    assert (done.status, done.output, done.gas_used) == (status, output, 43_100)
    assert world.storage(SHOP, b"key") == b""
    assert world.balance(SHOP) == 0
    assert world.nonce(ALICE.address) == 1
    assert (done.trap is not None) == (status is Status.TRAP)


def test_running_out_takes_all() -> None:
    world, executor = world_with(bad=exhausts)
    done = apply(executor, world, CALL)
    assert (done.status, done.gas_used) == (Status.OUT_OF_GAS, CALL.gas_limit)
    assert world.storage(SHOP, b"key") == b""
    assert world.balance(MINER) == CALL.gas_limit * 2


def clears(host: Host, entry: str) -> bytes:
    """Removes a slot, which refunds 4,800."""
    store(host, b"key", b"")
    return b""


@pytest.mark.parametrize(("slots", "refund"), [(1, 4_800), (3, None)])
def test_refunds_are_capped_at_a_fifth(slots: int, refund: int | None) -> None:
    def clear(host: Host, entry: str) -> bytes:
        for number in range(slots):
            store(host, b"key%d" % number, b"")
        return b""

    world, executor = world_with(clear=clear)
    for number in range(slots):
        world.set_storage(SHOP, b"key%d" % number, b"v")
    done = apply(executor, world, CALL)
    assert done.gas_spent == 21_000 + slots * 5_000
    assert done.gas_used == done.gas_spent - (refund if refund is not None else done.gas_spent // 5)


def test_listed_slots_are_warm() -> None:
    world, executor = world_with(works=works)
    tx = replace(CALL, access_list=((SHOP, ()),))
    assert apply(executor, world, tx).gas_used == 43_100 + 2_400
    key = b"k" * 32

    def long_key(host: Host, entry: str) -> bytes:
        store(host, key, b"")
        return b""

    world, executor = world_with(long=long_key)
    cold = apply(executor, world, CALL).gas_used
    world, executor = world_with(long=long_key)
    warm = apply(executor, world, replace(CALL, access_list=((SHOP, (key,)),))).gas_used  # type: ignore[arg-type]
    assert warm == cold - 2_100 + 2_400 + 1_900


def test_coinbase_sender_and_target_are_warm() -> None:
    seen: list[bool] = []

    def look(host: Host, entry: str) -> bytes:
        seen.extend(host.world.warm_address(a) for a in (MINER, ALICE.address, SHOP, OTHER))
        return b""

    world, executor = world_with(look=look)
    assert apply(executor, world, CALL).ok
    assert seen == [True, True, True, False]


# Creation

DEPLOY = Transaction(max_fee=10, max_tip=2, gas_limit=200_000, to=None, data=init("shop", b"args"), chain_id=1)


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


def create(host: Host, data: bytes, value: int = 0, salt: bytes | None = None) -> tuple[int, Address]:
    """Create through the host: (status, address written)."""
    poke(host, 0, data)
    poke(host, 4096, value.to_bytes(32, "little"))
    poke(host, 4160, bytes(20))
    numbers = [0, len(data), 4096, 0, 0, 2**64 - 1]
    if salt is None:
        status = host_call(host, "create", *numbers, 4160)
    else:
        poke(host, 5000, salt)
        status = host_call(host, "create2", *numbers, 5000, 4160)
    return status, Address(bytes(host.memory.data[4160:4180]))


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


# Calls of contracts by contracts


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


# Read-only


def test_a_message_needs_no_money_for_gas() -> None:
    world, executor = world_with(works=works)
    done = executor.simulate(Message(sender=BOB.address, to=SHOP), world, BLOCK)
    assert (done.status, done.output, done.gas_used) == (Status.OK, b"done!", 43_100)


def test_a_message_that_names_a_price_needs_the_money() -> None:
    world, executor = world_with(works=works)
    with pytest.raises(InsufficientFunds):
        executor.simulate(Message(sender=BOB.address, to=SHOP, gas_price=7), world, BLOCK)
    with pytest.raises(FeeTooLow):
        executor.simulate(Message(sender=ALICE.address, to=SHOP, gas_price=6), world, BLOCK)
    with pytest.raises(InsufficientFunds):
        executor.simulate(Message(sender=BOB.address, to=SHOP, value=1), world, BLOCK)


# Money

PEOPLE = [ALICE.address, BOB.address, MINER, SHOP, OTHER]
actions = st.lists(
    st.tuples(
        st.sampled_from(["pay", "revert", "trap", "burn", "create", "clear"]), st.integers(0, 4), st.integers(0, 9)
    ),
    max_size=6,
)


def wealth(world: World) -> int:
    """Wei of all accounts; the world lies on nothing, so it has written to every one of them."""
    return sum(change.account.balance for change in world.changes() if change.account is not None)


@settings(max_examples=60, deadline=None)
@given(actions, st.integers(0, 20), st.integers(30_000, 400_000), st.booleans())
def test_money_is_neither_made_nor_lost(
    plan: list[tuple[str, int, int]], value: int, gas_limit: int, deploys: bool
) -> None:
    def act(host: Host, entry: str) -> bytes:
        for what, who, amount in plan:
            if what == "pay":
                call(host, PEOPLE[who], value=amount, gas=30_000)
            elif what == "burn":
                burn(host, amount * 20_000)
            elif what == "create":
                create(host, init("act"), value=amount)
            elif what == "clear":
                store(host, b"k", bytes(amount % 2))
            elif host.call.depth % 2:
                raise Revert(b"") if what == "revert" else Trap(TrapCode.UNREACHABLE)
        return b""

    world, executor = world_with(act=act)
    world.set_code(OTHER, MAGIC + b"act")
    world.set_balance(SHOP, 50)
    before = wealth(world)
    tx = replace(DEPLOY if deploys else CALL, value=value, gas_limit=gas_limit)
    if deploys:
        tx = replace(tx, data=init("act"))
    try:
        done = apply(executor, world, tx)
    except IntrinsicGasTooLow:
        return
    assert wealth(world) + done.gas_used * BLOCK.base_fee == before
    assert 21_000 <= done.gas_used <= gas_limit
