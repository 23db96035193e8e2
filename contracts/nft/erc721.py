# mypy: disable-error-code="empty-body"
"""What ERC-721 names: its events, the errors of ERC-6093, and what a contract answers that takes tokens."""

from sdk import *


class Transfer(Event):
    from_: Indexed[Address]
    to: Indexed[Address]
    token_id: Indexed[u256]


class Approval(Event):
    owner: Indexed[Address]
    approved: Indexed[Address]
    token_id: Indexed[u256]


class ApprovalForAll(Event):
    owner: Indexed[Address]
    operator: Indexed[Address]
    approved: bool


class ERC721NonexistentToken(Error):
    token_id: u256


class ERC721IncorrectOwner(Error):
    sender: Address
    token_id: u256
    owner: Address


class ERC721InsufficientApproval(Error):
    operator: Address
    token_id: u256


class ERC721InvalidReceiver(Error):
    receiver: Address


class IReceiver(Interface):
    @external(name="onERC721Received")
    def on_received(self, operator: Address, from_: Address, token_id: u256, data: Bytes) -> bytes4: ...
