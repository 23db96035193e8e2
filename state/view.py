"""The state at one height, unchanging: what worlds, calls and proofs read.

`LatestView` reads plain records, those that the last blocks wrote from memory and others through a store snapshot.
`PastView` looks for the first change after its height and takes what was there before it, else the latest value. A
view may be read from any thread and sees nothing of later commits; letting go of it (`close`, or dropping it) frees
what its snapshot holds back.
"""

from collections.abc import Callable, Iterator
from threading import Lock
from typing import TypeAlias

from state.account import Account, account_of
from state.errors import StoreCorrupt
from state.merkle import Keccak
from state.ordered import Gaps, prefix_end, successor
from state.recent import UNKNOWN, Recent
from state.records import ACCOUNT, CODE, STORAGE, past_end, past_key, past_start, record_of_past
from state.store import Snapshot

_PLACE = 21  # bytes of tag and address before a storage key
_MOST_GAPS = 1 << 14

Find: TypeAlias = Callable[[bytes, bytes, bool], "bytes | None"]
"""Finds the first record in a range (the last, if the third argument is set)."""


class EmptyStretches:
    """Stretches of storage records that were looked through and found empty; all latest views share theirs.

    A disk store passes the tombstones of removed keys one by one until it compacts them; here they are passed once.
    `version` counts commits: a view of an earlier one neither reads nor adds. When there are too many they are all
    forgotten, which costs a look through the store each, `_MOST_GAPS` iterator steps apart at least. Records that come
    to be are taken out of the stretches when somebody next looks: few transactions do.
    """

    __slots__ = ("_added", "_gaps", "_lock", "version")

    def __init__(self) -> None:
        self._gaps = Gaps()
        self._added: list[bytes] = []
        self._lock = Lock()
        self.version = 0

    def look(self, version: int, low: bytes, high: bytes, reverse: bool, find: Find) -> bytes | None:
        """Return the first record in `[low, high)` (the last, if `reverse`), and remember what is empty before it.

        Args:
            version: of the view that looks.
            find: looks through a range of records that is not known to be empty.
        """
        with self._lock:
            known = self._now() if version == self.version else Gaps()
            start, end = known.end_of(low), known.start_of(high)
        found = None
        if start is not None and end is not None:
            start, end = (low, end) if reverse else (start, high)
            found = find(start, end, reverse) if start < end else None
        with self._lock:
            if version == self.version:
                if len(self._gaps) >= _MOST_GAPS:
                    self._gaps.clear()
                if found is None:
                    self._gaps.add(low, high)
                elif reverse:
                    self._gaps.add(successor(found), high)
                else:
                    self._gaps.add(low, found)
        return found

    def advance(self, added: list[bytes]) -> None:
        """Go to the next version, in which the records at `added` have come to be."""
        with self._lock:
            self.version += 1
            if len(self._gaps):
                self._added += added
                if len(self._gaps) + len(self._added) > _MOST_GAPS:
                    self._clear()

    def forget(self) -> None:
        """Go to the next version, knowing nothing."""
        with self._lock:
            self.version += 1
            self._clear()

    def _now(self) -> Gaps:
        """The stretches as they are in this version. The lock is held."""
        for key in self._added:
            self._gaps.split(key)
        self._added.clear()
        return self._gaps

    def _clear(self) -> None:
        self._gaps.clear()
        self._added.clear()


class LatestView:
    """The state as it was last committed when the view was taken."""

    __slots__ = ("_empty", "_recent", "_recent_version", "_snapshot", "height", "keccak", "root", "version")

    def __init__(
        self,
        snapshot: Snapshot,
        keccak: Keccak,
        height: int | None,
        root: bytes,
        empty: EmptyStretches,
        recent: Recent,
    ) -> None:
        """`empty` and `recent` know the records of the snapshot now, and of later ones later."""
        self._snapshot = snapshot
        self._empty = empty
        self._recent = recent
        self.version = empty.version
        self._recent_version = recent.version
        self.keccak = keccak
        self.height = height
        self.root = root

    def close(self) -> None:
        """Let go of the snapshot."""
        self._snapshot.close()

    def record(self, key: bytes) -> bytes | None:
        """Return any record as of this view, the caller's own too."""
        return self._snapshot.get(key)

    def account(self, address: bytes) -> Account | None:
        """Return the account at `address`, None when there is none."""
        data = self._flat(ACCOUNT + address)
        return None if data is None else account_of(data)

    def storage(self, address: bytes, key: bytes) -> bytes:
        """Return the value at `key` of the account's storage, empty when there is none."""
        return self._flat(STORAGE + address + key) or b""

    def code(self, code_hash: bytes) -> bytes:
        """Return the code with this hash.

        Raises:
            StoreCorrupt: an account names it, but it is not in the store.
        """
        return _code(self._snapshot, code_hash)

    def next_key(
        self, address: bytes, key: bytes | None, *, inclusive: bool, stop: bytes | None, reverse: bool = False
    ) -> bytes | None:
        """Return the storage key next to `key`; see `World.next_key`."""
        low, high = _range(address, key, inclusive, stop, reverse)
        found = self._empty.look(self.version, low, high, reverse, self._find)
        return None if found is None else found[_PLACE:]

    def _flat(self, place: bytes) -> bytes | None:
        record = self._recent.records.get(place, UNKNOWN)
        # In this order: had a later block come in between, the record might be its own.
        if record is UNKNOWN or self._recent.version != self._recent_version:
            return self._snapshot.get(place)
        return record

    def _find(self, low: bytes, high: bytes, reverse: bool) -> bytes | None:
        return next(self._snapshot.keys(low, high, reverse), None)


class PastView:
    """The state as it was after the block at `height`, with later ones committed."""

    __slots__ = ("_empty", "_snapshot", "height", "keccak")

    def __init__(self, snapshot: Snapshot, keccak: Keccak, height: int) -> None:
        self._snapshot = snapshot
        self._empty = EmptyStretches()  # keys that came to be after `height` are passed once, too
        self.keccak = keccak
        self.height = height

    def close(self) -> None:
        """Let go of the snapshot."""
        self._snapshot.close()

    def account(self, address: bytes) -> Account | None:
        """Return the account at `address`, None when there was none."""
        data = self._at(ACCOUNT + address)
        return account_of(data) if data else None

    def storage(self, address: bytes, key: bytes) -> bytes:
        """Return the value at `key` of the account's storage, empty when there was none."""
        return self._at(STORAGE + address + key)

    def code(self, code_hash: bytes) -> bytes:
        """Return the code with this hash; see `LatestView.code`."""
        return _code(self._snapshot, code_hash)

    def next_key(
        self, address: bytes, key: bytes | None, *, inclusive: bool, stop: bytes | None, reverse: bool = False
    ) -> bytes | None:
        """Return the storage key next to `key`; see `World.next_key`."""
        low, high = _range(address, key, inclusive, stop, reverse)
        found = self._empty.look(0, low, high, reverse, self._find)
        return None if found is None else found[_PLACE:]

    def _find(self, low: bytes, high: bytes, reverse: bool) -> bytes | None:
        while low < high:
            near = [found for found in self._nearest(low, high, reverse) if found is not None]
            if not near:
                return None
            record = max(near) if reverse else min(near)
            if self._at(record):
                return record
            if reverse:
                high = record
            else:
                low = successor(record)
        return None

    def _nearest(self, low: bytes, high: bytes, reverse: bool) -> Iterator[bytes | None]:
        """Yield the next record that is there now, and the next that has a past; either may be the answer."""
        yield next(self._snapshot.keys(low, high, reverse), None)
        past = next(self._snapshot.keys(past_start(low), past_start(high), reverse), None)
        record = None if past is None else record_of_past(past)
        if record is not None and not low <= record < high:
            raise StoreCorrupt(f"the past of {record.hex()} is out of order in the store; restore a copy")
        yield record

    def _at(self, record: bytes) -> bytes:
        """Return what `record` held at this height, empty for nothing."""
        for _, value in self._snapshot.iterate(past_key(record, self.height + 1), past_end(record)):
            return value
        return self._snapshot.get(record) or b""


View = LatestView | PastView


def _code(snapshot: Snapshot, code_hash: bytes) -> bytes:
    code = snapshot.get(CODE + code_hash)
    if code is None:
        raise StoreCorrupt(f"code {code_hash.hex()} is not in the store although an account has it; restore a copy")
    return code


def _range(
    address: bytes, key: bytes | None, inclusive: bool, stop: bytes | None, reverse: bool
) -> tuple[bytes, bytes]:
    """Return the records, from the first to before the second, among which `next_key` looks."""
    prefix = STORAGE + address
    end = prefix_end(prefix)
    low, high = prefix, end if end is not None else STORAGE + b"\xff" * 64
    if key is not None:
        edge = prefix + (successor(key) if inclusive == reverse else key)
        if reverse:
            high = edge
        else:
            low = edge
    if stop is not None:
        if reverse:
            low = max(low, prefix + stop)
        else:
            high = min(high, prefix + stop)
    return low, high
