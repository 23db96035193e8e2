"""An ERC-721 collection with a URI for each token (EIP-721, EIP-165, the errors of ERC-6093). Its deployer mints."""

from contracts.nft.erc721 import (
    Approval,
    ApprovalForAll,
    ERC721IncorrectOwner,
    ERC721InsufficientApproval,
    ERC721InvalidReceiver,
    ERC721NonexistentToken,
    IReceiver,
    Transfer,
)
from sdk import *


class NFT(Contract):
    name: Public[Const[String]] = "Contract Collection"
    symbol: Public[Const[String]] = "CVMN"
    minter: Public[Immutable[Address]]
    total_supply: Public[u256]
    owners: Map[u256, Address]
    uris: Map[u256, String]
    approved: Map[u256, Address]
    balance_of: Public[Map[Address, u256]]
    is_approved_for_all: Public[Map[Address, Map[Address, bool]]]

    def __init__(self) -> None:
        self.minter = msg.sender

    @external
    def mint(self, to: Address, uri: String) -> u256:
        assert msg.sender == self.minter, "not the minter"
        self.total_supply += 1
        self.uris[self.total_supply] = uri
        self.give(ZERO_ADDRESS, to, self.total_supply)
        return self.total_supply

    @external
    @view
    def owner_of(self, token_id: u256) -> Address:
        owner = self.owners[token_id]
        if owner == ZERO_ADDRESS:
            raise ERC721NonexistentToken(token_id)
        return owner

    @external(name="tokenURI")
    @view
    def token_uri(self, token_id: u256) -> String:
        self.owner_of(token_id)
        return self.uris[token_id]

    @external
    @view
    def get_approved(self, token_id: u256) -> Address:
        self.owner_of(token_id)
        return self.approved[token_id]

    @external
    def approve(self, to: Address, token_id: u256) -> None:
        owner = self.owner_of(token_id)
        if msg.sender != owner and not self.is_approved_for_all[owner][msg.sender]:
            raise ERC721InsufficientApproval(msg.sender, token_id)
        self.approved[token_id] = to
        emit(Approval(owner, to, token_id))

    @external
    def set_approval_for_all(self, operator: Address, approved: bool) -> None:
        self.is_approved_for_all[msg.sender][operator] = approved
        emit(ApprovalForAll(msg.sender, operator, approved))

    @external
    def transfer_from(self, from_: Address, to: Address, token_id: u256) -> None:
        owner = self.owner_of(token_id)
        by_owner = msg.sender == owner or self.is_approved_for_all[owner][msg.sender]
        if not by_owner and msg.sender != self.approved[token_id]:
            raise ERC721InsufficientApproval(msg.sender, token_id)
        if owner != from_:
            raise ERC721IncorrectOwner(from_, token_id, owner)
        self.give(from_, to, token_id)

    @external
    def safe_transfer_from(self, from_: Address, to: Address, token_id: u256, data: Bytes = b"") -> None:
        self.transfer_from(from_, to, token_id)
        if to.code_size > 0:
            ok, answer = try_call(IReceiver(to).on_received, msg.sender, from_, token_id, data)
            if not ok or answer != selector(IReceiver.on_received):
                raise ERC721InvalidReceiver(to)

    @external
    @view
    def supports_interface(self, id: bytes4) -> bool:
        return id == b"\x01\xff\xc9\xa7" or id == b"\x80\xac\x58\xcd" or id == b"\x5b\x5e\x13\x9f"

    def give(self, from_: Address, to: Address, token_id: u256) -> None:
        if to == ZERO_ADDRESS:
            raise ERC721InvalidReceiver(to)
        if from_ != ZERO_ADDRESS:
            self.balance_of[from_] -= 1
            del self.approved[token_id]
        self.balance_of[to] += 1
        self.owners[token_id] = to
        emit(Transfer(from_, to, token_id))
