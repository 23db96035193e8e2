"""The chain in a data directory, as commands see it. A transaction that is sent makes its block at once.

Never: a server; the directory is held for as long as the command runs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from contractvm.block import Block
from contractvm.chain import Chain
from contractvm.cli.facts import (
    BlockId,
    Entry,
    Failing,
    Holding,
    LogQuery,
    Mined,
    Outcome,
    Part,
    Quote,
    Sealed,
    Slot,
    Unsigned,
)
from contractvm.cli.known import artifact_document, known_errors
from contractvm.cli.literals import revert_reason
from contractvm.cli.problem import USAGE, Problem, say
from contractvm.devaccounts import dev_accounts
from contractvm.errors import Fatal
from contractvm.estimate import CannotSucceed
from contractvm.execute import Executed, Message
from contractvm.machine import Status
from contractvm.receipt import Receipt, may_contain
from contractvm.transaction import Transaction
from contractvm.types import Address, Hash
from sdk.artifact import Artifact
from sdk.interface import Interface
from state.database import HeightError
from state.proofs import AccountProof

if TYPE_CHECKING:
    from contractvm.node.offline import Builds


class LocalChain:
    """Commands' view of an open chain, which it closes."""

    def __init__(self, chain: Chain, directory: Path) -> None:
        self._chain = chain
        self._directory = directory
        self._known: Builds | None = None
        chain.debug = debug_line

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._chain.close()

    @property
    def name(self) -> str:
        return f"the chain in {self._directory}"

    @property
    def chain(self) -> Chain:
        """The chain itself."""
        return self._chain

    @property
    def chain_id(self) -> int:
        return self._chain.chain_id

    @property
    def next_base_fee(self) -> int:
        return self._chain.next_base_fee

    def accounts(self) -> Sequence[Address]:
        return [account.address for account in dev_accounts()]

    def holdings(self, who: Sequence[Address], at: BlockId) -> list[Holding]:
        world = self._chain.world(at)
        return [Holding(world.balance(address), world.nonce(address)) for address in who]

    def code(self, who: Address, at: BlockId = "latest") -> bytes:
        return self._chain.world(at).code(who)

    def exists(self, who: Address, at: BlockId) -> bool:
        return self._chain.world(at).exists(who)

    def storage(self, who: Address, key: bytes, at: BlockId) -> bytes:
        return self._chain.world(at).storage(who, key)

    def entries(self, who: Address, at: BlockId, most: int | None) -> list[Slot]:
        world = self._chain.world(at)
        found: list[Slot] = []
        key = world.next_key(who, None, inclusive=True, stop=None)
        while key is not None and (most is None or len(found) < most):
            value = world.storage(who, key)
            found.append(Slot(key, value, self._words(world.code_hash(who), key, value)))
            key = world.next_key(who, key, inclusive=False, stop=None)
        return found

    def proof(self, who: Address, keys: Sequence[bytes]) -> tuple[Hash, AccountProof]:
        return self._chain.head.state_root, self._chain.proof(who, list(keys))

    def call(self, message: Unsigned, at: BlockId) -> Outcome:
        return outcome(self._chain.call(executable(message), at))

    def estimate(self, message: Unsigned, at: BlockId) -> Quote:
        try:
            found = self._chain.estimate(executable(message), at)
        except CannotSucceed as failure:
            executed = failure.executed
            if executed is None:
                raise Failing(str(failure), None) from None
            came = outcome(executed)
            raise Failing(came.reason if came.reverted else str(failure), came) from None
        return Quote(found.gas, found.executed.gas_used, found.steady)

    def parts(self, message: Unsigned, at: BlockId) -> list[Part]:
        from contractvm.cli.parts import gas_by_part

        chain = self._chain
        return gas_by_part(chain.rules, executable(message), lambda: chain.world(at), chain.context(at))[1]

    def check_runs_wasm(self) -> None:
        """It does."""

    def next_nonce(self, who: Address) -> int:
        return self._chain.next_nonce(who)

    def send(self, tx: Transaction) -> Hash:
        chain = self._chain
        chain.executor.check(tx, chain.world(), chain.context("pending"), chain.head.gas_limit)
        digest = chain.submit(tx)
        chain.produce()
        return digest

    def send_unlocked(self, tx: Transaction, sender: Address) -> Hash:
        raise Problem("--unlocked is for a node, which signs", "name one: -r http://127.0.0.1:8545", code=USAGE)

    def mined(self, digest: Hash) -> Mined:
        found = self.receipt(digest)
        if found is None:
            raise Fatal(f"transaction 0x{digest.hex()} passed every check and was not mined")
        return found

    def receipt(self, digest: Hash) -> Mined | None:
        receipt, included = self._chain.receipt(digest), self._chain.transaction(digest)
        return None if receipt is None or included is None else mined(receipt, included.transaction)

    def block(self, at: BlockId) -> Sealed:
        return sealed(self._chain.block(at))

    def outcomes(self, at: BlockId) -> list[Mined]:
        transactions = self._chain.block(at).transactions
        return [mined(receipt, tx) for receipt, tx in zip(self._chain.receipts(at), transactions, strict=True)]

    def logs(self, query: LogQuery) -> list[Entry]:
        first, last = self._chain.height(query.first), self._chain.height(query.last)
        found: list[Entry] = []
        for number in range(first, last + 1):
            if admits(self._chain.header(number).logs_bloom, query):
                for receipt in self._chain.receipts(number):
                    found += [entry for entry in entries(receipt) if fits(entry, query)]
        return found

    def trace(self, digest: Hash) -> dict[str, Any]:
        builds = self._builds()
        from contractvm.node.fault import Fault

        try:
            return builds.trace(self._chain, digest)
        except Fault as fault:
            raise Problem(fault.message, "contractvm block shows the hashes of a block's transactions") from None
        except HeightError as error:
            raise Problem(f"the state before the transaction is not kept any more: {error}", "see --keep") from None
        except RecursionError:
            raise too_deep() from None

    def trace_call(self, message: Unsigned, at: BlockId) -> dict[str, Any]:
        builds = self._builds()
        try:
            return builds.trace_call(self._chain, executable(message), at)
        except RecursionError:
            raise too_deep() from None

    def contract(self, who: Address) -> tuple[str, Interface] | None:
        try:
            return self._builds().known(self._chain.world().code_hash(who))
        except PackageMissing:
            return None

    def created(self, first: int, last: int) -> list[Address]:
        receipts = [receipt for height in range(first, last + 1) for receipt in self._chain.receipts(height)]
        return [receipt.created for receipt in receipts if receipt.ok and receipt.created is not None]

    def remember(self, artifact: Artifact) -> None:
        """Keep the build where a node will look for it; without the node's packages nobody will."""
        try:
            builds = self._builds()
        except PackageMissing:
            return
        from contractvm.node.fault import Fault

        try:
            builds.add(artifact_document(artifact))
        except Fault as fault:
            say(f"the build is not kept: {fault.message}", label="warning")

    def _words(self, code_hash: bytes, key: bytes, value: bytes) -> Mapping[str, object]:
        """What an entry of storage is; empty where nobody can tell."""
        try:
            return self._builds().words(code_hash, key, value)
        except PackageMissing:
            return {}

    def _builds(self) -> Builds:
        """Raises: PackageMissing."""
        if self._known is None:
            try:
                from contractvm.node.offline import Builds
            except ModuleNotFoundError as error:
                if error.name is None or error.name.startswith("contractvm"):
                    raise
                raise PackageMissing(error.name) from None
            self._known = Builds(self._directory)
        return self._known


class PackageMissing(Problem):
    """The node's packages are not installed, which traces and builds need."""

    def __init__(self, package: str) -> None:
        super().__init__(f"traces need {package}", "install the node's extra: pip install 'contractvm[node]'")


def executable(message: Unsigned) -> Message:
    """As the executor takes it."""
    return Message(message.sender, message.to, message.value, message.data, message.gas_limit)


def too_deep() -> Problem:
    """Python before 3.13 reads JSON to a depth that nobody can raise."""
    return Problem("the calls are too deep to be shown", "Python 3.13 and newer read deeper traces")


def debug_line(contract: Address, text: bytes) -> None:
    """Show what a contract said by `debug_print`; for `Chain.debug`."""
    say(f"0x{contract.hex()[:8]}: {text.decode('utf-8', errors='backslashreplace')}", label="debug")


def outcome(executed: Executed) -> Outcome:
    """What came of a message."""
    if executed.ok:
        return Outcome(True, executed.output, executed.gas_used)
    if executed.status is Status.REVERT:
        words = f"execution reverted: {revert_reason(executed.output, known_errors())}"
        return Outcome(False, executed.output, executed.gas_used, words, reverted=True)
    if executed.trap is not None:
        words = f"execution trapped: {executed.trap}"
    else:
        words = f"execution failed: {executed.detail or executed.status.name.lower().replace('_', ' ')}"
    return Outcome(False, executed.output, executed.gas_used, words)


def reason(receipt: Receipt) -> str:
    """Why a mined transaction failed, in words; empty when it did not."""
    if receipt.ok:
        return ""
    if receipt.trap is not None:
        return f"trapped: {receipt.trap}"
    if receipt.status is Status.REVERT:
        return f"reverted: {revert_reason(receipt.output, known_errors())}"
    return receipt.detail or receipt.status.name.lower().replace("_", " ")


def mined(receipt: Receipt, tx: Transaction) -> Mined:
    """The facts of a transaction in a block."""
    trap = receipt.trap
    place: dict[str, object] | None = None
    if trap is not None:
        at = trap.place
        place = {"kind": trap.code, "function": at.function, "name": at.name, "offset": at.offset}
    return Mined(
        transaction_hash=receipt.transaction_hash,
        ok=receipt.ok,
        outcome=receipt.status.name.lower(),
        reason=reason(receipt),
        block_number=receipt.block_number,
        block_hash=receipt.block_hash,
        index=receipt.index,
        type=receipt.type,
        sender=receipt.sender,
        to=receipt.to,
        created=receipt.created,
        gas_used=receipt.gas_used,
        gas_limit=tx.gas_limit,
        cumulative_gas=receipt.cumulative_gas,
        gas_price=receipt.gas_price,
        value=tx.value,
        logs=entries(receipt),
        revert_data=receipt.output if receipt.status is Status.REVERT else None,
        trap=place,
    )


def entries(receipt: Receipt) -> tuple[Entry, ...]:
    """A receipt's logs."""
    return tuple(
        Entry(log.address, log.topics, log.data, receipt.log_index + at, receipt.block_number, receipt.transaction_hash)
        for at, log in enumerate(receipt.logs)
    )


def sealed(block: Block) -> Sealed:
    """The facts of a block."""
    header = block.header
    return Sealed(
        number=header.number,
        hash=header.hash,
        parent_hash=header.parent_hash,
        timestamp=header.timestamp,
        coinbase=header.coinbase,
        state_root=header.state_root,
        transactions_root=header.transactions_root,
        receipts_root=header.receipts_root,
        logs_bloom=header.logs_bloom,
        base_fee=header.base_fee,
        gas_limit=header.gas_limit,
        gas_used=header.gas_used,
        size=block.size,
        transactions=tuple(tx.hash for tx in block.transactions),
    )


def admits(bloom: bytes, query: LogQuery) -> bool:
    """Whether a block with this filter may hold what is asked for."""
    if query.addresses and not any(may_contain(bloom, address) for address in query.addresses):
        return False
    return all(topic is None or may_contain(bloom, topic) for topic in query.topics)


def fits(entry: Entry, query: LogQuery) -> bool:
    """Whether a log is one of those asked for."""
    if query.addresses and entry.address not in query.addresses:
        return False
    if len(entry.topics) < len(query.topics):
        return False
    return all(wanted in (None, topic) for wanted, topic in zip(query.topics, entry.topics, strict=False))
