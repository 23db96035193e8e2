# mypy: disable-error-code="empty-body"
"""A governor: holders lock tokens and vote on calls, which it then makes. A vote is worth the tokens locked when it is
cast, and they stay locked until the voting ends; what was accepted waits a day, in which who disagrees can leave.
"""

from sdk import *

VOTING: Const[u64] = 3 * DAYS
WAITING: Const[u64] = 1 * DAYS


class IToken(Interface):
    def transfer(self, to: Address, amount: u256) -> bool: ...

    def transfer_from(self, from_: Address, to: Address, amount: u256) -> bool: ...


class Proposed(Event):
    id: Indexed[u64]
    proposer: Indexed[Address]
    description: String


class Voted(Event):
    id: Indexed[u64]
    voter: Indexed[Address]
    support: bool
    weight: u256


class Executed(Event):
    id: Indexed[u64]


class State(Enum):
    UNKNOWN = 0
    VOTING = 1
    DEFEATED = 2
    WAITING = 3
    READY = 4
    EXECUTED = 5


class Proposal(Struct):
    to: Address
    value: u256
    data: Bytes
    end: u64
    executed: bool = False
    yes: u256 = 0
    no: u256 = 0


class Governor(Contract):
    token: Public[Immutable[IToken]]
    quorum: Public[Immutable[u256]]
    proposals: Public[List[Proposal]]
    locked: Public[Map[Address, u256]]
    until: Public[Map[Address, u64]]
    voted: Public[Map[u64, Map[Address, bool]]]

    def __init__(self, token: IToken, quorum: u256) -> None:
        self.token, self.quorum = token, quorum

    @payable
    def receive(self) -> None:
        pass

    @external
    def lock(self, amount: u256) -> None:
        self.locked[msg.sender] += amount
        assert self.token.transfer_from(msg.sender, self.address, amount), "the token refused"

    @external
    def unlock(self, amount: u256) -> None:
        assert block.timestamp >= self.until[msg.sender], "a vote is not over"
        self.locked[msg.sender] -= amount
        assert self.token.transfer(msg.sender, amount), "the token refused"

    @external
    def propose(self, to: Address, value: u256, data: Bytes, description: String) -> u64:
        assert self.locked[msg.sender] > 0, "no tokens locked"
        assert to != self.token.address, "the locked tokens are not its own"
        id = len(self.proposals)
        self.proposals.append(Proposal(to, value, data, end=block.timestamp + VOTING))
        emit(Proposed(id, msg.sender, description))
        return id

    @external
    def vote(self, id: u64, support: bool) -> None:
        assert self.state(id) == State.VOTING, "no vote going on"
        assert not self.voted[id][msg.sender], "voted before"
        weight = self.locked[msg.sender]
        self.voted[id][msg.sender] = True
        self.until[msg.sender] = max(self.until[msg.sender], self.proposals[id].end)
        self.proposals[id].yes += weight if support else 0
        self.proposals[id].no += 0 if support else weight
        emit(Voted(id, msg.sender, support, weight))

    @external
    @view
    def state(self, id: u64) -> State:
        if id >= len(self.proposals):
            return State.UNKNOWN
        proposal = self.proposals[id].copy()
        if proposal.executed:
            return State.EXECUTED
        if block.timestamp < proposal.end:
            return State.VOTING
        if proposal.yes <= proposal.no or proposal.yes + proposal.no < self.quorum:
            return State.DEFEATED
        return State.WAITING if block.timestamp < proposal.end + WAITING else State.READY

    @external
    def execute(self, id: u64) -> Bytes:
        assert self.state(id) == State.READY, "not ready"
        self.proposals[id].executed = True
        proposal = self.proposals[id].copy()
        emit(Executed(id))
        return raw_call(proposal.to, proposal.data, value=proposal.value)
