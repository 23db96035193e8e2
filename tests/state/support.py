"""What the tests of `state` share: keccak, the stores that are installed here, vectors, and a world as plain dicts."""

import json
import os
import zipfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from contractvm.crypto import keccak_function
from state.account import Account, encode_account
from state.codec import encode_bytes
from state.merkle import trie_root
from state.overlay import OverlayStore
from state.store import MemoryStore, Store

keccak = keccak_function()

BACKENDS = ("memory", "overlay", "leveldb", "rocksdb")
DISK_BACKENDS = BACKENDS[2:]
_MODULES = {"leveldb": "plyvel", "rocksdb": "rocksdict"}


def make_store(backend: str, folder: Path, *, create: bool = True) -> Store:
    """Return a store of `backend` at `folder`; skips the test where its library is not installed."""
    if backend == "memory":
        return MemoryStore()
    if backend == "overlay":
        return OverlayStore(MemoryStore())
    need(backend)
    if backend == "leveldb":
        from state.level import LevelStore

        return LevelStore(folder, create=create)
    from state.rocks import RocksStore

    return RocksStore(folder, create=create)


def need(backend: str) -> None:
    """Skip the test where the library of `backend` is not installed."""
    if find_spec(_MODULES[backend]) is None:
        pytest.skip(f"{_MODULES[backend]} is not installed on this Python, so there is no {backend} store")


def installed_backends() -> list[str]:
    """Return the backends that can be used here, memory first."""
    return ["memory", *(backend for backend, module in _MODULES.items() if find_spec(module) is not None)]


def vectors(name: str) -> Any:
    """Return one JSON file of ethereum/tests; skips the test where the pack is missing."""
    folder = os.environ.get("CONTRACTVM_VECTORS") or Path(__file__).parents[3] / "shared" / "vectors"
    pack = Path(folder) / "evm-tests.zip"
    if not pack.exists():
        pytest.skip(f"{pack} is missing: set CONTRACTVM_VECTORS to the folder of the vectors")
    with zipfile.ZipFile(pack) as archive:
        return json.loads(archive.read(name))


def unhex(text: str) -> bytes:
    """Return the bytes of a vector's string: hex after 0x, else its UTF-8."""
    return bytes.fromhex(text[2:]) if text.startswith("0x") else text.encode()


@dataclass
class PlainAccount:
    """An account of a model world."""

    nonce: int = 0
    balance: int = 0
    code: bytes = b""
    storage: dict[bytes, bytes] = field(default_factory=dict)

    def copy(self) -> "PlainAccount":
        return PlainAccount(self.nonce, self.balance, self.code, dict(self.storage))


PlainWorld = dict[bytes, PlainAccount]


def copied(world: PlainWorld) -> PlainWorld:
    """Return a copy that shares nothing that changes."""
    return {address: account.copy() for address, account in world.items()}


def storage_root(storage: Mapping[bytes, bytes]) -> bytes:
    """Return the root of a model account's storage."""
    return trie_root({keccak(key): encode_bytes(value) for key, value in storage.items()}, keccak)


def state_root(world: PlainWorld) -> bytes:
    """Return the root of a model world."""
    leaves = {
        keccak(address): encode_account(
            Account(account.nonce, account.balance, keccak(account.code), storage_root(account.storage))
        )
        for address, account in world.items()
    }
    return trie_root(leaves, keccak)


def next_in(
    keys: Mapping[bytes, bytes], key: bytes | None, *, inclusive: bool, stop: bytes | None, reverse: bool
) -> bytes | None:
    """Return what `World.next_key` must return where `keys` are alive."""
    if reverse:
        low = [k for k in keys if key is None or k < key or (inclusive and k == key)]
        return max((k for k in low if stop is None or k >= stop), default=None)
    high = [k for k in keys if key is None or k > key or (inclusive and k == key)]
    return min((k for k in high if stop is None or k < stop), default=None)


class CountingStore:
    """A store that counts the walks started over it and over its snapshots."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.walks = 0
        self.backend = store.backend
        self.get = store.get
        self.write = store.write
        self.close = store.close

    def __enter__(self) -> "CountingStore":
        return self

    def __exit__(self, *problem: object) -> None:
        self.close()

    def iterate(self, start: bytes, stop: bytes | None, reverse: bool = False) -> Iterator[tuple[bytes, bytes]]:
        self.walks += 1
        return self._store.iterate(start, stop, reverse)

    def keys(self, start: bytes, stop: bytes | None, reverse: bool = False) -> Iterator[bytes]:
        self.walks += 1
        return self._store.keys(start, stop, reverse)

    def snapshot(self) -> "CountingSnapshot":
        return CountingSnapshot(self)

    def inner_snapshot(self) -> Any:
        return self._store.snapshot()


class CountingSnapshot:
    """A snapshot of a `CountingStore`."""

    def __init__(self, store: CountingStore) -> None:
        self._store = store
        self._snapshot = store.inner_snapshot()
        self.get: Callable[[bytes], bytes | None] = self._snapshot.get
        self.close: Callable[[], None] = self._snapshot.close

    def iterate(self, start: bytes, stop: bytes | None, reverse: bool = False) -> Iterator[tuple[bytes, bytes]]:
        self._store.walks += 1
        found: Iterator[tuple[bytes, bytes]] = self._snapshot.iterate(start, stop, reverse)
        return found

    def keys(self, start: bytes, stop: bytes | None, reverse: bool = False) -> Iterator[bytes]:
        self._store.walks += 1
        found: Iterator[bytes] = self._snapshot.keys(start, stop, reverse)
        return found
