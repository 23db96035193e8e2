"""What goes wrong outside: the process is killed under load, the disk is full, the clock goes back, two nodes start.

After each of these, every transaction that was acknowledged is in a block, no block is there by half, and the state is
the one that its root commits to, worked out anew from the flat records.
"""

from __future__ import annotations

import json
import os
import random
import signal
import threading
import time
from dataclasses import replace
from http.client import HTTPException
from pathlib import Path

import pytest

from contractvm.chain import Chain, Pruned
from contractvm.clock import Clock
from contractvm.crypto import keccak_function
from contractvm.devaccounts import DevAccount, dev_accounts
from contractvm.heights import BLOCKS_BEHIND
from contractvm.transaction import Transaction
from contractvm.types import Address
from contractvm.wasm.machine import WasmMachine
from sdk.abi import Function
from sdk.build import build
from state.account import account_of, encode_account
from state.codec import encode_bytes
from state.directory import open_store
from state.merkle import EMPTY_ROOT
from state.ordered import prefix_end
from state.records import ACCOUNT, DIFF, PAST, STORAGE
from state.store import MemoryStore
from state.trie import trie_root
from tests.contractvm.node.local import RpcError
from tests.contractvm.node.process import Connection, NodeProcess, data_of
from tests.sources import ROOT

SENDERS = 4
TRANSFER = Function.parse("transfer(address,uint256)")
SHAPE = Transaction(max_fee=10**11, max_tip=1, gas_limit=200_000, chain_id=31_337)


class Client(threading.Thread):
    """Sends one account's transactions as fast as they are acknowledged, until the node is gone."""

    def __init__(self, url: str, account: DevAccount, token: Address) -> None:
        super().__init__(daemon=True)
        self._connection = Connection(url)
        self._account = account
        self._token = token
        self.acknowledged: list[str] = []
        self.refused: RpcError | None = None

    def run(self) -> None:
        try:
            nonce = int(self._connection.rpc("eth_getTransactionCount", "0x" + self._account.address.hex()), 16)
            while True:
                to = Address((1 << 100 | nonce).to_bytes(20, "big"))
                shape = (
                    replace(SHAPE, to=to, value=1)
                    if nonce % 2
                    else replace(SHAPE, to=self._token, data=TRANSFER.encode(to, 1))
                )
                raw = replace(shape, nonce=nonce).sign(self._account.secret).encode()
                self.acknowledged.append(self._connection.rpc("eth_sendRawTransaction", "0x" + raw.hex()))
                nonce += 1
        except (OSError, HTTPException, ValueError):
            return
        except RpcError as error:
            self.refused = error


def deployed(directory: Path) -> Address:
    """A chain on disk with a token, of which every sender has some."""
    with opened(directory) as chain:
        owner = dev_accounts()[0]
        code = build(ROOT / "contracts" / "token" / "token.c").code + (10**27).to_bytes(32, "big")
        digest = chain.submit(replace(SHAPE, data=code, gas_limit=20_000_000).sign(owner.secret))
        chain.produce()
        receipt = chain.receipt(digest)
        assert receipt is not None and receipt.created is not None
        for at, account in enumerate(dev_accounts()[:SENDERS]):
            data = TRANSFER.encode(account.address, 10**18)
            chain.submit(replace(SHAPE, nonce=1 + at, to=receipt.created, data=data).sign(owner.secret))
        chain.produce()
        assert all(receipt.ok for receipt in chain.receipts())
        return receipt.created


def opened(directory: Path) -> Chain:
    """The chain that a process left."""
    return Chain(open_store(directory, create=True), machines=[WasmMachine("portable")])


def load(node: NodeProcess, token: Address) -> list[Client]:
    """Clients at work."""
    clients = [Client(node.url, account, token) for account in dev_accounts()[:SENDERS]]
    for client in clients:
        client.start()
    return clients


def check(directory: Path, acknowledged: list[str], since: int = 0) -> int:
    """Compare what is there, from a height on, with what was said and with itself; the height."""
    with opened(directory) as chain:
        for digest in acknowledged:
            receipt = chain.receipt(bytes.fromhex(digest[2:]))
            assert receipt is not None and receipt.ok, f"{digest} was acknowledged"
            assert chain.header(receipt.block_number).hash == receipt.block_hash
        parent = None
        for number in range(since, chain.head.number + 1):
            block = chain.block(number)
            receipts = chain.receipts(number)
            assert parent is None or block.header.parent_hash == parent
            assert [tx.hash for tx in block.transactions] == [receipt.transaction_hash for receipt in receipts]
            assert block.header.gas_used == (receipts[-1].cumulative_gas if receipts else 0)
            parent = block.hash
        nonces = [chain.world(at).nonce(account.address) for at in (since, "latest") for account in dev_accounts()]
        count = sum(len(chain.block(number).transactions) for number in range(since + 1, chain.head.number + 1))
        assert sum(nonces[len(nonces) // 2 :]) - sum(nonces[: len(nonces) // 2]) == count
        height, root = chain.head.number, chain.head.state_root
    assert root_of(directory) == root
    return height


def root_of(directory: Path) -> bytes:
    """The state root, from the flat records alone."""
    keccak = keccak_function()
    with open_store(directory, create=False) as store:
        accounts = {}
        for record, value in store.iterate(ACCOUNT, prefix_end(ACCOUNT)):
            address, account = record[len(ACCOUNT) :], account_of(value)
            prefix = STORAGE + address
            slots = store.iterate(prefix, prefix_end(prefix))
            storage = trie_root({keccak(key[len(prefix) :]): encode_bytes(value) for key, value in slots}, keccak)
            assert storage == account.storage_root
            accounts[keccak(address)] = encode_account(account)
        return trie_root(accounts, keccak) if accounts else EMPTY_ROOT


def check_bounds(directory: Path, keep: int) -> int:
    """See that what was to be forgotten is, whole, and nothing else; the oldest height whose state is kept."""
    with opened(directory) as chain:
        head, oldest = chain.head.number, chain.oldest
        assert oldest <= max(0, head - keep)
        first = max(0, oldest - BLOCKS_BEHIND)
        for number in range(1, head + 1):
            if number < first:
                with pytest.raises(Pruned):
                    chain.block(number)
            else:
                assert len(chain.receipts(number)) == len(chain.block(number).transactions)
        sent = [sum(chain.world(at).nonce(account.address) for account in dev_accounts()) for at in (oldest, head)]
        assert sent[1] - sent[0] == sum(len(chain.block(n).transactions) for n in range(oldest + 1, head + 1))
        root = chain.head.state_root
    assert root_of(directory) == root
    with open_store(directory, create=False) as store:
        diffs = [int.from_bytes(key[1:], "big") for key in store.keys(DIFF, prefix_end(DIFF))]
        assert diffs == list(range(oldest + 1, head + 1))
        changed = {int.from_bytes(key[-8:], "big") for key in store.keys(PAST, prefix_end(PAST))}
        assert changed <= set(diffs)
        blocks = list(store.keys(b"Cb", b"Cc"))
        assert [int.from_bytes(key[2:], "big") for key in blocks] == sorted({0, *range(first, head + 1)})
    return oldest


def torment(directory: Path, kills: int, seed: int) -> None:
    """Kill the same chain's nodes again and again, each under load and after another while."""
    token, chance = deployed(directory), random.Random(seed)
    everything: list[str] = []
    height = 0
    for _ in range(kills):
        with NodeProcess(*data_of(directory)).ready() as node:
            clients = load(node, token)
            time.sleep(0.02 + 0.5 * chance.random())
            node.kill()
        for client in clients:
            client.join()
            assert client.refused is None
            everything += client.acknowledged
        height = check(directory, [digest for client in clients for digest in client.acknowledged], height)
    assert len(everything) > kills
    assert check(directory, everything) == height


def test_ten_kills_under_load(tmp_path: Path) -> None:
    torment(tmp_path / "chain", 10, 1)


def test_kills_while_history_is_forgotten(tmp_path: Path) -> None:
    directory, keep, oldest = tmp_path / "chain", 3, 0
    token, chance = deployed(directory), random.Random(3)
    for _ in range(5):
        with NodeProcess(*data_of(directory), "--keep", str(keep)).ready() as node:
            clients = load(node, token)
            time.sleep(0.3 + 0.5 * chance.random())
            node.kill()
        for client in clients:
            client.join()
            assert client.refused is None
        before, oldest = oldest, check_bounds(directory, keep)
        assert oldest >= before
    assert oldest > 0


@pytest.mark.slow
def test_a_hundred_kills_under_load(tmp_path: Path) -> None:
    torment(tmp_path / "chain", 100, 2)


def test_a_node_that_is_told_to_end_loses_nothing(tmp_path: Path) -> None:
    directory = tmp_path / "chain"
    token = deployed(directory)
    with NodeProcess(*data_of(directory)).ready() as node:
        clients = load(node, token)
        time.sleep(0.3)
        assert node.end() == 0
    for client in clients:
        client.join()
    check(directory, [digest for client in clients for digest in client.acknowledged])


LIMITED = """
import resource, signal, sys
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[1]), int(sys.argv[1])))
sys.argv[:] = ["contractvm", *sys.argv[2:]]
from contractvm.cli.__main__ import main
main()
"""


@pytest.mark.skipif(not hasattr(signal, "SIGXFSZ"), reason="no limit on file sizes here to stand for a full disk")
def test_a_full_disk(tmp_path: Path) -> None:
    """Whoever waits is told; what was acknowledged before is there, and a node with room goes on."""
    directory = tmp_path / "chain"
    token = deployed(directory)
    with NodeProcess(*data_of(directory), start=("-c", LIMITED, "200000")).ready() as node:
        clients = load(node, token)
        for client in clients:
            client.join(60)
            assert client.refused is not None
            assert "the disk took no more" in client.refused.message
            assert str(directory) not in client.refused.message, "a client need not know where the chain is"
        asked = node.connect()
        block = int(asked.rpc("eth_blockNumber"), 16)
        assert asked.rpc("eth_getBlockByNumber", hex(block), False)["number"] == hex(block)
        assert node.end() in (0, 1)
    everything = [digest for client in clients for digest in client.acknowledged]
    assert len(everything) > SENDERS
    assert check(directory, everything) >= block
    with NodeProcess(*data_of(directory)).ready() as node:
        raw = replace(SHAPE, to=token, value=0, nonce=0).sign(dev_accounts()[9].secret).encode()
        assert node.connect().rpc("eth_sendRawTransaction", "0x" + raw.hex())


def test_a_clock_that_goes_back() -> None:
    moments = iter([2_000.0, 1_000.0, 1_000.5, 500.0, 3_000.0, 2_999.9, 0.0])
    with Chain(MemoryStore(), machines=[], clock=Clock(lambda: next(moments))) as chain:
        times = [chain.produce().header.timestamp for _ in range(7)]
    assert times == [2_000, 2_001, 2_002, 2_003, 3_000, 3_001, 3_002]


def test_a_clock_that_went_back_while_the_node_was_down(tmp_path: Path) -> None:
    def made(now: float) -> int:
        store = open_store(tmp_path / "chain", create=True)
        with Chain(store, machines=[], clock=Clock(lambda: now)) as chain:
            return chain.produce().header.timestamp

    assert [made(now) for now in (5_000.0, 10.0, 20.0, 6_000.0)] == [5_000, 5_001, 5_002, 6_000]


class TestDirectories:
    """Data directories that a node refuses; each message says which, why and what to do."""

    def refused(self, *options: str) -> str:
        with NodeProcess(*options) as node:
            complaint = node.complaint()
            assert node.process.returncode in (1, 2)
        assert "Traceback" not in complaint
        return complaint

    def test_two_nodes(self, tmp_path: Path) -> None:
        with NodeProcess(*data_of(tmp_path / "chain")).ready() as node:
            assert "in use by another process; stop it or use another data directory" in self.refused(
                *data_of(tmp_path / "chain")
            )
            assert node.connect().rpc("eth_blockNumber") == "0x0"

    def test_another_chain_id(self, tmp_path: Path) -> None:
        with NodeProcess(*data_of(tmp_path / "chain"), "--chain-id", "5").ready() as node:
            assert node.connect().rpc("eth_chainId") == "0x5"
            assert node.end() == 0
        assert "chain id is 5, not 6" in self.refused(*data_of(tmp_path / "chain"), "--chain-id", "6")
        with NodeProcess(*data_of(tmp_path / "chain")).ready() as node:
            assert node.connect().rpc("eth_chainId") == "0x5"

    def test_another_format(self, tmp_path: Path) -> None:
        open_store(tmp_path / "chain", create=True).close()
        identity = tmp_path / "chain" / "IDENTITY"
        facts = json.loads(identity.read_text())
        identity.write_text(json.dumps(facts | {"format": 0}))
        assert "format 0, this version reads 1; use the version that made it" in self.refused(
            *data_of(tmp_path / "chain")
        )

    @pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root writes where nobody may")
    def test_a_read_only_disk(self, tmp_path: Path) -> None:
        tmp_path.chmod(0o500)
        try:
            complaint = self.refused(*data_of(tmp_path / "chain"))
        finally:
            tmp_path.chmod(0o700)
        assert "cannot be written" in complaint

    def test_something_else(self, tmp_path: Path) -> None:
        (tmp_path / "letter.txt").write_text("dear")
        assert "not a contractvm data directory, it holds letter.txt" in self.refused(*data_of(tmp_path))
        assert (tmp_path / "letter.txt").read_text() == "dear"

    def test_a_place_that_cannot_be_written(self, tmp_path: Path) -> None:
        (tmp_path / "file").write_text("")
        complaint = self.refused(*data_of(tmp_path / "file" / "chain"))
        assert str(tmp_path / "file" / "chain") in complaint
        assert "cannot be written" in complaint or "cannot be read" in complaint or "no such data" in complaint
