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
    given, also = fields.get("input"), fields.get("data")
    if given is None:
        return b"" if also is None else data(also)
    if also is None:
        return data(given)
    content = data(given)
    if content != data(also):
        raise bad_params("both data and input are given, and they differ")
    return content


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


def message_of(fields: Mapping[str, Any], most: int | None = None) -> Message:
    """The message that a call describes. Gas is free unless the caller names a price. Raises: Fault.

    `most` is a gas limit that is not exceeded, and stands where the caller names none.
    """
    get = fields.get
    sender, value, gas, price = get("from"), get("value"), get("gas"), get("gasPrice")
    if price is None:
        price = get("maxFeePerGas")
    limit = None if gas is None else u64(gas)
    if most is not None and (limit is None or limit > most):
        limit = most
    # By place, which is quicker than by name: sender, to, value, data, gas_limit, gas_price, access_list.
    return Message(
        ZERO_ADDRESS if sender is None else address(sender),
        receiver_of(fields),
        0 if value is None else u256(value),
        input_of(fields),
        limit,
        0 if price is None else u256(price),
        access_list_of(fields) if "accessList" in fields else (),
    )
