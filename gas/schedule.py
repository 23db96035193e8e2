"""A schedule: names to prices, frozen, with a digest that covers every price and the definition of a run.

Prices live in `schedules/*.toml`, one file a version, each with its reason. Table `[gas]` is in whole gas (the EIPs'
numbers), table `[milligas]` in thousandths (instructions and per-byte work). The digest is part of a chain's identity
and of every cache key. Never: a default for a price nobody set.
"""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType

MILLI = 1000
SCHEDULES = Path(__file__).parent / "schedules"


class ScheduleError(Exception):
    """A schedule file is missing or says something it must not."""


@dataclass(frozen=True, slots=True)
class Schedule:
    """Prices by name, in milligas; `why` keeps the reason of each."""

    name: str
    run_definition: str
    prices: Mapping[str, int]
    why: Mapping[str, str]
    digest: bytes

    def __hash__(self) -> int:
        # What the digest covers decides; mappings have no hash of their own.
        return int.from_bytes(self.digest[:7], "big")

    def __reduce__(self) -> tuple[object, ...]:
        """So that a schedule can be handed to another process: read-only mappings cannot by themselves."""
        return _restore, (self.name, self.run_definition, dict(self.prices), dict(self.why), self.digest)

    def milli(self, name: str) -> int:
        """Price in milligas. Raises: ScheduleError when the schedule has no such price."""
        try:
            return self.prices[name]
        except KeyError:
            raise ScheduleError(f"schedule {self.name!r} has no price {name!r}") from None

    def gas(self, name: str) -> int:
        """Price in whole gas. Raises: ScheduleError when it has none or is not whole."""
        whole, rest = divmod(self.milli(name), MILLI)
        if rest:
            raise ScheduleError(f"price {name!r} of schedule {self.name!r} is not in whole gas")
        return whole


def _restore(name: str, run_definition: str, prices: dict[str, int], why: dict[str, str], digest: bytes) -> Schedule:
    return Schedule(name, run_definition, MappingProxyType(prices), MappingProxyType(why), digest)


@cache
def load(name: str) -> Schedule:
    """Read `schedules/NAME.toml`. Raises: ScheduleError, naming the file and the entry."""
    path = SCHEDULES / f"{name}.toml"
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        known = ", ".join(sorted(p.stem for p in SCHEDULES.glob("*.toml")))
        raise ScheduleError(f"no gas schedule {name!r}; there are: {known}") from None
    prices: dict[str, int] = {}
    why: dict[str, str] = {}
    for table, scale in (("gas", MILLI), ("milligas", 1)):
        for key, entry in document.get(table, {}).items():
            price, reason = entry.get("price"), entry.get("why")
            if type(price) is not int or price < 0 or not reason:
                raise ScheduleError(f"{path.name}: [{table}] {key!r} needs a whole, non-negative price and a why")
            if key in prices:
                raise ScheduleError(f"{path.name}: {key!r} is priced twice")
            prices[key], why[key] = price * scale, reason
    run_definition = document["run_definition"]
    digest = hashlib.sha256()
    digest.update(f"contractvm gas schedule\n{run_definition}\n".encode())
    for key in sorted(prices):
        digest.update(f"{key}={prices[key]}\n".encode())
    return Schedule(name, run_definition, MappingProxyType(prices), MappingProxyType(why), digest.digest())
