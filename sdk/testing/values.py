"""Values of an ABI as tests compare and read them: an address is itself, its hex text, or what has it.

Never: encodes; `sdk.abi` does.
"""

from __future__ import annotations

from collections.abc import Mapping

from contractvm.types import Address
from sdk.abi import Value
from sdk.abi_types import AddressType


def to_address(value: Value) -> Address:
    """20 bytes of an address, hex text, or anything with an `address`. Raises: ABIError."""
    return Address(AddressType().encode(value, "address")[12:])


def same(decoded: Value, wanted: Value) -> bool:
    """Whether a decoded value is the one that a test wrote down."""
    if isinstance(decoded, bytes):
        return decoded == as_bytes(wanted)
    if isinstance(decoded, list | tuple) and isinstance(wanted, list | tuple):
        return len(decoded) == len(wanted) and all(map(same, decoded, wanted))
    return decoded == wanted and isinstance(decoded, bool) == isinstance(wanted, bool)


def as_bytes(value: Value) -> Value:
    """The bytes that are meant by hex text or by something with an address; anything else as it is."""
    value = getattr(value, "address", value)
    if isinstance(value, str) and value.startswith("0x"):
        try:
            return bytes.fromhex(value[2:])
        except ValueError:
            return value
    return value


def written(value: Value, labels: Mapping[bytes, str] | None = None) -> str:
    """A value as a test would write it: labels for addresses that have one, hex for other bytes."""
    value = as_bytes(value)
    if isinstance(value, bytes):
        return (labels or {}).get(value) or "0x" + value.hex()
    if isinstance(value, list):
        return f"[{', '.join(written(item, labels) for item in value)}]"
    if isinstance(value, tuple):
        inside = ", ".join(written(item, labels) for item in value)
        return f"({inside},)" if len(value) == 1 else f"({inside})"
    return f"{value:_}" if type(value) is int and abs(value) >= 100_000 else repr(value)
