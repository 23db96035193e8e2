"""Transactions that clients describe and this node completes: type, nonce, fees and gas where they are left out.

Fees follow geth and wallets: room for the base fee to double, and a tip. Source: execution-apis' GenericTransaction;
EIP-1559, 2718, 2930. Never: looks at keys, signs or sends.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from contractvm.chain import Chain
from contractvm.execute import Message
from contractvm.node.fault import bad_params
from contractvm.node.fees import TIP
from contractvm.node.messages import access_list_of, input_of, receiver_of
from contractvm.node.values import address, quantity, u64, u256
from contractvm.transaction import MAX_NONCE, AccessList, Transaction, TxType
from contractvm.types import Address

_REFUSED: Final = {
    "blobVersionedHashes": "blob transactions (EIP-4844)",
    "maxFeePerBlobGas": "blob transactions (EIP-4844)",
    "blobs": "blob transactions (EIP-4844)",
    "authorizationList": "set-code transactions (EIP-7702)",
}


@dataclass(frozen=True, slots=True)
class Draft:
    """What a client said of a transaction; None is left to the node. Fees in wei a gas, `value` in wei."""

    sender: Address
    type: TxType
    to: Address | None
    value: int
    data: bytes
    gas: int | None
    nonce: int | None
    gas_price: int | None
    max_fee: int | None
    max_tip: int | None
    access_list: AccessList

    @property
    def message(self) -> Message:
        """What is run to find the gas; the fees are no part of it."""
        return Message(sender=self.sender, to=self.to, value=self.value, data=self.data, access_list=self.access_list)

    def complete(self, chain: Chain, gas: int) -> Transaction:
        """The transaction without a signature, with the next nonce that neither a block nor the pool uses."""
        fee, tip = self._fees(chain.next_base_fee)
        return Transaction(
            type=self.type,
            nonce=chain.next_nonce(self.sender) if self.nonce is None else self.nonce,
            max_fee=fee,
            max_tip=tip,
            gas_limit=gas,
            to=self.to,
            value=self.value,
            data=self.data,
            chain_id=chain.chain_id,
            access_list=self.access_list,
        )

    def _fees(self, base_fee: int) -> tuple[int, int]:
        """(fee cap, tip cap)."""
        if self.gas_price is not None:
            return self.gas_price, self.gas_price
        if self.type is not TxType.DYNAMIC_FEE:
            return base_fee + TIP, base_fee + TIP
        tip = self.max_tip
        fee = self.max_fee if self.max_fee is not None else 2 * base_fee + (TIP if tip is None else tip)
        return fee, min(TIP, fee) if tip is None else tip


def draft_of(fields: Mapping[str, Any], chain_id: int, default: Address | None) -> Draft:
    """Read what a client said; `default` is the sender where none is named. Raises: Fault."""

    def number(name: str, read: Any = u256) -> int | None:
        value = fields.get(name)
        return None if value is None else read(value)

    for name, what in _REFUSED.items():
        if fields.get(name):
            raise bad_params(f"{name}: {what} are not taken here; use types 0 to 2")
    named = number("chainId")
    if named is not None and named != chain_id:
        raise bad_params(f"invalid chain id: the transaction is for {named}, this chain is {chain_id}")
    sender = fields.get("from")
    if sender is None and default is None:
        raise bad_params("from is missing, and this node has no accounts of its own")
    nonce = number("nonce", u64)
    if nonce is not None and nonce > MAX_NONCE:
        raise bad_params(f"nonce {nonce} is above the last one, {MAX_NONCE} (EIP-2681)")
    price, fee, tip = number("gasPrice"), number("maxFeePerGas"), number("maxPriorityFeePerGas")
    if price is not None and (fee is not None or tip is not None):
        raise bad_params("both gasPrice and (maxFeePerGas or maxPriorityFeePerGas) specified")
    access_list = access_list_of(fields)
    return Draft(
        sender=Address(default or b"") if sender is None else address(sender),
        type=_type_of(fields, price, access_list, dynamic=fee is not None or tip is not None),
        to=receiver_of(fields),
        value=number("value") or 0,
        data=input_of(fields),
        gas=_gas_of(fields),
        nonce=nonce,
        gas_price=price,
        max_fee=fee,
        max_tip=tip,
        access_list=access_list,
    )


def _gas_of(fields: Mapping[str, Any]) -> int | None:
    """The gas limit under either of its names."""
    value = fields.get("gas")
    value = fields.get("gasLimit") if value is None else value
    return None if value is None else u64(value)


def _type_of(fields: Mapping[str, Any], price: int | None, access_list: AccessList, *, dynamic: bool) -> TxType:
    """The type that was named, or the one that has a place for what is there."""
    given = fields.get("type")
    if given is None:
        if price is None:
            return TxType.DYNAMIC_FEE
        return TxType.ACCESS_LIST if access_list else TxType.LEGACY
    number = quantity(given)
    if number > TxType.DYNAMIC_FEE:
        raise bad_params(f"transaction type {number} is not taken here; use types 0 to 2")
    kind = TxType(number)
    if dynamic and kind is not TxType.DYNAMIC_FEE:
        raise bad_params(f"a transaction of type {number} has no maxFeePerGas; give gasPrice, or type 0x2")
    if access_list and kind is TxType.LEGACY:
        raise bad_params("a transaction of type 0 has no accessList; give type 0x1 or 0x2")
    return kind
