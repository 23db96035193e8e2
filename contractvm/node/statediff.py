"""What a transaction changed, or what changed between two blocks: accounts, code and storage, before and after.

A transaction's changes are those of a world that it is run on. Between blocks each block's list of the records that it
changed is read, and what they held at both heights is compared, so that edits count which no transaction made.
Source: `state.records` for the lists. Never: more entries than a bound; then `truncated` says so.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from contractvm.chain import Chain
from contractvm.errors import Fatal
from contractvm.node.artifacts import Artifacts
from contractvm.node.replay import Subject
from contractvm.node.words import Document, change_words
from state.account import EMPTY_CODE_HASH, Account, Base
from state.codec import decode
from state.records import ACCOUNT, DIFF, STORAGE, height_bytes
from state.view import LatestView
from state.world import World

MOST: Final = 20_000
"""Accounts and slots in one answer."""
MOST_RECORDS: Final = 1_000_000
"""Changed records that are looked at between two blocks."""
_ADDRESS: Final = 20


@dataclass(slots=True)
class Change:
    """An account before and after, None where there was none, and its slots that have another value."""

    before: Account | None = None
    after: Account | None = None
    slots: dict[bytes, tuple[bytes, bytes]] = field(default_factory=dict)


Changes = dict[bytes, Change]


def of_transaction(subject: Subject) -> Changes:
    """What a transaction changed, the payment of its gas included."""
    _, world = subject.run()
    return dict(_changes(world))


def _changes(world: World) -> Iterator[tuple[bytes, Change]]:
    for change in world.changes():
        address = change.address
        written = {key: (world.base_storage(address, key), value) for key, value in change.storage.items()}
        if change.wiped:
            for key in _keys(world, address):
                written.setdefault(key, (world.base_storage(address, key), b""))
        slots = {key: pair for key, pair in sorted(written.items()) if pair[0] != pair[1]}
        before, after = change.before, change.account
        if slots or before != after:
            yield address, Change(before, after, slots)


def _keys(world: World, address: bytes) -> Iterator[bytes]:
    """Storage keys that the account had before."""
    seek = world.base.next_key
    key = seek(address, None, inclusive=True, stop=None)
    while key is not None:
        yield key
        key = seek(address, key, inclusive=False, stop=None)


def between(chain: Chain, low: int, high: int) -> tuple[Changes, bool]:
    """What changed from the state after block `low` to that after `high`; and whether all of it.

    Raises: HeightError when one of them is not kept.
    """
    # In this order: should blocks be forgotten in between, the lower state is gone, and that is an error.
    view = chain.world().base
    old, new = chain.world(low), chain.world(high)
    changes: Changes = {}
    whole = True
    seen: set[bytes] = set()
    for record in _records(view, low, high):
        if len(seen) >= MOST_RECORDS or len(changes) >= MOST:
            whole = False
            break
        if record in seen:
            continue
        seen.add(record)
        address = record[1 : 1 + _ADDRESS]
        if record[:1] == STORAGE:
            key = record[1 + _ADDRESS :]
            pair = old.storage(address, key), new.storage(address, key)
            if pair[0] != pair[1]:
                changes.setdefault(address, Change()).slots[key] = pair
        elif record[:1] == ACCOUNT:
            pair_of_accounts = old.base.account(address), new.base.account(address)
            if pair_of_accounts[0] != pair_of_accounts[1]:
                changes.setdefault(address, Change())
    for address, change in changes.items():
        change.before, change.after = old.base.account(address), new.base.account(address)
        change.slots = dict(sorted(change.slots.items()))
    return dict(sorted(changes.items())), whole


def _records(view: Base, low: int, high: int) -> Iterator[bytes]:
    """The records that the blocks above `low` up to `high` changed, some of them more than once."""
    if not isinstance(view, LatestView):
        raise Fatal("the head's state is no latest view")
    for height in range(low + 1, high + 1):
        listed = view.record(DIFF + height_bytes(height))
        if listed is not None:
            yield from (record for record in decode(listed) if isinstance(record, bytes))


def documents(changes: Changes, artifacts: Artifacts) -> tuple[dict[str, Document], bool]:
    """The changes as they are told, by address; and whether all of them."""
    told: dict[str, Document] = {}
    room = MOST
    for address, change in changes.items():
        room -= 1
        if room < 0:
            return told, False
        document = _account(change)
        holder = change.after or change.before
        known = artifacts.get(holder.code_hash) if holder is not None else None
        if known is not None:
            document["contract"] = known.name
        slots = list(change.slots.items())[:room]
        if slots:
            document["storage"] = [
                {
                    "key": "0x" + key.hex(),
                    "before": "0x" + before.hex(),
                    "after": "0x" + after.hex(),
                    **change_words(known, key, before, after),
                }
                for key, (before, after) in slots
            ]
        told["0x" + address.hex()] = document
        room -= len(slots)
        if len(slots) < len(change.slots):
            return told, False
    return told, True


def _account(change: Change) -> Document:
    """Balance, nonce and code, as far as they changed."""
    before, after = change.before or Account(), change.after or Account()
    document: Document = {}
    if change.before is None:
        document["created"] = True
    if change.after is None:
        document["removed"] = True
    if before.balance != after.balance:
        document["balance"] = {"before": str(before.balance), "after": str(after.balance)}
    if before.nonce != after.nonce:
        document["nonce"] = {"before": before.nonce, "after": after.nonce}
    if before.code_hash != after.code_hash:
        document["codeHash"] = {"before": _hash(before.code_hash), "after": _hash(after.code_hash)}
    return document


def _hash(code_hash: bytes) -> str | None:
    return None if code_hash == EMPTY_CODE_HASH else "0x" + code_hash.hex()
