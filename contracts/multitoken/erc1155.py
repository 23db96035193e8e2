# mypy: disable-error-code="empty-body"
"""What ERC-1155 names: its events, the errors of ERC-6093, and what a contract answers that takes tokens."""

from sdk import *


class TransferSingle(Event):
    operator: Indexed[Address]
    from_: Indexed[Address]
    to: Indexed[Address]
    id: u256
    value: u256


class TransferBatch(Event):
    operator: Indexed[Address]
    from_: Indexed[Address]
    to: Indexed[Address]
    ids: List[u256]
    values: List[u256]


class ApprovalForAll(Event):
    account: Indexed[Address]
    operator: Indexed[Address]
    approved: bool


class ERC1155InsufficientBalance(Error):
    sender: Address
    balance: u256
    needed: u256
    token_id: u256


class ERC1155MissingApprovalForAll(Error):
    operator: Address
    owner: Address


class ERC1155InvalidReceiver(Error):
    receiver: Address


class ERC1155InvalidArrayLength(Error):
    ids_length: u256
    values_length: u256


class IReceiver(Interface):
    @external(name="onERC1155Received")
    def on_received(self, operator: Address, from_: Address, id: u256, value: u256, data: Bytes) -> bytes4: ...

    @external(name="onERC1155BatchReceived")
    def on_batch(
        self, operator: Address, from_: Address, ids: List[u256], values: List[u256], data: Bytes
    ) -> bytes4: ...
