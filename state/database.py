"""The state on a store: views by height, one atomic batch a block, roots, proofs, and the way back.

Flat records serve reads, the tries serve roots and proofs; both change in the same batch, together with whatever
records the caller adds (blocks, receipts, its head). A block's root is computed without writing anything, because its
header needs it first: `prepare`, then `commit`. Each block leaves what its records held before, by which older heights
are read and `revert_to` goes back. Roots are Ethereum's (Yellow Paper, appendix D, and section 4.1); proofs are
EIP-1186's.

One thread prepares, commits, reverts and prunes; any thread may take and read views.
"""

from collections.abc import Callable, Iterable, Mapping
from threading import Lock

from state.account import EMPTY_CODE_HASH, Account, account_of, account_record, encode_account
from state.cache import Cache, Paths
from state.codec import decode, decode_uint, encode, encode_bytes, wrap_list
from state.dataclass import dataclass
from state.errors import StoreCorrupt
from state.history import FORGOTTEN_TOGETHER, forgotten, remembered, undone, within
from state.merkle import EMPTY_ROOT, Keccak
from state.ordered import prefix_end
from state.overlay import OverlaySnapshot, OverlayStore
from state.proofs import AccountProof, prove_account
from state.recent import Recent
from state.records import (
    ACCOUNT,
    ACCOUNT_TRIE,
    CODE,
    HEAD,
    STORAGE,
    STORAGE_TRIE,
    check_meta,
)
from state.store import MemorySnapshot, MemoryStore, Reader, Store
from state.trie import Trie
from state.trie_records import LookUp
from state.view import EmptyStretches, LatestView, PastView, View
from state.world import AccountChange, World

NODE_CACHE_BYTES = 64 << 20
_HASHES = b"\xa0" + EMPTY_ROOT + b"\xa0" + EMPTY_CODE_HASH
"""What an account that has neither code nor storage has in the trie, and not in its flat record."""

Records = dict[bytes, bytes | None]


class HeightError(ValueError):
    """A height whose state is not kept; the message names those that are."""


@dataclass(slots=True)
class Prepared:
    """A block's changes, computed and not yet written.

    `records` are the flat records, `pasts` what they replaced, `nodes` the tries'; `added` the storage records that
    come to be.
    """

    height: int
    root: bytes
    records: Records
    pasts: Records
    nodes: Records
    added: list[bytes]
    version: int


@dataclass(frozen=True, slots=True)
class Restorepoint:
    """A state in memory that `StateDB.restore` goes back to."""

    snapshot: MemorySnapshot | OverlaySnapshot


class _Changes:
    """What a block does to the records, collected while it is worked out."""

    __slots__ = ("accounts", "added", "nodes", "old", "records")

    def __init__(self) -> None:
        self.records: Records = {}
        self.old: dict[bytes, bytes] = {}
        self.nodes: Records = {}
        self.added: list[bytes] = []
        self.accounts: Records = {}

    def put(self, record: bytes, old: bytes, value: bytes) -> None:
        """Change a flat record from `old` to `value`; empty is absent."""
        self.records[record] = value or None
        self.old[record] = old


class StateDB:
    """The state in `store`.

    Args:
        store: where everything is; the caller closes it.
        keccak: keccak-256.
        cache_bytes: memory for trie records of a store on disk.

    Raises:
        StoreCorrupt: the head record does not parse, or the account trie has another root than it says.
    """

    def __init__(self, store: Store, keccak: Keccak, *, cache_bytes: int = NODE_CACHE_BYTES) -> None:
        self._store = store
        self._keccak = keccak
        self._nodes = Cache(cache_bytes, store.get) if store.backend != "memory" else None
        self._storage_node, account_node = self._node_readers()
        self._recent = Recent()
        self._paths = Paths(keccak)
        self._accounts = Trie(account_node, ACCOUNT_TRIE, self._account_leaf, keccak, self._paths.of)
        self._empty = EmptyStretches()
        self._lock = Lock()
        self._height: int | None = None
        self._oldest: int | None = None
        self._root = EMPTY_ROOT
        self._read_head()

    @property
    def height(self) -> int | None:
        """The height of the latest committed state, None before the first."""
        return self._height

    @property
    def oldest(self) -> int | None:
        """The lowest height that `view` and `revert_to` reach, None before the first commit."""
        return self._oldest

    @property
    def root(self) -> bytes:
        """The state root of the latest committed state."""
        return self._root

    def view(self, height: int | None = None) -> View:
        """Return the state after the block at `height`; None: the latest.

        Raises:
            HeightError: `height` is not kept.
        """
        with self._lock:
            if height is None or height == self._height:
                snapshot = self._store.snapshot()
                return LatestView(snapshot, self._keccak, self._height, self._root, self._empty, self._recent)
            self._check_kept(height)
            return PastView(self._store.snapshot(), self._keccak, height)

    def read_ahead(self, world: World) -> None:
        """Have a new world over the latest view read what the last block changed, if that is little.

        The next block mostly reads the same, and then need not wait for it. All of it is in memory: no store is asked.
        """
        for record in self._recent.last:
            if record[:1] == ACCOUNT:
                world.row(record[1:])
            elif record[:1] == STORAGE:
                world.base_storage(record[1:21], record[21:])

    def prepare(self, world: World, height: int) -> Prepared:
        """Work out the records and the root of `world` as the state at `height`, and write nothing.

        Args:
            world: lies over a latest view of this database.
            height: of the new block; the current one to amend the latest state.

        Raises:
            ValueError: `world` lies over something else, or `height` is below the current one.
        """
        base = world.base
        if not isinstance(base, LatestView) or base.version != self._empty.version:
            raise ValueError("the world does not lie over the latest view of this database; take a new view")
        if self._height is not None and height < self._height:
            raise ValueError(f"height {height} is below the current one, {self._height}; revert first")
        changes = _Changes()
        for change in world.changes():
            self._put_account(changes, change, world)
        return self._finish(changes, height)

    def commit(self, prepared: Prepared, meta: Mapping[bytes, bytes | None] | None = None, sync: bool = False) -> None:
        """Write what `prepare` worked out, and `meta`, in one batch.

        Args:
            meta: the caller's own records; keys begin with a byte of 0x20 or more, None deletes.
            sync: return when it would survive a power cut.

        Raises:
            ValueError: something was committed since `prepare`, or `meta` has a reserved key.
            StoreFull: nothing was written.
        """
        if prepared.version != self._empty.version:
            raise ValueError("the state was changed since this was prepared; prepare it again")
        check_meta(meta or {})
        oldest = prepared.height if self._oldest is None else self._oldest
        head: Records = {HEAD: encode([prepared.height, oldest, prepared.root])}
        with self._lock:
            writes = {**prepared.records, **prepared.pasts, **prepared.nodes, **head, **(meta or {})}
            self._store.write(writes, sync)
            self._height, self._oldest, self._root = prepared.height, oldest, prepared.root
            self._empty.advance(prepared.added)
            self._recent.advance(prepared.records)
        if self._nodes is not None:
            self._nodes.update(prepared.nodes)

    def revert_to(self, height: int, meta: Mapping[bytes, bytes | None] | None = None, sync: bool = False) -> None:
        """Undo every block above `height`, in one batch together with `meta`.

        Raises:
            HeightError: `height` is not kept.
            StoreCorrupt: a storage root worked out anew is not the one its account had.
        """
        self._check_kept(height)
        past, gone = undone(self._store, height, self._height or 0)
        changes = _Changes()
        storage: dict[bytes, dict[bytes, bytes]] = {}
        for record, value in past.items():
            if record[:1] == STORAGE:
                storage.setdefault(record[1:21], {})[record[21:]] = value
        for address, slots in storage.items():
            self._put_past_storage(changes, address, slots, past)
        for record, value in past.items():
            if record[:1] == ACCOUNT:
                changes.put(record, self._store.get(record) or b"", value)
                changes.accounts[record[1:]] = encode_account(account_of(value)) if value else None
        root = self._put_accounts(changes)
        version = self._empty.version
        self.commit(Prepared(height, root, changes.records, gone, changes.nodes, changes.added, version), meta, sync)

    def prune(self, below: int, meta: Mapping[bytes, bytes | None] | None = None, sync: bool = False) -> None:
        """Drop what is needed only for heights below `below`, in one batch together with `meta`.

        Raises:
            HeightError: `below` is above the current height, whose state is always kept.
        """
        if self._height is None or self._oldest is None or below <= self._oldest:
            return
        self._check_kept(below)
        check_meta(meta or {})
        gone = forgotten(self._store, self._oldest, below) | dict(meta or {})
        gone[HEAD] = encode([self._height, below, self._root])
        with self._lock:
            self._store.write(gone, sync)
            self._oldest = below

    def reach(self, below: int, records: int = FORGOTTEN_TOGETHER) -> int:
        """Return the height, at most `below`, that `prune` can be given to forget about so many records."""
        if self._oldest is None or below <= self._oldest:
            return below
        return within(self._store, self._oldest, below, records)

    def account_proof(self, address: bytes, keys: Iterable[bytes] = (), height: int | None = None) -> AccountProof:
        """Return the account at `address` and its storage at `keys`, with proofs against the root at `height`.

        `height` None: the latest. Raises: as `records_at`.
        """
        if height is None and self._height is None:
            return prove_account(self._store, address, keys, self._keccak)
        records = self.records_at(self._height or 0 if height is None else height)
        return prove_account(records, address, keys, self._keccak)

    def records_at(self, height: int) -> Reader:
        """Return all records as they were at `height`, tries included; costs what was changed since. From any thread.

        Raises:
            HeightError: `height` is not kept.
        """
        with self._lock:
            self._check_kept(height)
            snapshot, latest = self._store.snapshot(), self._height
        if height == latest:
            return snapshot
        past = OverlayStore(snapshot)
        StateDB(past, self._keccak).revert_to(height)
        return past

    def snapshot(self) -> Restorepoint:
        """Return a point that `restore` goes back to at the cost of what was written since; memory store only.

        Raises:
            ValueError: the store is on disk; `revert_to` is the way back there.
        """
        if not isinstance(self._store, MemoryStore | OverlayStore):
            raise ValueError(f"a {self._store.backend} store has no restore points; use revert_to")
        return Restorepoint(self._store.snapshot())

    def restore(self, point: Restorepoint) -> None:
        """Put the store back to `point`, the caller's records too. The point stays valid.

        Raises:
            ValueError: the store is on disk.
        """
        with self._lock:
            match self._store, point.snapshot:
                case MemoryStore() as store, MemorySnapshot() as snapshot:
                    store.restore(snapshot)
                case OverlayStore() as overlay, OverlaySnapshot() as snapshot:
                    overlay.restore(snapshot)
                case _:
                    raise ValueError(f"a {self._store.backend} store has no restore points; use revert_to")
            self._read_head()
            self._empty.forget()
            self._recent.forget()

    def _read_head(self) -> None:
        self._height = self._oldest = None
        self._root = EMPTY_ROOT
        head = self._store.get(HEAD)
        if head is None:
            return
        try:
            height, oldest, root = (item for item in decode(head) if isinstance(item, bytes))
            self._height, self._oldest, self._root = decode_uint(height), decode_uint(oldest), root
        except ValueError as error:
            raise StoreCorrupt(f"the state's head record does not parse ({error}); restore a copy") from error
        kept = self._accounts.root
        if kept != self._root:
            raise StoreCorrupt(f"the account trie's root is {kept.hex()}, not {self._root.hex()}; restore a copy")

    def _check_kept(self, height: int) -> None:
        if self._height is None or self._oldest is None:
            raise HeightError(f"no state is kept at height {height}: nothing was committed yet")
        if not self._oldest <= height <= self._height:
            raise HeightError(f"no state is kept at height {height}, only from {self._oldest} to {self._height}")

    def _node_readers(self) -> tuple[LookUp, LookUp]:
        """Return what reads records of storage tries and of the account trie."""
        store = self._store
        if self._nodes is not None:
            return self._nodes.get, self._nodes.get
        if isinstance(store, MemoryStore):
            return store.getter(STORAGE_TRIE), store.getter(ACCOUNT_TRIE)
        return store.get, store.get

    def _account_leaf(self, address: bytes) -> bytes | None:
        return _leaf(self._store.get(ACCOUNT + address))

    def _storage_value(self, address: bytes, key: bytes) -> bytes:
        return self._store.get(STORAGE + address + key) or b""

    def _storage_keys(self, address: bytes) -> list[bytes]:
        prefix = STORAGE + address
        return [key[len(prefix) :] for key in self._store.keys(prefix, prefix_end(prefix))]

    def _put_account(self, changes: _Changes, change: AccountChange, world: World) -> None:
        """Add what a world did to one account."""
        address, before, after = change.address, change.before, change.account
        root = EMPTY_ROOT if before is None else before.storage_root
        slots: Mapping[bytes, bytes] = change.storage
        if change.wiped and root != EMPTY_ROOT:
            slots = dict.fromkeys(self._storage_keys(address), b"") | change.storage
        if slots:
            root = self._put_storage(changes, address, slots, root, world.base_storage)
        if after is not None:
            if root != after.storage_root:
                after = Account(after.nonce, after.balance, after.code_hash, root)
            if after.code_hash != EMPTY_CODE_HASH and (before is None or before.code_hash != after.code_hash):
                self._put_code(changes, after.code_hash, world.new_code(after.code_hash))
        # What the last blocks wrote need not be encoded again.
        old = self._recent.records.get(ACCOUNT + address) or (b"" if before is None else account_record(before))
        record = b"" if after is None else account_record(after)
        if record != old:
            changes.put(ACCOUNT + address, old, record)
            changes.accounts[address] = _whole(record) if record else None

    def _put_storage(
        self,
        changes: _Changes,
        address: bytes,
        slots: Mapping[bytes, bytes],
        root: bytes,
        before: Callable[[bytes, bytes], bytes],
    ) -> bytes:
        """Change storage records and their trie, `before` having the old values; return the storage root after it."""
        prefix = STORAGE + address
        leaves: Records = {}
        get, records, replaced = self._store.get, changes.records, changes.old
        for key, value in slots.items():
            old = before(address, key)
            if old == value:
                continue
            record = prefix + key
            records[record] = value or None
            replaced[record] = old
            leaves[key] = encode_bytes(value) if value else None
            if not old:
                changes.added.append(record)
        if not leaves:
            return root

        def leaf(key: bytes) -> bytes | None:
            value = get(prefix + key)
            return None if value is None else encode_bytes(value)

        trie = Trie(self._storage_node, STORAGE_TRIE + address, leaf, self._keccak, self._paths.of)
        return trie.update(leaves, changes.nodes)

    def _put_past_storage(
        self, changes: _Changes, address: bytes, slots: dict[bytes, bytes], past: dict[bytes, bytes]
    ) -> None:
        """Put storage back to `slots`, and check the root against the account's."""
        record = ACCOUNT + address
        now = self._store.get(record)
        then = past.get(record, now)
        before = account_of(now).storage_root if now else EMPTY_ROOT
        root = self._put_storage(changes, address, slots, before, self._storage_value)
        expected = account_of(then).storage_root if then else EMPTY_ROOT
        if root != expected:
            raise StoreCorrupt(
                f"storage of {address.hex()} goes back to root {root.hex()}, its account had {expected.hex()}; "
                "restore a copy"
            )

    def _put_code(self, changes: _Changes, code_hash: bytes, code: bytes | None) -> None:
        if self._store.get(CODE + code_hash) is not None:
            return
        if code is None:
            raise ValueError(f"code {code_hash.hex()} is neither in the store nor set in this world")
        changes.records[CODE + code_hash] = code

    def _put_accounts(self, changes: _Changes) -> bytes:
        """Change the account trie; return the state root after it."""
        if not changes.accounts:
            return self._root
        return self._accounts.update(changes.accounts, changes.nodes)

    def _finish(self, changes: _Changes, height: int) -> Prepared:
        """Compute the root and add the pasts."""
        root = self._put_accounts(changes)
        pasts: Records = {}
        if self._oldest is not None and height > self._oldest:
            pasts = remembered(height, changes.old, self._store if height == self._height else None)
        return Prepared(height, root, changes.records, pasts, changes.nodes, changes.added, self._empty.version)


def _leaf(record: bytes | None) -> bytes | None:
    """Return a stored account as the trie has it. Raises: StoreCorrupt."""
    return None if record is None else encode_account(account_of(record))


def _whole(record: bytes) -> bytes:
    """Return an account as the trie has it, its flat record given."""
    return record if len(record) > len(_HASHES) else wrap_list(record[1:] + _HASHES)
