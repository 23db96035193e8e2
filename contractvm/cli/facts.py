"""What commands say of a chain, whether it lies in a directory or is behind a node: plain facts, ready to be shown.

Gas is whole gas, amounts are wei. Never: reads or asks anything.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from contractvm.cli.problem import Problem
from contractvm.types import Address, Hash

BlockId = int | bytes | str
"""A height, a block's hash, or a tag."""


@dataclass(frozen=True, slots=True)
class Unsigned:
    """A call or a creation that nobody signed: the executor's `Message`, without the executor."""

    sender: Address
    to: Address | None
    value: int = 0
    data: bytes = b""
    gas_limit: int | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a message that changes nothing. `gas` is None where nobody says; `reason` is empty on success."""

    ok: bool
    output: bytes
    gas: int | None = None
    reason: str = ""
    reverted: bool = False


class Failing(Problem):
    """A message that succeeds with no gas limit; `outcome` is None when it did not run at all."""

    def __init__(self, message: str, outcome: Outcome | None, way_out: str = "") -> None:
        super().__init__(message, way_out)
        self.outcome = outcome


@dataclass(frozen=True, slots=True)
class Quote:
    """A gas limit that succeeds where one less fails; `steady` as `contractvm.estimate` has it, None if unknown."""

    gas: int
    used: int | None
    steady: bool | None


@dataclass(frozen=True, slots=True)
class Holding:
    """Balance in wei, and nonce, of an account."""

    balance: int
    nonce: int


@dataclass(frozen=True, slots=True)
class Slot:
    """A storage key with its value; where the contract's layout is known, `words` has `field`, `path`, `decoded`."""

    key: bytes
    value: bytes
    words: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Entry:
    """A log; `index` is its place among the block's."""

    address: Address
    topics: tuple[bytes, ...]
    data: bytes
    index: int
    block_number: int
    transaction_hash: Hash


@dataclass(frozen=True, slots=True)
class Mined:
    """A transaction in a block and what came of it.

    `outcome` is how it ended in a word (ok, revert, trap, out_of_gas ...), `reason` why in words; `trap` is what is
    known of a trap's place, for programs.
    """

    transaction_hash: Hash
    ok: bool
    outcome: str
    reason: str
    block_number: int
    block_hash: Hash
    index: int
    type: int
    sender: Address
    to: Address | None
    created: Address | None
    gas_used: int
    gas_limit: int
    cumulative_gas: int
    gas_price: int
    value: int
    logs: tuple[Entry, ...]
    revert_data: bytes | None
    trap: Mapping[str, object] | None = None


@dataclass(frozen=True, slots=True)
class Sealed:
    """A block: its header's fields and the hashes of its transactions."""

    number: int
    hash: Hash
    parent_hash: Hash
    timestamp: int
    coinbase: Address
    state_root: Hash
    transactions_root: Hash
    receipts_root: Hash
    logs_bloom: bytes
    base_fee: int
    gas_limit: int
    gas_used: int
    size: int
    transactions: tuple[Hash, ...]


@dataclass(frozen=True, slots=True)
class LogQuery:
    """Which logs: of any of `addresses` (all if empty), with these first topics (None: any), in these blocks."""

    first: BlockId
    last: BlockId
    addresses: tuple[Address, ...] = ()
    topics: tuple[bytes | None, ...] = ()


@dataclass(frozen=True, slots=True)
class Part:
    """What a group of prices cost, in whole gas."""

    name: str
    gas: int
