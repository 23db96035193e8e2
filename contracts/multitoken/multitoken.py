"""An ERC-1155 contract of many tokens (EIP-1155, EIP-165, the errors of ERC-6093). Its deployer mints."""

from contracts.multitoken.erc1155 import (
    ApprovalForAll,
    ERC1155InsufficientBalance,
    ERC1155InvalidArrayLength,
    ERC1155InvalidReceiver,
    ERC1155MissingApprovalForAll,
    IReceiver,
    TransferBatch,
    TransferSingle,
)
from sdk import *


class MultiToken(Contract):
    minter: Public[Immutable[Address]]
    balances: Map[u256, Map[Address, u256]]
    is_approved_for_all: Public[Map[Address, Map[Address, bool]]]

    def __init__(self) -> None:
        self.minter = msg.sender

    @external
    @view
    def uri(self, id: u256) -> String:
        return "https://example.org/{id}.json"

    @external
    @view
    def balance_of(self, account: Address, id: u256) -> u256:
        return self.balances[id][account]

    @external
    @view
    def balance_of_batch(self, accounts: List[Address], ids: List[u256]) -> List[u256]:
        self.require_same(len(ids), len(accounts))
        found: List[u256] = []
        for i, account in enumerate(accounts):
            found.append(self.balances[ids[i]][account])
        return found

    @external
    def set_approval_for_all(self, operator: Address, approved: bool) -> None:
        self.is_approved_for_all[msg.sender][operator] = approved
        emit(ApprovalForAll(msg.sender, operator, approved))

    @external
    def mint(self, to: Address, id: u256, value: u256, data: Bytes) -> None:
        assert msg.sender == self.minter, "not the minter"
        self.balances[id][to] += value
        self.told(ZERO_ADDRESS, to, id, value, data)

    @external
    def safe_transfer_from(self, from_: Address, to: Address, id: u256, value: u256, data: Bytes) -> None:
        self.move(from_, to, id, value)
        self.told(from_, to, id, value, data)

    @external
    def safe_batch_transfer_from(
        self, from_: Address, to: Address, ids: List[u256], values: List[u256], data: Bytes
    ) -> None:
        self.require_same(len(ids), len(values))
        for i, id in enumerate(ids):
            self.move(from_, to, id, values[i])
        emit(TransferBatch(msg.sender, from_, to, ids, values))
        if to.code_size > 0:
            ok, answer = try_call(IReceiver(to).on_batch, msg.sender, from_, ids, values, data)
            self.require_taken(to, ok and answer == selector(IReceiver.on_batch))

    @external
    @view
    def supports_interface(self, id: bytes4) -> bool:
        return id == b"\x01\xff\xc9\xa7" or id == b"\xd9\xb6\x7a\x26" or id == b"\x0e\x89\x34\x1c"

    def move(self, from_: Address, to: Address, id: u256, value: u256) -> None:
        if from_ != msg.sender and not self.is_approved_for_all[from_][msg.sender]:
            raise ERC1155MissingApprovalForAll(msg.sender, from_)
        have = self.balances[id][from_]
        if have < value:
            raise ERC1155InsufficientBalance(from_, have, value, id)
        self.balances[id][from_] = have - value
        self.balances[id][to] += value

    def told(self, from_: Address, to: Address, id: u256, value: u256, data: Bytes) -> None:
        emit(TransferSingle(msg.sender, from_, to, id, value))
        if to.code_size > 0:
            ok, answer = try_call(IReceiver(to).on_received, msg.sender, from_, id, value, data)
            self.require_taken(to, ok and answer == selector(IReceiver.on_received))
        else:
            self.require_taken(to, True)

    def require_taken(self, to: Address, taken: bool) -> None:
        if to == ZERO_ADDRESS or not taken:
            raise ERC1155InvalidReceiver(to)

    def require_same(self, ids: u64, values: u64) -> None:
        if ids != values:
            raise ERC1155InvalidArrayLength(u256(ids), u256(values))
