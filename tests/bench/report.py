"""A figure of the bench and the figure it stands beside. Never: measures."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Row:
    """One measured value with its unit, its peer's value in the same unit and run, and the target in words."""

    name: str
    value: float
    unit: str
    peer: str | None = None
    peer_value: float | None = None
    target: str | None = None
