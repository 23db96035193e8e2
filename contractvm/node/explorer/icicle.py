"""The gas of a transaction as a picture: each call a bar as wide as the gas it used, what it called below it.

Never: more bars than can be told apart; what is narrower than a hair is left to the bar above it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from contractvm.node.explorer.inside import Inside, Step

WIDTH: Final = 1_000
ROW: Final = 22
THIN: Final = 1
"""Bars narrower than this are not drawn."""
DEEPEST: Final = 24
LETTER: Final = 6
"""Width of a letter; what does not fit is cut."""


@dataclass(frozen=True, slots=True)
class Bar:
    """A rectangle; `call` is the number of the call, -1 for the transaction's own gas."""

    x: float
    y: int
    width: float
    words: str
    title: str
    call: int
    depth: int
    failed: bool = False


def bars(inside: Inside, intrinsic: int) -> tuple[list[Bar], int]:
    """The bars of a transaction and the height of the picture."""
    scale = WIDTH / max(inside.gas_spent, 1)
    found = [_bar(0, 0, inside.gas_spent, scale, "transaction", "The whole transaction, before refunds", -1)]
    found.append(_bar(0, 1, intrinsic, scale, "itself", "Base price, calldata, access list", -1))
    if inside.root is not None:
        _add(found, inside.root, intrinsic, 1, scale)
    return found, (max(bar.depth for bar in found) + 1) * ROW


def _add(found: list[Bar], step: Step, start: int, depth: int, scale: float) -> None:
    frame = step.frame
    if frame is None or frame.gas_used * scale < THIN or depth > DEEPEST:
        return
    found.append(_bar(start, depth, frame.gas_used, scale, step.title, step.title, step.number, bool(step.failure)))
    for inner in step.steps:
        if inner.kind == "call" and inner.frame is not None:
            _add(found, inner, start, depth + 1, scale)
            start += inner.frame.gas_used


def _bar(
    start: int, depth: int, gas: int, scale: float, words: str, title: str, call: int, failed: bool = False
) -> Bar:
    width = gas * scale
    room = int((width - 10) // LETTER)
    shown = "" if room < 3 else words if len(words) <= room else words[: room - 1] + "…"
    return Bar(
        round(start * scale, 2), depth * ROW, round(width, 2), shown, f"{title}: {gas:,} gas", call, depth, failed
    )
