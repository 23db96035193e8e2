"""A transaction from inside: its calls, where its gas went, what it changed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from contractvm.node import replay
from contractvm.node.explorer.icicle import bars
from contractvm.node.explorer.inside import look, shares
from contractvm.node.explorer.lens import Lens
from contractvm.node.explorer.pages.transaction import digest_of, heading
from contractvm.node.explorer.request import Page
from contractvm.node.explorer.slots import Slot, change_of
from contractvm.types import Hash
from state.account import Account
from state.world import AccountChange, World

SLOTS: Final = 500
ABSENT: Final = Account()


@dataclass(frozen=True, slots=True)
class Changed:
    """An account before and after; `more` slots are not shown."""

    address: bytes
    before: Account
    after: Account
    made: bool
    gone: bool
    slots: tuple[Slot, ...]
    more: int

    @property
    def gained(self) -> int:
        """Wei more than before; less, if negative."""
        return self.after.balance - self.before.balance


def calls(lens: Lens, text: str) -> Page:
    """The call tree. Raises: Missing, Fault, HeightError."""
    digest = digest_of(text)
    facts = heading(lens, digest, "calls")
    return Page("calls.html", {**facts, "inside": look(lens, digest)})


def gas(lens: Lens, text: str) -> Page:
    """Where the gas went. Raises: Missing, Fault, HeightError."""
    digest = digest_of(text)
    facts = heading(lens, digest, "gas")
    inside = look(lens, digest, most=0)
    drawn, height = bars(inside, facts["intrinsic"])
    more: dict[str, Any] = {"inside": inside, "bars": drawn, "height": height, "shares": shares(inside)}
    return Page("gas.html", {**facts, **more})


def changes(lens: Lens, text: str) -> Page:
    """What it changed. Raises: Missing, Fault, HeightError."""
    digest = digest_of(text)
    facts = heading(lens, digest, "state")
    subject = replay.mined(lens.chain, Hash(digest))
    _, after = subject.run()
    found = [changed(lens, subject.world, each) for each in after.changes()]
    listed = sorted((each for each in found if each is not None), key=lambda each: each.address)
    return Page("changes.html", {**facts, "changes": listed})


def changed(lens: Lens, before: World, change: AccountChange) -> Changed | None:
    """What happened to an account; None where it is as it was."""
    address = change.address
    old, new = change.before or ABSENT, change.account or ABSENT
    known = lens.known_code(new.code_hash) or lens.known_code(old.code_hash)
    slots = []
    for key, value in sorted(change.storage.items()):
        was = before.storage(address, key)
        if was != value:
            slots.append(change_of(known, key, was, value))
    same = (old.nonce, old.balance, old.code_hash) == (new.nonce, new.balance, new.code_hash)
    if same and not slots:
        return None
    shown = tuple(slots[:SLOTS])
    gone = change.account is None and change.before is not None
    return Changed(address, old, new, change.before is None, gone, shown, len(slots) - len(shown))
