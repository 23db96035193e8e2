"""The pool: order by nonce and tip, replacement, limits, eviction, and what a new block or state makes of it."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contractvm.devaccounts import dev_accounts
from contractvm.errors import Rejected
from contractvm.execute import Executor
from contractvm.mempool import Mempool, PoolLimits
from contractvm.rejections import (
    AlreadyKnown,
    FeeTooLow,
    InsufficientFunds,
    IntrinsicGasTooLow,
    InvalidSignature,
    LimitExceeded,
    NonceTooHigh,
    NonceTooLow,
    Underpriced,
    WrongChain,
)
from contractvm.rules import contract_rules
from contractvm.transaction import MAX_NONCE, Transaction
from contractvm.types import Address, Hash

PEOPLE = [account.address for account in dev_accounts(4)]
ALICE, BOB, CAROL, DAVE = PEOPLE
EXECUTOR = Executor(contract_rules(), [])
RICH = 10**30


def tx(sender: Address = ALICE, nonce: int = 0, fee: int = 100, tip: int = 10, **more: int) -> Transaction:
    """A transfer; impersonated, so that no signature slows the tests down."""
    shape = Transaction(nonce=nonce, max_fee=fee, max_tip=tip, gas_limit=21_000, to=BOB, chain_id=1)
    return replace(shape, **more).impersonate(sender)  # type: ignore[arg-type]


def pool(**limits: int) -> Mempool:
    """An empty one."""
    return Mempool(EXECUTOR, 1, PoolLimits(**limits))


def add(to: Mempool, what: Transaction, nonce: int = 0, balance: int = RICH, base_fee: int = 7) -> Hash:
    """Add as a chain does."""
    return to.add(what, nonce, balance, base_fee, 30_000_000)


def drain(from_: Mempool, base_fee: int = 7, nonces: dict[Address, int] | None = None) -> list[Transaction]:
    """What a block would take, in order."""
    selection = from_.select(base_fee, lambda sender: (nonces or {}).get(sender, 0))
    return list(iter(selection.next, None))


@pytest.mark.parametrize(
    ("what", "error", "says"),
    [
        (tx(chain_id=5), WrongChain, "signed for 5, this chain is 1"),
        (tx(gas_limit=30_000_001), LimitExceeded, "exceeds block gas limit"),
        (tx(gas_limit=20_999), IntrinsicGasTooLow, "intrinsic gas too low"),
        (tx(fee=6, tip=1), FeeTooLow, "max fee per gas less than block base fee"),
        (tx(value=RICH), InsufficientFunds, "insufficient funds"),
        (tx(nonce=10_001), LimitExceeded, "nonce too high"),
        (replace(tx(), impersonated=None), InvalidSignature, "public key"),
    ],
)
def test_refusals(what: Transaction, error: type[Rejected], says: str) -> None:
    waiting = pool()
    with pytest.raises(error, match=says):
        add(waiting, what)
    assert len(waiting) == 0


def test_a_used_nonce_is_refused() -> None:
    with pytest.raises(NonceTooLow, match="next nonce 3, tx nonce 2"):
        add(pool(), tx(nonce=2), nonce=3)


def test_there_is_a_last_nonce() -> None:
    waiting = pool()
    add(waiting, tx(nonce=MAX_NONCE), nonce=MAX_NONCE)
    with pytest.raises(NonceTooHigh, match="nonce has max value"):
        add(waiting, tx(nonce=MAX_NONCE + 1), nonce=MAX_NONCE + 1)


def test_the_same_again_is_known() -> None:
    waiting = pool()
    digest = add(waiting, tx())
    assert digest in waiting
    assert waiting.get(digest) == tx()
    with pytest.raises(AlreadyKnown, match="already known"):
        add(waiting, tx())


@pytest.mark.parametrize(("fee", "tip"), [(109, 11), (110, 10), (100, 10), (200, 10)])
def test_a_replacement_must_add_a_tenth_to_both(fee: int, tip: int) -> None:
    waiting = pool()
    first = add(waiting, tx())
    with pytest.raises(Underpriced, match="replacement transaction underpriced"):
        add(waiting, tx(fee=fee, tip=tip, value=1))
    assert first in waiting


def test_a_replacement_takes_the_place() -> None:
    waiting = pool()
    first = add(waiting, tx())
    second = add(waiting, tx(fee=110, tip=11))
    assert first not in waiting
    assert drain(waiting) == [waiting.get(second)]


def test_nonce_order_and_gaps() -> None:
    waiting = pool()
    for nonce in (3, 0, 1):
        add(waiting, tx(nonce=nonce))
    assert [t.nonce for t in drain(waiting)] == [0, 1]
    pending, queued = waiting.content(lambda _: 0)
    assert ([t.nonce for t in pending], [t.nonce for t in queued]) == ([0, 1], [3])
    # A block has taken the first one, and the pool has not been told yet.
    pending, queued = waiting.content(lambda _: 1)
    assert ([t.nonce for t in pending], [t.nonce for t in queued]) == ([1], [3])
    assert waiting.next_nonce(ALICE, 0) == 2
    add(waiting, tx(nonce=2))
    assert [t.nonce for t in drain(waiting)] == [0, 1, 2, 3]
    assert waiting.next_nonce(ALICE, 0) == 4
    assert [t.nonce for t in waiting] == [3, 0, 1, 2]


def test_best_tip_first_then_first_come() -> None:
    waiting = pool()
    add(waiting, tx(ALICE, tip=5))
    add(waiting, tx(BOB, tip=9))
    add(waiting, tx(CAROL, tip=5))
    add(waiting, tx(DAVE, fee=8, tip=8))
    assert [t.sender for t in drain(waiting, base_fee=7)] == [BOB, ALICE, CAROL, DAVE]
    assert [t.sender for t in drain(waiting, base_fee=9)] == [BOB, ALICE, CAROL]


def test_a_rich_second_waits_for_a_poor_first() -> None:
    waiting = pool()
    add(waiting, tx(ALICE, 0, tip=1))
    add(waiting, tx(ALICE, 1, tip=50))
    add(waiting, tx(BOB, 0, tip=10))
    assert [(t.sender, t.nonce) for t in drain(waiting)] == [(BOB, 0), (ALICE, 0), (ALICE, 1)]


def test_skipping_leaves_the_followers_out() -> None:
    waiting = pool()
    for nonce in range(3):
        add(waiting, tx(ALICE, nonce, tip=20))
    add(waiting, tx(BOB))
    selection = waiting.select(7, lambda _: 0)
    first = selection.next()
    selection.skip()
    second = selection.next()
    assert first is not None and second is not None
    assert (first.sender, second.sender, selection.next()) == (ALICE, BOB, None)


def test_one_account_has_a_limit() -> None:
    waiting = pool(per_account=2)
    add(waiting, tx(nonce=0))
    add(waiting, tx(nonce=1))
    with pytest.raises(LimitExceeded, match="account limit exceeded"):
        add(waiting, tx(nonce=2))
    add(waiting, tx(nonce=1, fee=200, tip=20))
    add(waiting, tx(BOB))


def test_a_full_pool_drops_the_cheapest() -> None:
    waiting = pool(transactions=3)
    add(waiting, tx(ALICE, 0, tip=5))
    cheap = add(waiting, tx(BOB, 0, tip=1))
    add(waiting, tx(CAROL, 0, tip=3))
    with pytest.raises(Underpriced, match="transaction underpriced: the pool is full"):
        add(waiting, tx(DAVE, 0, tip=1))
    dear = add(waiting, tx(DAVE, 0, tip=4))
    assert cheap not in waiting
    assert dear in waiting
    assert len(waiting) == 3


def test_eviction_leaves_no_gap() -> None:
    waiting = pool(transactions=3)
    for nonce, tip in enumerate((1, 50, 60)):
        add(waiting, tx(ALICE, nonce, tip=tip))
    add(waiting, tx(BOB, 0, tip=2))
    assert [t.nonce for t in waiting if t.sender == ALICE] == [0, 1]


def test_a_sender_does_not_evict_what_it_has_to_follow() -> None:
    waiting = pool(transactions=1)
    add(waiting, tx(ALICE, 0, tip=1))
    with pytest.raises(Underpriced, match="full"):
        add(waiting, tx(ALICE, 1, tip=50))
    assert [t.nonce for t in waiting] == [0]


def test_a_pool_has_room_for_so_many_bytes() -> None:
    size = len(tx(data=b"x" * 500).encode())  # type: ignore[arg-type]
    waiting = pool(bytes=2 * size)
    add(waiting, tx(ALICE, data=b"x" * 500, gas_limit=50_000))  # type: ignore[arg-type]
    add(waiting, tx(BOB, data=b"x" * 400, gas_limit=50_000))  # type: ignore[arg-type]
    with pytest.raises(Underpriced):
        add(waiting, tx(CAROL, data=b"x" * 500, tip=9, gas_limit=50_000))  # type: ignore[arg-type]
    assert len(waiting) == 2
    add(waiting, tx(CAROL, data=b"x" * 500, tip=11, gas_limit=50_000))  # type: ignore[arg-type]
    assert len(waiting) == 2


def test_a_block_takes_its_own_and_what_they_shut_out() -> None:
    waiting = pool()
    add(waiting, tx(nonce=0))
    add(waiting, tx(nonce=1))
    waiting.included([tx(nonce=0, value=9)])
    assert [t.nonce for t in waiting] == [1]


def test_revalidation() -> None:
    waiting = pool()
    add(waiting, tx(ALICE, 0))
    add(waiting, tx(ALICE, 1))
    add(waiting, tx(BOB, 0))
    gone = waiting.revalidate(lambda sender: (1, RICH) if sender == ALICE else (0, 0))
    assert len(gone) == 2
    assert [(t.sender, t.nonce) for t in waiting] == [(ALICE, 1)]
    waiting.clear()
    assert len(waiting) == 0


def test_drop() -> None:
    waiting = pool()
    digest = add(waiting, tx())
    assert waiting.drop(digest)
    assert not waiting.drop(digest)


steps = st.lists(
    st.tuples(st.sampled_from(["add", "drop", "mine"]), st.integers(0, 3), st.integers(0, 5), st.integers(1, 40)),
    max_size=40,
)


@settings(max_examples=150, deadline=None)
@given(steps)
def test_against_a_plain_model(plan: list[tuple[str, int, int, int]]) -> None:
    """Without limits in the way, the pool is a dict by sender and nonce whose blocks are tip-greedy and gapless."""
    waiting = pool()
    model: dict[tuple[Address, int], Transaction] = {}
    nonces = dict.fromkeys(PEOPLE, 0)
    for what, who, nonce, tip in plan:
        sender = PEOPLE[who]
        if what == "add":
            new = tx(sender, nonce, fee=tip + 50, tip=tip)
            old = model.get((sender, nonce))
            outbids = old is None or (new.max_fee * 10 >= old.max_fee * 11 and new.max_tip * 10 >= old.max_tip * 11)
            try:
                add(waiting, new, nonce=nonces[sender])
            except Rejected:
                assert nonce < nonces[sender] or not outbids
            else:
                assert nonce >= nonces[sender] and outbids
                model[sender, nonce] = new
        elif what == "drop":
            gone = model.pop((sender, nonce), None)
            assert gone is None or waiting.drop(gone.hash)
        else:
            taken = drain(waiting, 7, nonces)
            expected = {key for key in model if all((key[0], n) in model for n in range(nonces[key[0]], key[1] + 1))}
            assert {(t.sender, t.nonce) for t in taken} == expected
            seen = dict(nonces)
            for t in taken:
                best = max(model[p, seen[p]].tip(7) for p in PEOPLE if (p, seen[p]) in model)
                assert t.nonce == seen[t.sender] and t.tip(7) == best
                seen[t.sender] += 1
            nonces = seen
            waiting.included(taken)
            for t in taken:
                del model[t.sender, t.nonce]
    assert {(t.sender, t.nonce): t for t in waiting} == model
    assert len(waiting) == len(model)
