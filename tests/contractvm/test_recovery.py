"""Many transactions taken at once: each answered as if it had come alone."""

from __future__ import annotations

from contractvm.chain import Chain
from contractvm.devaccounts import dev_accounts
from contractvm.errors import Rejected
from contractvm.genesis import Genesis
from contractvm.recovery import recover_senders
from contractvm.transaction import Transaction
from state.store import MemoryStore

COUNT = 40


def signed(number: int, nonce: int) -> Transaction:
    account = dev_accounts()[number]
    tx = Transaction(
        nonce=nonce,
        max_fee=2 * 10**9,
        max_tip=1,
        gas_limit=21_000,
        to=dev_accounts()[9].address,
        value=1,
        chain_id=Genesis().chain_id,
    )
    return tx.sign(account.secret)


def test_a_batch_is_answered_in_order_and_one_bad_item_fails_alone() -> None:
    good = [signed(i % 4, i // 4) for i in range(COUNT)]
    raws = [tx.encode() for tx in good]
    forged = bytearray(raws[7])
    forged[-40] ^= 1  # in s: another sender, without funds, or none
    raws[5:5] = [b"\xff\x00", bytes(forged)]
    with Chain(MemoryStore()) as one, Chain(MemoryStore()) as other:
        answers = one.submit_many(raws)
        for raw, answer in zip(raws, answers, strict=True):
            try:
                assert other.submit(raw) == answer
            except Rejected as refusal:
                assert str(refusal) == str(answer)
        assert [a for a in answers if not isinstance(a, Rejected)] == [tx.hash for tx in good]
        assert isinstance(answers[5], Rejected)
        assert isinstance(answers[6], Rejected)
        assert [tx.hash for tx in one.produce().transactions] == [tx.hash for tx in other.produce().transactions]


def test_senders_are_recovered_and_forged_ones_left_for_later() -> None:
    decoded = [Transaction.decode(signed(i % 3, i).encode()) for i in range(COUNT)]
    recover_senders(decoded)
    assert [tx.sender for tx in decoded] == [dev_accounts()[i % 3].address for i in range(COUNT)]
    recover_senders([])
