"""The host that generated modules import: pure functions of their operands, with a log of every call.

The same functions serve our tiers and wasmtime, so that what they are called with is compared as well.
Never: answers with anything but its operands decide.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from tests.fuzz.generate import HOST_FUNCTIONS

LOW32, LOW64 = (1 << 32) - 1, (1 << 64) - 1


class HostRefusal(Exception):
    """The host function `fail` refused its operand; each engine turns it into its own kind of trap."""


class Token:
    """What `token` gives out: an external reference that is not null."""


@dataclass(slots=True)
class Host:
    """One instance's host; `log` has each call's name and operands."""

    log: list[tuple[str | int, ...]] = field(default_factory=list)

    def functions(self) -> dict[str, Callable[..., object]]:
        """The host functions by name; they take and give non-negative bit patterns. `fail` raises: HostRefusal."""
        found: dict[str, Callable[..., object]] = {
            "note": self.note,
            "mix": self.mix,
            "pair": self.pair,
            "fail": self.fail,
            "token": self.token,
        }
        if found.keys() != HOST_FUNCTIONS.keys():
            raise KeyError(f"host functions differ: {found.keys() ^ HOST_FUNCTIONS.keys()}")
        return found

    def note(self, value: int) -> None:
        self.log.append(("note", value))

    def mix(self, a: int, b: int) -> int:
        self.log.append(("mix", a, b))
        return (a * 0x9E3779B97F4A7C15 ^ b) & LOW64

    def pair(self, a: int) -> tuple[int, int]:
        self.log.append(("pair", a))
        return (a + 1) & LOW32, a << 31

    def fail(self, a: int) -> int:
        self.log.append(("fail", a))
        if a % 8 == 0:
            raise HostRefusal
        return a >> 1

    def token(self, a: int) -> Token | None:
        self.log.append(("token", a))
        return Token() if a % 2 else None
