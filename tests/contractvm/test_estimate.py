"""An estimate succeeds, one gas less fails, and what can never succeed says why."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contractvm.errors import Revert
from contractvm.estimate import CannotSucceed, Estimate, estimate
from contractvm.execute import Message
from contractvm.host import Host
from contractvm.machine import Status
from contractvm.rejections import InsufficientFunds, IntrinsicGasTooLow
from tests.contractvm.fake import Contract, burn, call, init, store
from tests.contractvm.scene import ALICE, BLOCK, BOB, ETHER, OTHER, SHOP, world_with

TO_SHOP = Message(sender=ALICE.address, to=SHOP)


def search(message: Message, **contracts: Contract) -> tuple[Estimate, int]:
    """(estimate, runs it took), with both sides of it run again."""
    runs = 0

    def scratch() -> object:
        nonlocal runs
        runs += 1
        return world_with(**contracts)[0]

    executor = world_with(**contracts)[1]
    found = estimate(executor, message, scratch, BLOCK)  # type: ignore[arg-type]
    taken = runs
    assert executor.simulate(replace(message, gas_limit=found.gas), world_with(**contracts)[0], BLOCK).ok
    try:
        less = executor.simulate(replace(message, gas_limit=found.gas - 1), world_with(**contracts)[0], BLOCK)
    except IntrinsicGasTooLow:
        return found, taken
    assert not less.ok
    return found, taken


def test_a_transfer() -> None:
    found, runs = search(Message(sender=ALICE.address, to=BOB.address, value=1))
    assert (found.gas, found.steady) == (21_000, True)
    assert runs <= 3


def test_plain_code_takes_few_runs() -> None:
    def work(host: Host, entry: str) -> bytes:
        store(host, b"k", b"v")
        burn(host, 1_234)
        return b""

    found, runs = search(TO_SHOP, work=work)
    assert found.gas == 21_000 + 22_100 + 1_234
    assert found.steady
    assert runs <= 4


def test_the_sentry_of_a_write_needs_more_than_is_spent() -> None:
    """EIP-2200: a write needs over 2,300 gas left, however little it costs."""

    def rewrite(host: Host, entry: str) -> bytes:
        store(host, b"k", b"")
        return b""

    found, _ = search(TO_SHOP, rewrite=rewrite)
    assert found.gas == 21_000 + 2_301
    assert found.executed.gas_spent < found.gas


def test_a_nested_call_needs_the_withheld_part() -> None:
    def outer(host: Host, entry: str) -> bytes:
        if call(host, OTHER):
            raise Revert(b"inner failed")
        return b""

    def inner(host: Host, entry: str) -> bytes:
        burn(host, 640_000)
        return b""

    found, runs = search(TO_SHOP, outer=outer, inner=inner)
    assert found.gas > found.executed.gas_spent + 9_000
    assert runs < 25


def test_refunds_do_not_lower_it() -> None:
    def clear(host: Host, entry: str) -> bytes:
        store(host, b"k", b"v")
        store(host, b"k", b"")
        return b""

    found, _ = search(TO_SHOP, clear=clear)
    assert found.gas >= found.executed.gas_spent > found.executed.gas_used


def test_creation() -> None:
    found, _ = search(Message(sender=ALICE.address, data=init("shop", b"args")), shop=lambda host, entry: b"")
    assert found.executed.created is not None
    assert found.gas > 53_000


def test_code_that_looks_at_its_gas_is_marked() -> None:
    def hungry(host: Host, entry: str) -> bytes:
        burn(host, host.meter.gas_left // 2)
        return b""

    found, _ = search(TO_SHOP, hungry=hungry)
    assert found.gas == 21_000
    assert not found.steady


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 5_000), st.booleans()), max_size=5), st.integers(0, 3))
def test_always_the_least(plan: list[tuple[int, bool]], nested: int) -> None:
    def work(host: Host, entry: str) -> bytes:
        for gas, writes in plan:
            burn(host, gas)
            if writes:
                store(host, b"k%d" % gas, b"v")
        if host.call.depth < nested and call(host, SHOP, flags=1):
            raise Revert(b"")
        return b""

    search(TO_SHOP, work=work)


def fails(how: str) -> Contract:
    """A contract that never succeeds."""

    def contract(host: Host, entry: str) -> bytes:
        if how == "revert":
            raise Revert(b"why")
        burn(host, 10**12)
        return b""

    return contract


def test_a_revert_is_told_with_its_data() -> None:
    with pytest.raises(CannotSucceed, match=r"^execution reverted$") as caught:
        search(TO_SHOP, bad=fails("revert"))
    assert caught.value.executed is not None
    assert (caught.value.executed.status, caught.value.executed.output) == (Status.REVERT, b"why")


def test_more_gas_than_there_is() -> None:
    with pytest.raises(CannotSucceed, match=r"^gas required exceeds allowance \(30000000\)"):
        search(TO_SHOP, bad=fails("gas"))
    with pytest.raises(CannotSucceed, match=r"^gas required exceeds allowance \(50000\)"):
        search(replace(TO_SHOP, gas_limit=50_000), bad=fails("gas"))
    with pytest.raises(CannotSucceed, match=r"^gas required exceeds allowance \(20999\)"):
        search(replace(TO_SHOP, gas_limit=20_999), bad=fails("gas"))


def test_the_purse_bounds_it() -> None:
    with pytest.raises(CannotSucceed, match=r"^gas required exceeds allowance \(30000\)"):
        search(replace(TO_SHOP, gas_price=ETHER // 30_000), bad=fails("gas"))
    with pytest.raises(InsufficientFunds, match=r"^insufficient funds for transfer"):
        search(replace(TO_SHOP, value=ETHER + 1))


def test_refused_code_says_so() -> None:
    with pytest.raises(CannotSucceed, match="code refused"):
        search(Message(sender=ALICE.address, data=b"\x60\x60"))


def test_code_that_sees_no_gas_takes_one_run() -> None:
    def blind(host: Host, entry: str) -> bytes:
        burn(host, 1_234)
        return b""

    found, runs = search(TO_SHOP, blind=blind)
    assert (found.gas, found.steady) == (21_000 + 1_234, True)
    assert runs == 2  # and one of them is a world to look at first


def test_the_sentry_of_a_write_is_met_by_code_that_sees_no_gas() -> None:
    def blind(host: Host, entry: str) -> bytes:
        store(host, b"k", b"")
        return b""

    found, _ = search(TO_SHOP, blind=blind)
    assert found.gas == 21_000 + 2_301


def test_code_that_fails_with_plenty_of_gas_has_an_estimate_that_is_flagged() -> None:
    def modest(host: Host, entry: str) -> bytes:
        burn(host, 5_000)
        if host.meter.gas_left > 1_000_000:
            raise Revert(b"too rich")
        return b""

    found, _ = search(TO_SHOP, modest=modest)
    assert (found.gas, found.steady) == (21_000 + 5_000, False)


def test_code_that_always_fails_says_how_it_does_with_all_gas() -> None:
    def never(host: Host, entry: str) -> bytes:
        raise Revert(b"%d" % (host.meter.gas_left > 1_000_000))

    with pytest.raises(CannotSucceed) as failed:
        search(TO_SHOP, never=never)
    assert failed.value.executed is not None and failed.value.executed.output == b"1"


@settings(max_examples=100, deadline=None)
@given(st.lists(st.integers(0, 4_000) | st.sampled_from([b"a", b"b", b"c", b""]), max_size=8))
def test_estimates_of_code_that_sees_no_gas_are_exact(work: list[int | bytes]) -> None:
    """Any mixture of work and changes of storage, some too near the end for EIP-2200; `search` runs both sides."""

    def blind(host: Host, entry: str) -> bytes:
        for number, item in enumerate(work):
            if isinstance(item, int):
                burn(host, item)
            else:
                store(host, b"k%d" % (number % 3), item)
        return b""

    assert search(TO_SHOP, blind=blind)[0].steady
