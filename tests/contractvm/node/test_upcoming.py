"""What `pending` means while transactions wait: the state after them, worked out again as they come and go."""

from __future__ import annotations

from typing import Any

import pytest

from contractvm.crypto import keccak256
from contractvm.devaccounts import dev_accounts
from contractvm.node import upcoming
from state.codec import encode
from tests.contractvm.node.local import Local, RpcError
from tests.contractvm.node.token import BALANCE, SUPPLY, TRANSFER, artifact, hexed

ACCOUNTS = dev_accounts()
ALICE, BOB, CAROL = (hexed(account.address) for account in ACCOUNTS[:3])
TOKEN = hexed(keccak256(encode([ACCOUNTS[0].address, 0]))[12:])
"""Where Alice's first contract will be."""


@pytest.fixture
def waiting(node: Local) -> Local:
    """A node that makes blocks when asked; the token's deployment waits."""
    node.rpc("evm_setAutomine", False)
    arguments = b"".join(amount.to_bytes(32, "big") for amount in (SUPPLY,))
    send(node, data=hexed(artifact().code + arguments))
    return node


def send(node: Local, **fields: Any) -> str:
    digest: str = node.rpc("eth_sendTransaction", {"from": ALICE, **fields})
    return digest


def pay(node: Local, to: str, amount: int, **fields: Any) -> str:
    return send(node, to=TOKEN, data=hexed(TRANSFER.encode(bytes.fromhex(to[2:]), amount)), **fields)


def balance(node: Local, who: str, block: str = "pending") -> int:
    data = hexed(BALANCE.encode(bytes.fromhex(who[2:])))
    answer: str = node.rpc("eth_call", {"to": TOKEN, "data": data}, block)
    return int(answer, 16) if answer != "0x" else -1


def test_calls_and_estimates_see_what_waits(waiting: Local) -> None:
    assert (balance(waiting, ALICE), balance(waiting, ALICE, "latest")) == (SUPPLY, -1)
    assert waiting.rpc("eth_getCode", TOKEN, "pending") != waiting.rpc("eth_getCode", TOKEN) == "0x"
    send(waiting, to=CAROL, value="0x7")
    before = int(waiting.rpc("eth_getBalance", CAROL), 16)
    assert int(waiting.rpc("eth_getBalance", CAROL, "pending"), 16) == before + 7
    first = pay(waiting, BOB, 5)
    second = pay(waiting, CAROL, 2, **{"from": BOB})
    assert (balance(waiting, ALICE), balance(waiting, BOB), balance(waiting, CAROL)) == (SUPPLY - 5, 3, 2)
    assert balance(waiting, BOB, "latest") == -1
    waiting.rpc("evm_mine")
    assert [waiting.rpc("eth_getTransactionReceipt", tx)["status"] for tx in (first, second)] == ["0x1", "0x1"]
    assert (balance(waiting, BOB, "latest"), balance(waiting, CAROL, "latest")) == (3, 2)


def test_a_better_offer_changes_what_comes_first(waiting: Local) -> None:
    cheap = pay(waiting, BOB, 5)
    assert balance(waiting, BOB) == 5
    nonce = waiting.rpc("eth_getTransactionByHash", cheap)["nonce"]
    pay(waiting, BOB, 9, nonce=nonce, gasPrice=hex(10**10), gas=hex(200_000))
    assert balance(waiting, BOB) == 9
    waiting.rpc("anvil_dropAllTransactions")
    assert balance(waiting, BOB) == -1


def test_a_failing_estimate_names_the_pending_state(waiting: Local) -> None:
    pay(waiting, BOB, SUPPLY)
    with pytest.raises(RpcError, match="execution reverted") as refusal:
        pay(waiting, BOB, 1)
    assert refusal.value.code == 3


def test_what_was_run_is_not_run_again(waiting: Local, monkeypatch: pytest.MonkeyPatch) -> None:
    waiting.rpc("evm_setNextBlockTimestamp", 4_000_000_000)
    runs: list[bytes] = []
    inner = waiting.node.chain.executor.apply

    class Counting:
        """An executor that notes what it runs."""

        prices = waiting.node.chain.executor.prices

        def apply(self, tx: Any, *arguments: Any, **options: Any) -> Any:
            runs.append(tx.hash)
            return inner(tx, *arguments, **options)

    stage = upcoming.Upcoming(waiting.node.chain)
    monkeypatch.setattr(stage, "_executor", Counting())
    for count in range(1, 5):
        stage.stage()
        stage.stage()
        assert len(runs) == count
        pay(waiting, BOB, count, gas=hex(200_000))
    waiting.rpc("evm_setNextBlockTimestamp", 4_000_000_001)
    stage.stage()
    assert len(runs) == 4 + 5
    waiting.rpc("evm_mine")
    assert stage.stage()[1].number == 2
    stage.forget()
    assert len(runs) == 9


def test_blocks_that_are_full(waiting: Local) -> None:
    waiting.rpc("evm_mine")
    waiting.rpc("evm_setBlockGasLimit", hex(230_000))
    for number in range(1, 4):
        pay(waiting, BOB, number, gas=hex(200_000))
    before = balance(waiting, BOB)
    assert before < 6
    waiting.rpc("evm_mine")
    assert balance(waiting, BOB, "latest") == before
