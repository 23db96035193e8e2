"""A transaction from inside: its calls, where its gas went, what it changed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from contractvm.node import replay, statediff
from contractvm.node.explorer.icicle import bars
from contractvm.node.explorer.inside import look
from contractvm.node.explorer.lens import Lens
from contractvm.node.explorer.pages.transaction import digest_of, heading
from contractvm.node.explorer.request import Page
from contractvm.node.explorer.slots import Slot, change_of
from contractvm.node.profiles import profile
from contractvm.node.statediff import Change
from contractvm.types import Hash
from state.account import Account

SLOTS: Final = 500
LISTED: Final = 15
"""Lines and functions of the profile on a page; `cvm_profile` gives all."""
FOLLOWED: Final = 600_000
COUNTED: Final = 300_000
"""Instructions that a page follows for their places, and that it counts: about a second of work each."""
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
    return Page("calls.html", {**facts, "inside": look(lens, digest, FOLLOWED)})


def gas(lens: Lens, text: str) -> Page:
    """Where the gas went. Raises: Missing, Fault, HeightError."""
    digest = digest_of(text)
    facts = heading(lens, digest, "gas")
    inside = look(lens, digest, most=0)
    drawn, height = bars(inside, facts["intrinsic"])
    profiled = profile(replay.mined(lens.chain, Hash(digest)), lens.node.artifacts, COUNTED)
    more: dict[str, Any] = {"inside": inside, "bars": drawn, "height": height, "profile": profiled, "listed": LISTED}
    return Page("gas.html", {**facts, **more, "counted": COUNTED})


def changes(lens: Lens, text: str) -> Page:
    """What it changed. Raises: Missing, Fault, HeightError."""
    digest = digest_of(text)
    facts = heading(lens, digest, "state")
    found = statediff.of_transaction(replay.mined(lens.chain, Hash(digest)))
    return Page("changes.html", {**facts, "changes": [changed(lens, *each) for each in sorted(found.items())]})


def changed(lens: Lens, address: bytes, change: Change) -> Changed:
    """What happened to an account."""
    old, new = change.before or ABSENT, change.after or ABSENT
    known = lens.known_code(new.code_hash) or lens.known_code(old.code_hash)
    slots = tuple(change_of(known, key, *pair) for key, pair in list(change.slots.items())[:SLOTS])
    gone = change.after is None and change.before is not None
    return Changed(address, old, new, change.before is None, gone, slots, len(change.slots) - len(slots))
