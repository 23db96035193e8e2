"""The chain as commands see it: one door for the directory on disk (`local`) and the node behind a URL (`remote`).

What cannot be had behind one of the doors is refused there, with the way out. Never: prints.
"""

from __future__ import annotations

from collections.abc import Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any, Protocol, Self

from contractvm.cli.facts import BlockId, Entry, Holding, LogQuery, Mined, Outcome, Part, Quote, Sealed, Slot, Unsigned
from contractvm.types import Address, Hash

if TYPE_CHECKING:
    from contractvm.transaction import Transaction
    from sdk.artifact import Artifact
    from sdk.interface import Interface
    from state.proofs import AccountProof


class Chainlike(Protocol):
    """An open chain. Everything raises `Problem` when the node cannot be asked, and `UnknownBlock` or `Problem` for a
    block that is not there."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...

    @property
    def name(self) -> str:
        """What an error calls it."""

    @property
    def chain_id(self) -> int:
        """EIP-155's."""

    @property
    def next_base_fee(self) -> int:
        """Wei a gas of the next block."""

    def accounts(self) -> Sequence[Address]:
        """The development accounts, by number."""

    def holdings(self, who: Sequence[Address], at: BlockId) -> list[Holding]:
        """Balances and nonces."""

    def code(self, who: Address, at: BlockId = "latest") -> bytes:
        """Code of a contract, empty where there is none."""

    def exists(self, who: Address, at: BlockId) -> bool:
        """Whether there is such an account."""

    def storage(self, who: Address, key: bytes, at: BlockId) -> bytes:
        """The value at a storage key, as it is kept."""

    def entries(self, who: Address, at: BlockId, most: int | None) -> list[Slot]:
        """Storage in order of keys, at most `most` of them."""

    def proof(self, who: Address, keys: Sequence[bytes]) -> tuple[Hash, AccountProof]:
        """The latest state root, and a proof that nobody has checked yet."""

    def call(self, message: Unsigned, at: BlockId) -> Outcome:
        """Run a message and drop what it changes."""

    def estimate(self, message: Unsigned, at: BlockId) -> Quote:
        """The least gas limit. Raises: Failing."""

    def parts(self, message: Unsigned, at: BlockId) -> list[Part]:
        """Where a message's gas goes."""

    def check_runs_wasm(self) -> None:
        """Raises: Problem where a contract would be kept and never run."""

    def next_nonce(self, who: Address) -> int:
        """The first nonce that neither a block nor the pool uses."""

    def send(self, tx: Transaction) -> Hash:
        """Submit a signed transaction. Raises: Rejected or Problem when it cannot be mined."""

    def send_unlocked(self, tx: Transaction, sender: Address) -> Hash:
        """Have the node sign a transaction with its key of `sender`, and submit it."""

    def mined(self, digest: Hash) -> Mined:
        """A submitted transaction, once it is in a block. Raises: Problem when that takes too long."""

    def receipt(self, digest: Hash) -> Mined | None:
        """A transaction in a block, None where there is no such one."""

    def block(self, at: BlockId) -> Sealed:
        """A block."""

    def outcomes(self, at: BlockId) -> list[Mined]:
        """A block's transactions in order."""

    def logs(self, query: LogQuery) -> list[Entry]:
        """Logs in the order in which they were written."""

    def trace(self, digest: Hash) -> dict[str, Any]:
        """The call tree of a mined transaction, as `cvm_trace` answers."""

    def trace_call(self, message: Unsigned, at: BlockId) -> dict[str, Any]:
        """The call tree of a message, as `cvm_traceCall` answers."""

    def contract(self, who: Address) -> tuple[str, Interface] | None:
        """Name and interface of a contract whose build is known."""

    def created(self, first: int, last: int) -> list[Address]:
        """Contracts that transactions of these blocks made, in order."""

    def remember(self, artifact: Artifact) -> None:
        """Tell the chain what is known of a contract that was just deployed, for those who ask about it later."""
