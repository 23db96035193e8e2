"""Two contracts that are sent tokens: one keeps them, the other takes single ones only."""

from sdk import *


class Keeper(Contract):
    got: Public[Map[u256, u256]]

    @external(name="onERC1155Received")
    def on_received(self, operator: Address, from_: Address, id: u256, value: u256, data: Bytes) -> bytes4:
        self.got[id] += value
        return msg.sig

    @external(name="onERC1155BatchReceived")
    def on_batch(self, operator: Address, from_: Address, ids: List[u256], values: List[u256], data: Bytes) -> bytes4:
        for i, id in enumerate(ids):
            self.got[id] += values[i]
        return msg.sig


class Single(Contract):
    @external(name="onERC1155Received")
    def on_received(self, operator: Address, from_: Address, id: u256, value: u256, data: Bytes) -> bytes4:
        return msg.sig
