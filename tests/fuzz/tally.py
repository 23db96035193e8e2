"""How much to try, and how much was tried. Never: what it was."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Plan:
    """How much is tried of each module."""

    tiers: tuple[str, ...]
    calls: int = 100
    """Of a module, over all rounds."""
    rounds: int = 4
    oracle: bool = True
    """Whether wasmtime takes part."""


@dataclass(slots=True)
class Tally:
    """What was done: modules, fresh instances, calls (on each tier), those that wasmtime confirmed, their ends."""

    modules: int = 0
    rounds: int = 0
    cases: int = 0
    confirmed: int = 0
    refused: int = 0
    """Modules that a tier left to another."""
    ends: Counter[str] = field(default_factory=Counter)

    def add(self, other: Tally) -> None:
        self.modules += other.modules
        self.rounds += other.rounds
        self.cases += other.cases
        self.confirmed += other.confirmed
        self.refused += other.refused
        self.ends.update(other.ends)
