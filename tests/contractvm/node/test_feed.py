"""What is told of blocks: each once, in order, before anybody can ask for it, and never of one that is gone."""

from __future__ import annotations

import asyncio
import io
import json
import time
from collections.abc import Awaitable
from contextlib import suppress

import pytest

from contractvm.cli.nodelog import JsonLines
from contractvm.node.dispatch import Dispatcher
from contractvm.node.feed import News
from contractvm.node.table import methods
from contractvm.transaction import Transaction
from tests.contractvm.node.local import Local
from tests.contractvm.node.token import BOB, hexed, send, signed


class Heard:
    """A listener that writes down what it is told, receipts read."""

    def __init__(self) -> None:
        self.told: list[tuple[str, int]] = []

    def sealed(self, news: News) -> None:
        assert len(news.receipts) == len(news.block.transactions)
        self.told.append(("block", news.block.number))

    def arrived(self, transaction: Transaction) -> None:
        self.told.append(("transaction", transaction.nonce))


def heard(node: Local) -> Heard:
    listener = Heard()

    async def add() -> None:
        node.node.feed.add(listener)

    node.on_loop(add())
    return listener


def payment(nonce: int) -> str:
    return signed(nonce, BOB.address, value=1, gas_limit=21_000)


def together(node: Local, *requests: tuple[str, object]) -> list[dict[str, object]]:
    """The answers to requests that come one right behind the other, with no turn of the event loop in between."""
    dispatcher = Dispatcher(node.node, methods())

    async def ask() -> list[bytes | None]:
        bodies = [
            json.dumps(
                {"jsonrpc": "2.0", "id": n, "method": method, "params": [] if param is None else [param]}
            ).encode()
            for n, (method, param) in enumerate(requests)
        ]
        answers = [dispatcher.handle(body) for body in bodies]
        return [await answer if isinstance(answer, Awaitable) else answer for answer in answers]

    return [json.loads(answer or b"") for answer in node.on_loop(ask())]


def test_blocks_are_told_before_what_comes_after_them(node: Local) -> None:
    listener = heard(node)
    together(node, *[("eth_sendRawTransaction", payment(nonce)) for nonce in range(4)])
    assert node.rpc("eth_blockNumber") == "0x4"
    expected = [(kind, nonce + (kind == "block")) for nonce in range(4) for kind in ("transaction", "block")]
    assert listener.told == expected


def test_a_filter_that_is_asked_at_once_knows_the_block(node: Local) -> None:
    name = node.rpc("eth_newBlockFilter")
    send(node, BOB.address, value=1, gas_limit=21_000)
    assert len(node.rpc("eth_getFilterChanges", name)) == 1
    answers = together(node, ("eth_sendRawTransaction", payment(1)), ("eth_getFilterChanges", name))
    assert answers[1]["result"] == [node.rpc("eth_getBlockByNumber", "latest", False)["hash"]]


def test_a_filter_made_at_once_is_told_of_later_blocks_only(node: Local) -> None:
    made = together(node, ("eth_sendRawTransaction", payment(0)), ("eth_newPendingTransactionFilter", None))
    assert node.rpc("eth_getFilterChanges", made[1]["result"]) == []
    send(node, BOB.address, value=1, gas_limit=21_000)
    assert len(node.rpc("eth_getFilterChanges", made[1]["result"])) == 1


def test_a_block_is_told_before_it_is_undone(node: Local, caplog: pytest.LogCaptureFixture) -> None:
    listener, point = heard(node), node.rpc("evm_snapshot")
    answers = together(node, ("eth_sendRawTransaction", payment(0)), ("evm_revert", point))
    assert answers[1]["result"] is True
    assert node.rpc("eth_blockNumber") == "0x0"
    assert listener.told == [("transaction", 0), ("block", 1)]
    assert not caplog.records, "a listener failed"


def test_changes_are_made_in_the_order_in_which_they_were_asked_for(node: Local) -> None:
    for _ in range(10):
        point, who = node.rpc("evm_snapshot"), hexed(BOB.address)
        before = node.rpc("eth_getBalance", who)
        edits: list[tuple[str, object]] = [("anvil_setBlockTimestampInterval", 1), ("evm_mine", None)]
        answers = together(node, *edits, ("anvil_setCoinbase", who), ("evm_mine", 2), ("evm_revert", point))
        assert answers[-1]["result"] is True
        assert (node.rpc("eth_blockNumber"), node.rpc("eth_getBalance", who)) == ("0x0", before)


@pytest.mark.parametrize("method", ["evm_mine", "anvil_setBalance"])
def test_blocks_are_told_of_whose_client_hangs_up(node: Local, method: str) -> None:
    listener = heard(node)

    dispatcher = Dispatcher(node.node, methods())
    params = [] if method == "evm_mine" else [hexed(BOB.address), "0x1"]
    body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}).encode()

    async def hang_up() -> None:
        answer = dispatcher.handle(body)
        assert isinstance(answer, Awaitable)
        asked = asyncio.ensure_future(answer)
        while not node.node.miner._writes:
            await asyncio.sleep(0)
        asked.cancel()
        with suppress(asyncio.CancelledError):
            await asked

    node.on_loop(hang_up())
    until = time.monotonic() + 20
    while not listener.told and time.monotonic() < until:
        time.sleep(0.005)
    assert listener.told == [("block", 1)]


def test_blocks_that_are_undone_at_once_have_no_receipts(node: Local, caplog: pytest.LogCaptureFixture) -> None:
    """Going back was asked for before the block was made: it may be gone when it is told of."""
    seen: list[int] = []

    class Reading(Heard):
        def sealed(self, news: News) -> None:
            receipts = news.receipts
            assert all(receipt.block_hash == news.block.hash for receipt in receipts)
            seen.append(len(receipts))

    async def add() -> None:
        node.node.feed.add(Reading())

    node.on_loop(add())
    node.rpc("evm_setAutomine", False)
    for _ in range(30):
        point = node.rpc("evm_snapshot")
        send(node, BOB.address, value=1, gas_limit=21_000)
        answers = together(node, ("evm_mine", None), ("evm_revert", point))
        assert answers[1]["result"] is True
        assert node.rpc("eth_blockNumber") == "0x0"
        node.rpc("anvil_dropAllTransactions")
    assert len(seen) == 30
    assert not caplog.records, "a listener failed"


def test_what_is_not_told_yet_is_told_at_the_end() -> None:
    node = Local()
    listener = heard(node)

    async def last() -> None:
        raw = bytes.fromhex(payment(0)[2:])
        taken = node.node.send(raw)
        if isinstance(taken, asyncio.Future):
            await taken
        await node.node.close()

    node.on_loop(last())
    node.stop()
    assert listener.told == [("transaction", 0), ("block", 1)]


@pytest.mark.parametrize("quiet", [False, True])
def test_lines_of_json(node: Local, quiet: bool) -> None:
    stream = io.StringIO()
    lines = JsonLines(stream, quiet)

    async def add() -> None:
        node.node.feed.add(lines)
        lines.listening(node.node, "http://there")

    node.on_loop(add())
    send(node, BOB.address, value=1, gas_limit=21_000)
    head = node.rpc("eth_getBlockByNumber", "latest", False)
    lines.close()
    said = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert [one["event"] for one in said] == ["listening"] + ([] if quiet else ["block"])
    assert said[0]["url"] == "http://there"
    assert said[0]["accounts"] == [hexed(address) for address in node.node.keys]
    if not quiet:
        assert (said[1]["hash"], said[1]["transactions"], said[1]["gasUsed"]) == (head["hash"], 1, 21_000)
