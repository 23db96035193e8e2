"""Transactions that clients describe as objects: messages to run, and transactions to be signed here.

Source: execution-apis' GenericTransaction. `data` and `input` may both be there when they agree, as `cast` sends them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from contractvm.execute import Message
from contractvm.node.fault import bad_params
from contractvm.node.values import address, data, hash32, shown, u64, u256
from contractvm.transaction import AccessList
from contractvm.types import ZERO_ADDRESS, Address


def input_of(fields: Mapping[str, Any]) -> bytes:
    """Calldata under either of its names. Raises: Fault when they disagree."""
    given = {name: data(fields[name]) for name in ("input", "data") if fields.get(name) is not None}
    if len(set(given.values())) > 1:
        raise bad_params("both data and input are given, and they differ")
    return next(iter(given.values()), b"")


def receiver_of(fields: Mapping[str, Any]) -> Address | None:
    """Who is called; None creates a contract. Raises: Fault."""
    to = fields.get("to")
    return None if to is None or to in ("", "0x") else address(to)


def access_list_of(fields: Mapping[str, Any]) -> AccessList:
    """What starts warm. Raises: Fault."""
    entries = fields.get("accessList") or ()
    if not isinstance(entries, list | tuple):
        raise bad_params(f"accessList: {shown(entries)} is no list")
    read = []
    for entry in entries:
        if not isinstance(entry, dict) or not isinstance(entry.get("storageKeys", []), list):
            raise bad_params(f"accessList: {shown(entry)} is no object of address and storageKeys")
        read.append((address(entry.get("address")), tuple(hash32(key) for key in entry.get("storageKeys", []))))
    return tuple(read)


def message_of(fields: Mapping[str, Any]) -> Message:
    """The message that a call describes. Gas is free unless the caller names a price. Raises: Fault."""

    def number(name: str, read: Any = u256) -> int | None:
        value = fields.get(name)
        return None if value is None else read(value)

    sender = fields.get("from")
    price = number("gasPrice")
    if price is None:
        price = number("maxFeePerGas")
    return Message(
        sender=ZERO_ADDRESS if sender is None else address(sender),
        to=receiver_of(fields),
        value=number("value") or 0,
        data=input_of(fields),
        gas_limit=number("gas", u64),
        gas_price=price or 0,
        access_list=access_list_of(fields),
    )
