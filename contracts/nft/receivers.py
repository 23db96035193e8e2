"""Two contracts that are sent tokens: one keeps them, the other answers what nobody asked."""

from sdk import *


class Keeper(Contract):
    last: Public[u256]
    data: Public[Bytes]

    @external(name="onERC721Received")
    def on_received(self, operator: Address, from_: Address, token_id: u256, data: Bytes) -> bytes4:
        self.last, self.data = token_id, data
        return msg.sig


class Refuser(Contract):
    @external(name="onERC721Received")
    def on_received(self, operator: Address, from_: Address, token_id: u256, data: Bytes) -> bytes4:
        return b"none"
