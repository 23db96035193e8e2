"""Values as people write them on a command line: hex, amounts with a unit, addresses, integers of a wasm type.

Each function is a click parameter type: it returns the value or raises `click.BadParameter` that says what was wrong
and what is wanted. Never: floats; `1.5ether` is exact.
"""

from __future__ import annotations

import re

import click

from contractvm.cli.problem import Problem
from contractvm.types import Address, Hash

UNITS = {"wei": 0, "kwei": 3, "mwei": 6, "gwei": 9, "szabo": 12, "finney": 15, "ether": 18, "eth": 18}
AMOUNT = re.compile(r"([0-9][0-9_]*)(?:\.([0-9]+))?\s*([a-zA-Z]*)")
INTEGER = re.compile(r"[+-]?(0[xX][0-9a-fA-F][0-9a-fA-F_]*|[0-9][0-9_]*)")
LONGEST = 200
"""Characters of a number; longer ones are no mistake worth converting."""


def amount(text: str) -> int:
    """Wei from `12`, `0xff`, `1ether`, `1.5ether`, `5gwei`."""
    text = text.strip()
    if re.fullmatch(r"0[xX][0-9a-fA-F]{1,64}", text):
        return int(text, 16)
    match = AMOUNT.fullmatch(text)
    unit = (match[3].lower() or "wei") if match else ""
    if match is None or unit not in UNITS or len(text) > LONGEST:
        raise click.BadParameter(f"{clip(text)!r} is no amount; write wei (1000), or a unit: 1ether, 1.5ether, 5gwei")
    decimals, places = match[2] or "", UNITS[unit]
    if len(decimals.rstrip("0")) > places:
        raise click.BadParameter(f"{text!r} is not a whole number of wei")
    wei = int(match[1].replace("_", "") + decimals[:places].ljust(places, "0"))
    if wei >= 1 << 256:
        raise click.BadParameter(f"{clip(text)!r} does not fit 256 bits")
    return wei


def ether(wei: int) -> str:
    """`wei` in ether, exactly, without trailing zeros."""
    whole, rest = divmod(wei, 10**18)
    return f"{whole}.{rest:018d}".rstrip("0").rstrip(".")


def integer(text: str) -> int:
    """A signed whole number in decimal or 0x hex; underscores may group digits."""
    if not INTEGER.fullmatch(text) or len(text) > LONGEST:
        raise click.BadParameter(f"{clip(text)!r} is no whole number; write decimal or 0x hex")
    digits = text.replace("_", "")
    return int(digits, 16) if "x" in digits.lower() else int(digits)


def positive(text: str) -> int:
    """A whole number that is not negative."""
    value = integer(text)
    if value < 0:
        raise click.BadParameter(f"{text} is negative")
    return value


def of_width(text: str, bits: int) -> int:
    """A bit pattern from a signed or unsigned number of `bits` bits."""
    value = integer(text)
    if not -(1 << bits - 1) <= value < 1 << bits:
        raise click.BadParameter(f"{clip(text)} does not fit i{bits}: {-(1 << bits - 1)} to {(1 << bits) - 1}")
    return value % (1 << bits)


def signed(value: int, bits: int) -> int:
    """The signed reading of a bit pattern: how results are printed."""
    return value - (1 << bits) if value >> bits - 1 else value


def hex_bytes(text: str) -> bytes:
    """Bytes from hex, `0x` in front or not."""
    digits = text[2:] if text[:2] in ("0x", "0X") else text
    if not re.fullmatch(r"[0-9a-fA-F]*", digits):
        at = next(i for i, c in enumerate(text) if i >= len(text) - len(digits) and c not in "0123456789abcdefABCDEF")
        raise click.BadParameter(f"{clip(text)!r} is not hex: {text[at]!r} at character {at}")
    if len(digits) % 2:
        raise click.BadParameter(f"{clip(text)!r} has an odd number of hex digits ({len(digits)})")
    return bytes.fromhex(digits)


def address(text: str) -> Address:
    """20 bytes from hex; a mixed-case address must carry its right EIP-55 checksum."""
    data = hex_bytes(text)
    if len(data) != 20:
        raise click.BadParameter(f"{clip(text)!r} is {len(data)} bytes; an address is 20 (0x and 40 hex digits)")
    digits = text[2:] if text[:2] in ("0x", "0X") else text
    if digits not in (digits.lower(), digits.upper()) and checksum(data) != f"0x{digits}":
        raise click.BadParameter(f"{text} has a wrong checksum; is it {checksum(data)}, or a slip of the pen?")
    return Address(data)


def checksum(data: bytes) -> str:
    """An address as EIP-55 writes it; help must not wait for cryptography."""
    from contractvm import crypto

    return crypto.checksum(data)


def hash_of(text: str) -> Hash:
    """Raises: Problem unless `text` is 32 bytes of hex."""
    try:
        digest = hex_bytes(text)
    except click.BadParameter as error:
        raise Problem(error.message, "a transaction's hash is 0x and 64 hex digits") from None
    if len(digest) != 32:
        raise Problem(f"{text!r} is {len(digest)} bytes", "a transaction's hash is 32: 0x and 64 hex digits")
    return Hash(digest)


def clip(text: str, width: int = 48) -> str:
    """At most `width` characters, for messages."""
    return text if len(text) <= width else text[: width - 3] + "..."
