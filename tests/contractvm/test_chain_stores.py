"""Chains and the stores under them: what is there again, what is refused untouched, and disks that fail."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from contractvm.chain import Chain
from contractvm.errors import Fatal
from contractvm.genesis import Genesis
from contractvm.host import Host
from contractvm.identity import IncompatibleChain
from contractvm.rules import contract_rules
from state.directory import open_store
from state.errors import StoreError, StoreFull, StoreLocked
from state.store import MemoryStore, Store
from tests.contractvm.chains import ALICE, BOB, TRANSFER, deploy, fingerprint, open_chain, send


def test_it_is_all_there_again(tmp_path: Path) -> None:
    with open_chain(open_store(tmp_path / "c", create=True)) as chain:
        address = deploy(chain)
        digest = send(chain, replace(TRANSFER, to=address, value=0))
        chain.produce()
        before, receipt = fingerprint(chain), chain.receipt(digest)
    with open_chain(open_store(tmp_path / "c", create=False)) as chain:
        assert fingerprint(chain) == before
        assert chain.receipt(digest) == receipt
        assert chain.world(1).storage(address, b"n") == b"\0\0\0\x01"
        send(chain, replace(TRANSFER, to=address, value=0))
        chain.produce()
        assert chain.world().storage(address, b"n") == b"\0\0\0\x03"


def test_both_stores_give_the_same_blocks(tmp_path: Path) -> None:
    heads = []
    for where in (MemoryStore(), open_store(tmp_path / "c", create=True)):
        with open_chain(where) as chain:
            address = deploy(chain)
            send(chain, replace(TRANSFER, to=address, value=0))
            chain.produce()
            heads.append(chain.head.hash)
    assert heads[0] == heads[1]


def touched(store: Store) -> dict[bytes, bytes]:
    """All that a store holds."""
    return dict(store.iterate(b"", None))


def test_another_chain_is_refused_untouched() -> None:
    kept = MemoryStore()
    open_chain(kept)
    before = touched(kept)
    with pytest.raises(IncompatibleChain, match="chain id is 31337, not 5"):
        open_chain(kept, Genesis(chain_id=5))
    other = contract_rules()
    other = replace(other, limits=replace(other.limits, locals=7))
    with pytest.raises(IncompatibleChain, match="made under rules"):
        Chain(kept, rules=other, machines=[])
    assert touched(kept) == before


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({b"Ci": None}, "no chain of ours"),
        ({b"Ci": b"junk"}, "identity record is damaged"),
        ({b"Ci": b"\x81\xa6format\x02"}, "format 2; this version reads format 1"),
        ({b"Ci": b"\x81\xa6format\x01"}, "lacks a field"),
        ({b"Ch": None}, "no head"),
    ],
)
def test_a_foreign_or_damaged_store_is_refused_untouched(change: Mapping[bytes, bytes | None], says: str) -> None:
    kept = MemoryStore()
    open_chain(kept)
    kept.write(change)
    before = touched(kept)
    with pytest.raises(IncompatibleChain, match=says):
        open_chain(kept)
    assert touched(kept) == before


def test_another_backend_is_refused(tmp_path: Path) -> None:
    kept = MemoryStore()
    open_chain(kept)
    moved = open_store(tmp_path / "c", create=True)
    moved.write(touched(kept))
    with pytest.raises(IncompatibleChain, match="made on memory"):
        open_chain(moved)
    moved.close()


def test_two_writers(tmp_path: Path) -> None:
    with open_chain(open_store(tmp_path / "c", create=True)) as chain:
        with pytest.raises(StoreLocked):
            open_store(tmp_path / "c", create=False)
        chain.produce()


class FullDisk(MemoryStore):
    """A store whose disk fills up when told."""

    full = False

    def write(self, puts: Mapping[bytes, bytes | None], sync: bool = False) -> None:
        if self.full:
            raise StoreFull("no space left")
        super().write(puts, sync)


def test_a_full_disk_makes_no_block() -> None:
    disk = FullDisk()
    with open_chain(disk) as chain:
        chain.produce()
        digest = send(chain, TRANSFER)
        before, kept = fingerprint(chain), touched(disk)
        disk.full = True
        with pytest.raises(StoreFull):
            chain.produce()
        with pytest.raises(StoreFull):
            chain.edit(lambda world: world.set_balance(BOB.address, 1))
        assert fingerprint(chain) == before
        assert touched(disk) == kept
        disk.full = False
        chain.produce()
        assert chain.receipt(digest) is not None


def test_our_own_bug_makes_no_block() -> None:
    def broken(host: Host, entry: str) -> bytes:
        if entry == "call":
            raise Fatal("a bug")
        return b""

    with open_chain(broken=broken) as chain:
        address = deploy(chain, "broken")
        digest = send(chain, replace(TRANSFER, to=address))
        with pytest.raises(Fatal):
            chain.produce()
        assert chain.head.number == 1
        assert chain.pool.drop(digest)
        assert chain.produce().number == 2


def test_a_lost_header_is_fatal() -> None:
    kept = MemoryStore()
    with open_chain(kept) as chain:
        digest = send(chain, TRANSFER)
        chain.produce()
        chain.produce()
        kept.write({b"Cb" + (1).to_bytes(8, "big"): None})
        with pytest.raises(Fatal, match="damaged"):
            chain.receipt(digest)
        with pytest.raises(Fatal, match="missing"):
            chain.header(1)


@pytest.mark.parametrize("seed", range(12))
def test_a_damaged_file_is_an_error_or_harmless(seed: int, tmp_path: Path) -> None:
    """A byte anywhere on disk is changed, or a file cut: what is read is what was written, or a clear error."""
    folder = tmp_path / "c"
    with open_chain(open_store(folder, create=True)) as chain:
        address = deploy(chain)
        for _ in range(3):
            send(chain, replace(TRANSFER, to=address, value=0))
            chain.produce()
        hashes = [chain.block(number).hash for number in range(chain.head.number + 1)]
    chance = random.Random(seed)
    file = chance.choice(sorted(path for path in folder.rglob("*") if path.is_file() and path.stat().st_size))
    content = bytearray(file.read_bytes())
    if chance.random() < 0.3:
        del content[chance.randrange(len(content)) :]
    else:
        content[chance.randrange(len(content))] ^= 1 << chance.randrange(8)
    file.write_bytes(content)
    try:
        store = open_store(folder, create=False)
    except StoreError as error:
        assert str(folder) in str(error)
        return
    with store:
        try:
            chain = open_chain(store)
            found = [chain.block(number).hash for number in range(chain.head.number + 1)]
            chain.receipts()
            nonce = chain.world().nonce(ALICE.address)
        except (StoreError, IncompatibleChain, Fatal):
            return
    if found[0] == hashes[0]:
        assert found == hashes[: len(found)]
        assert nonce == len(found) - 1
    else:
        assert len(found) == 1, "an emptied store founds a new chain"
