# mypy: disable-error-code="empty-body"
"""A merkle airdrop: tokens for many, of whom the contract knows one hash. Each shows that it is among them."""

from sdk import *


class IToken(Interface):
    def transfer(self, to: Address, amount: u256) -> bool: ...

    @view
    def balance_of(self, owner: Address) -> u256: ...


class Claimed(Event):
    index: Indexed[u64]
    account: Indexed[Address]
    amount: u256


class Airdrop(Contract):
    token: Public[Immutable[IToken]]
    root: Public[Immutable[bytes32]]
    owner: Public[Immutable[Address]]
    end: Public[Immutable[u64]]
    words: Map[u64, u256]

    def __init__(self, token: IToken, root: bytes32, duration: u64) -> None:
        self.token = token
        self.root = root
        self.owner = msg.sender
        self.end = block.timestamp + duration

    @external
    @view
    def is_claimed(self, index: u64) -> bool:
        return self.words[index // 256] & self.bit(index) != 0

    @external
    def claim(self, index: u64, account: Address, amount: u256, proof: List[bytes32]) -> None:
        """Anybody may claim for an account. The leaf is hashed twice, so that no inner node can pass for one."""
        assert block.timestamp < self.end, "over"
        assert not self.is_claimed(index), "claimed before"
        node = keccak256(keccak256(abi_encode(index, account, amount)))
        for other in proof:
            node = keccak256(node + other) if node < other else keccak256(other + node)
        assert node == self.root, "not in the tree"
        self.words[index // 256] |= self.bit(index)
        emit(Claimed(index, account, amount))
        assert self.token.transfer(account, amount), "the token refused"

    @external
    def sweep(self) -> u256:
        """What nobody claimed goes back, after the end."""
        assert block.timestamp >= self.end, "not over"
        rest = self.token.balance_of(self.address)
        assert self.token.transfer(self.owner, rest), "the token refused"
        return rest

    def bit(self, index: u64) -> u256:
        one: u256 = 1
        return one << (index % 256)
