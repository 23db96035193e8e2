"""kill -9 at random moments: no acknowledged block is lost, none is half there, and the next process goes on."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import time
from importlib.util import find_spec
from pathlib import Path

import pytest

from contractvm.chain import Chain
from contractvm.crypto import keccak_function
from state.directory import open_store
from state.trie import verify_proof
from tests.contractvm.chains import adder
from tests.contractvm.fake import FakeMachine
from tests.contractvm.kill_child import ALICE

BACKENDS = [backend for backend, module in (("leveldb", "plyvel"), ("rocksdb", "rocksdict")) if find_spec(module)]
"""Those installed, the one that a new directory gets first."""
ROOT = Path(__file__).parents[2]
Acknowledged = dict[int, tuple[str, list[str]]]


def run_and_kill(directory: Path, chance: random.Random, backend: str) -> Acknowledged:
    """Start the child, kill it after some acknowledgements and a moment more, return what it had said."""
    command = [sys.executable, "-m", "tests.contractvm.kill_child", str(directory), backend]
    child = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert child.stdout is not None and child.stderr is not None
    lines: list[bytes] = []
    try:
        if chance.random() < 0.1:
            # In the middle of starting, or of creating the directory.
            time.sleep(chance.random() * 0.6)
        else:
            for _ in range(chance.randrange(1, 30)):
                lines.append(child.stdout.readline())
            time.sleep(chance.random() * 0.01)
    finally:
        child.kill()
        rest, complaints = child.communicate()
    assert child.returncode == -9, complaints.decode()
    return read(b"".join(lines) + rest)


def read(output: bytes) -> Acknowledged:
    """What whole lines of a child's output say."""
    said: Acknowledged = {}
    for line in output.splitlines(keepends=True):
        if line.endswith(b"\n"):
            number, block, *transactions = line.decode().split()
            said[int(number)] = block, transactions
    return said


def check(directory: Path, said: Acknowledged) -> None:
    """Open what the killed process left, and compare it with what was said and with itself."""
    with Chain(open_store(directory, create=True), machines=[FakeMachine({"adder": adder})]) as chain:
        head = chain.head
        assert head.number >= max(said, default=0)
        for number, (block_hash, transactions) in said.items():
            block = chain.block(number)
            assert block.hash.hex() == block_hash
            assert [tx.hash.hex() for tx in block.transactions] == transactions
            for digest in transactions:
                receipt = chain.receipt(bytes.fromhex(digest))
                assert receipt is not None and receipt.ok and receipt.block_number == number
        count = len(chain.block().transactions)
        assert len(chain.receipts()) == count
        if head.number:
            assert head.parent_hash == chain.header(head.number - 1).hash
            assert chain.world(head.number - 1).nonce(ALICE.address) + count == chain.world().nonce(ALICE.address)
        proof = chain.proof(ALICE.address)
        keccak = keccak_function()
        assert proof.account is not None
        assert verify_proof(head.state_root, keccak(ALICE.address), proof.proof, keccak) is not None
        assert proof.account.nonce == chain.world().nonce(ALICE.address)


def torment(directory: Path, kills: int, seed: int, backend: str) -> None:
    """Kill the same chain's processes again and again."""
    chance = random.Random(seed)
    everything: Acknowledged = {}
    for _ in range(kills):
        said = run_and_kill(directory, chance, backend)
        assert not everything.keys() & said.keys()
        check(directory, said)
        everything |= said
    assert len(everything) >= kills
    check(directory, everything)


@pytest.mark.parametrize(("backend", "kills"), [(BACKENDS[0], 15), *((other, 5) for other in BACKENDS[1:])])
def test_a_few_kills(backend: str, kills: int, tmp_path: Path) -> None:
    torment(tmp_path / "chain", kills, 1, backend)


@pytest.mark.slow
@pytest.mark.parametrize("backend", BACKENDS)
def test_two_hundred_kills(backend: str, tmp_path: Path) -> None:
    torment(tmp_path / "chain", 200, 2, backend)


@pytest.mark.skipif(not hasattr(signal, "SIGXFSZ"), reason="no limit on file sizes here to stand for a full disk")
def test_a_full_disk(tmp_path: Path) -> None:
    """The process that meets a full disk says so and ends; every block it had acknowledged is there afterwards."""
    command = [sys.executable, "-m", "tests.contractvm.kill_child", str(tmp_path / "chain"), BACKENDS[0], "100000"]
    child = subprocess.run(command, cwd=ROOT, capture_output=True, timeout=120)
    assert child.returncode == 1
    assert b"StoreFull: " in child.stderr
    assert str(tmp_path / "chain").encode() in child.stderr
    said = read(child.stdout)
    assert len(said) > 5
    check(tmp_path / "chain", said)
    check(tmp_path / "chain", run_and_kill(tmp_path / "chain", random.Random(3), BACKENDS[0]) | said)
