"""Transactions on a world: what is refused, bought, refunded, paid and burnt; messages that nobody signed."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contractvm.errors import Fatal, Rejected, Revert, Trap, TrapCode
from contractvm.execute import Message
from contractvm.host import Host
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
from contractvm.types import Hash
from state.world import World
from tests.contractvm.fake import MAGIC, Contract, burn, call, init, store
from tests.contractvm.scene import (
    ALICE,
    BLOCK,
    BOB,
    CALL,
    DEPLOY,
    ETHER,
    MINER,
    OTHER,
    SHOP,
    TRANSFER,
    apply,
    create,
    exhausts,
    reverts,
    traps,
    works,
    world_with,
)


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
    warm = apply(executor, world, replace(CALL, access_list=((SHOP, (Hash(key),)),))).gas_used
    assert warm == cold - 2_100 + 2_400 + 1_900


def test_coinbase_sender_and_target_are_warm() -> None:
    seen: list[bool] = []

    def look(host: Host, entry: str) -> bytes:
        seen.extend(host.world.warm_address(a) for a in (MINER, ALICE.address, SHOP, OTHER))
        return b""

    world, executor = world_with(look=look)
    assert apply(executor, world, CALL).ok
    assert seen == [True, True, True, False]


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


def test_frames_made_once_serve_many_messages_as_new_ones_do() -> None:
    """Whoever sends them, whatever they pay, and however those before them ended."""

    def look(host: Host, entry: str) -> bytes:
        env, session = host.env, host.session
        if host.call.input == b"break":
            session.pages.take(7)
            session.locked[SHOP] = 1
            raise Fatal("broken")
        if host.call.input == b"write":
            store(host, b"key", b"value")
        if host.call.input == b"exhaust":
            burn(host, 1 << 40)
        facts = env.origin.hex(), env.gas_price, env.base_fee, session.pages.left, session.spare, dict(session.locked)
        return repr(facts).encode()

    world, executor = world_with(look=look)
    frames = executor.frames(world, BLOCK)
    messages = [
        Message(sender, SHOP, value, data, gas_limit, price)
        for sender, value, gas_limit, price in (
            (BOB.address, 0, None, 0),
            (ALICE.address, 3, 100_000, 9),
            (OTHER, 0, 200_000, 0),
        )
        for data in (b"write", b"", b"break", b"", b"exhaust", b"")
    ]
    seen = set()
    for message in messages:
        outcomes: list[object] = []
        for shared in (frames, None):
            mark = world.checkpoint()
            try:
                outcomes.append(executor.simulate(message, world, BLOCK, frames=shared))
            except Fatal as error:
                outcomes.append(str(error))
            world.rollback(mark)
        assert outcomes[0] == outcomes[1], message
        seen.add(str(outcomes[0]))
    assert len(seen) > len(messages) / 3


def test_frames_made_once_serve_a_block_as_new_ones_do() -> None:
    def spend(host: Host, entry: str) -> bytes:
        store(host, b"key", host.call.input)
        return repr((host.env.origin, host.env.gas_price, host.session.spare)).encode()

    (one, executor), (other, _) = world_with(spend=spend), world_with(spend=spend)
    frames = executor.frames(one, BLOCK)
    for nonce, data in enumerate((b"a", b"", b"b", b"b", b"")):
        tx = replace(CALL, nonce=nonce, data=data, max_tip=nonce % 3).sign(ALICE.secret)
        done = executor.apply(tx, one, BLOCK, 30_000_000, frames=frames)
        assert done == executor.apply(tx, other, BLOCK, 30_000_000)
        assert done.ok
    assert list(one.changes()) == list(other.changes())


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
