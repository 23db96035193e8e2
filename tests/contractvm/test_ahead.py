"""Senders worked out by helpers: the same as here, whatever becomes of the helpers."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator

import pytest

from contractvm import ahead
from contractvm.ahead import Ahead, Helper
from contractvm.chain import Chain
from contractvm.errors import Rejected
from contractvm.genesis import Genesis
from contractvm.transaction import Transaction
from state.store import MemoryStore
from tests.contractvm.test_recovery import signed

CHAIN = Genesis().chain_id
COUNT = 40


@pytest.fixture
def helpers(monkeypatch: pytest.MonkeyPatch) -> Iterator[Ahead]:
    monkeypatch.setattr(ahead, "processors", lambda: 3)
    made = Ahead()
    yield made
    made.close()


def raws() -> list[bytes]:
    """Forty good ones, one that is no transaction and one whose signature fits no key or another one."""
    good = [signed(i % 4, i // 4).encode() for i in range(COUNT)]
    forged = bytearray(good[7])
    forged[-40] ^= 1
    return [*good[:5], b"\xff\x00", bytes(forged), *good[5:]]


def senders(transactions: list[Transaction | Rejected]) -> list[bytes | str]:
    def sender(tx: Transaction | Rejected) -> bytes | str:
        if isinstance(tx, Rejected):
            return str(tx)
        try:
            return tx.sender
        except Rejected as refusal:
            return str(refusal)

    return [sender(tx) for tx in transactions]


def expected(many: list[bytes]) -> list[bytes | str]:
    def decoded(raw: bytes) -> Transaction | Rejected:
        try:
            return Transaction.decode(raw, CHAIN)
        except Rejected as refusal:
            return refusal

    return senders([decoded(raw) for raw in many])


def members(of: Ahead) -> list[Helper]:
    return of._helpers


def test_helpers_find_the_same_senders(helpers: Ahead, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ahead, "BATCH", 7)
    monkeypatch.setattr(ahead, "recover_senders", lambda left: None if len(left) < 2 else pytest.fail("not answered"))
    incoming = helpers.begin(raws(), CHAIN)
    assert len(members(helpers)) == 2
    assert senders(incoming.wait()) == expected(raws())
    assert [helper.owed for helper in members(helpers)] == [0, 0]


def test_batches_may_be_waited_for_in_any_order(helpers: Ahead, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ahead, "BATCH", 7)
    first, second, third = (helpers.begin(raws()[at:], CHAIN) for at in (0, 3, 6))
    for incoming, at in ((third, 6), (first, 0), (second, 3)):
        assert senders(incoming.wait()) == expected(raws()[at:])


def test_what_helpers_will_not_take_is_recovered_here(helpers: Ahead, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ahead, "BATCH", 7)
    monkeypatch.setattr(ahead, "MOST_WAITING", 8)
    incoming = helpers.begin(raws(), CHAIN)
    assert [helper.owed for helper in members(helpers)] == [7, 7]
    assert senders(incoming.wait()) == expected(raws())


def test_a_helper_that_dies_changes_nothing(helpers: Ahead) -> None:
    incoming = helpers.begin(raws(), CHAIN)
    for helper in members(helpers):
        assert helper.pid is not None
        os.kill(helper.pid, signal.SIGKILL)
    assert senders(incoming.wait()) == expected(raws())
    assert senders(helpers.begin(raws(), CHAIN).wait()) == expected(raws())


def test_an_interrupt_ends_a_helper_whose_answers_have_lost_their_order(
    helpers: Ahead, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = helpers.begin(raws(), CHAIN), helpers.begin(raws()[3:], CHAIN)
    asked = members(helpers)[0]

    class Interrupted:
        def recv(self, size: int) -> bytes:
            raise KeyboardInterrupt

        def close(self) -> None:
            channel.close()

        def fileno(self) -> int:
            return channel.fileno()

    channel = asked._channel
    monkeypatch.setattr(asked, "_channel", Interrupted())
    with pytest.raises(KeyboardInterrupt):
        first.wait()
    assert not asked.alive
    assert senders(second.wait()) == expected(raws()[3:])
    assert senders(first.wait()) == expected(raws())


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_a_forked_process_leaves_its_parents_helpers_alone(helpers: Ahead) -> None:
    incoming = helpers.begin(raws(), CHAIN)
    child = os.fork()
    if child == 0:
        same = senders(helpers.begin(raws(), CHAIN).wait()) == expected(raws())
        helpers.close()
        os._exit(0 if same else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert senders(incoming.wait()) == expected(raws())
    assert all(helper.alive for helper in members(helpers))


@pytest.mark.parametrize(("processors", "executable"), [(1, sys.executable), (4, "")])
def test_without_a_processor_or_a_python_to_start_there_are_no_helpers(
    processors: int, executable: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ahead, "processors", lambda: processors)
    monkeypatch.setattr(sys, "executable", executable)
    alone = Ahead()
    assert senders(alone.begin(raws(), CHAIN).wait()) == expected(raws())
    assert not members(alone)


def test_a_chain_takes_what_it_received(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ahead, "processors", lambda: 2)
    with Chain(MemoryStore()) as one, Chain(MemoryStore()) as other:
        now, later = raws()[:20], raws()[20:]
        coming = one.receive(now)
        for more in (later, []):
            incoming, coming = coming, one.receive(more)
            one.submit_many(incoming)
            one.produce()
        other.submit_many(now)
        other.produce()
        other.submit_many(later)
        other.produce()
        assert one.head.transactions_root == other.head.transactions_root
        assert one.head.state_root == other.head.state_root
        [helper] = members(one._ahead)
        assert helper.alive
    assert not helper.alive
