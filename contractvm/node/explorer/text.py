"""Numbers, hashes, amounts and times as people read them; strangers' text made harmless to the eye.

Escaping for HTML is the templates'. Never: rounds without showing that it does.
"""

from __future__ import annotations

import unicodedata
from datetime import UTC, datetime
from functools import lru_cache
from typing import Final

from markupsafe import Markup

from contractvm import crypto

ETHER: Final = 18
GWEI: Final = 9
SHOWN_DECIMALS: Final = 6
_STEPS: Final = ((86_400, "d"), (3_600, "h"), (60, "min"))


def hexed(content: bytes) -> str:
    """`0x` and the digits."""
    return "0x" + content.hex()


def short(content: bytes) -> str:
    """The first and last digits of a hash or an address."""
    digits = content.hex() if len(content) != 20 else checksum(content)[2:]
    return f"0x{digits[:6]}…{digits[-4:]}" if len(digits) > 14 else f"0x{digits}"


@lru_cache(4_096)
def checksum(address: bytes) -> str:
    """An address in EIP-55's mix of cases: a page shows the same ones again and again."""
    return crypto.checksum(address)


def commas(number: int) -> str:
    """A whole number in groups of three digits."""
    return f"{number:,}"


def unit(wei: int, places: int) -> str:
    """An amount in a unit of so many decimal places, exact."""
    whole, rest = divmod(abs(wei), 10**places)
    decimals = f"{rest:0{places}d}".rstrip("0")
    return f"{'-' if wei < 0 else ''}{whole:,}{'.' + decimals if decimals else ''}"


def ether(wei: int) -> str:
    """Ether, exact."""
    return unit(wei, ETHER)


def about(wei: int) -> str:
    """Ether to a few decimals, with a sign where more follow."""
    exact = ether(wei)
    whole, _, decimals = exact.partition(".")
    if len(decimals) <= SHOWN_DECIMALS:
        return exact
    kept = decimals[:SHOWN_DECIMALS].rstrip("0")
    if whole.strip("-") == "0" and not kept:
        return f"{'-' if wei < 0 else ''}<0.{'0' * (SHOWN_DECIMALS - 1)}1"
    return f"{whole}{'.' + kept if kept else ''}…"


def gwei(wei: int) -> str:
    """Gwei, exact."""
    return unit(wei, GWEI)


def when(timestamp: int) -> str:
    """A block's time, UTC; the number itself where it is beyond all calendars."""
    try:
        return datetime.fromtimestamp(timestamp, UTC).strftime("%Y-%m-%d %H:%M:%S")
    except (ValueError, OverflowError, OSError):
        return f"{timestamp} s"


def ago(seconds: int) -> str:
    """How long ago something was; test chains may be ahead of the clock."""
    if seconds < 0:
        return f"{span(-seconds)} ahead"
    return "now" if seconds < 1 else f"{span(seconds)} ago"


def span(seconds: int) -> str:
    """A length of time in its largest unit."""
    return next((f"{seconds // size:,} {name}" for size, name in _STEPS if seconds >= size), f"{seconds} s")


def percent(part: int, whole: int) -> str:
    """Part of a whole, in per cent to one decimal."""
    return f"{part * 100 / whole:.1f}" if whole else "0.0"


def plural(number: int, word: str) -> str:
    """`1 block`, `2 blocks`."""
    return f"{number:,} {word}{'' if number == 1 else 's'}"


def tame(text: str) -> str:
    """Text of a stranger: what is not seen, or turns the direction of what follows, is written out."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(_tame(c) for c in text)


def _tame(character: str) -> str:
    if unicodedata.category(character) in ("Cc", "Cf", "Co", "Cs", "Cn", "Zl", "Zp") and character not in "\n\t":
        return f"\\u{{{ord(character):x}}}"
    return character


@lru_cache(1_024)
def mark(address: bytes) -> Markup:
    """A small picture that tells addresses apart at a glance: five squares by five, mirrored."""
    digest = crypto.keccak256(address)
    squares = "".join(f"M{x} {y}h1v1h-1z" for y in range(5) for x in range(5) if digest[y * 3 + min(x, 4 - x)] & 1)
    hue = (digest[20] << 8 | digest[21]) % 360
    return Markup(
        f'<svg class="mark" viewBox="0 0 5 5" aria-hidden="true"><path fill="hsl({hue} 45% 50%)" d="{squares}"/></svg>'
    )
