"""The chain behind a node's URL, as commands see it: Ethereum's methods where there are some, `cvm_*` where not.

Answers are read strictly: what is no number or no hex where one belongs is said to be the node's fault.
Never: signs, or asks anything that the command did not.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, Self

from contractvm.cli.client import UNKNOWN_METHOD, Client, NodeError
from contractvm.cli.documents import (
    address,
    block_of,
    data,
    entry_of,
    hash32,
    listed,
    mapping,
    mined_of,
    number,
    slot_of,
)
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
from contractvm.cli.problem import Problem, say
from contractvm.cli.values import clip
from contractvm.types import Address, Hash

if TYPE_CHECKING:
    from contractvm.transaction import Transaction
    from sdk.artifact import Artifact
    from sdk.interface import Interface
    from state.proofs import AccountProof

REVERTED: Final = 3
PAUSES: Final = (0.01, 0.02, 0.05, 0.1, 0.2)
"""Seconds between two looks at a receipt; the last repeats."""


class RemoteChain:
    """Commands' view of a node."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._client.close()

    @property
    def name(self) -> str:
        return f"the node at {self._client.origin}"

    @property
    def client(self) -> Client:
        """The connection itself."""
        return self._client

    @property
    def chain_id(self) -> int:
        return number(self._client.ask("eth_chainId"), "eth_chainId")

    @property
    def next_base_fee(self) -> int:
        block = self._client.ask("eth_getBlockByNumber", "pending", False)
        fee = block.get("baseFeePerGas") if isinstance(block, dict) else None
        return 0 if fee is None else number(fee, "baseFeePerGas")

    def accounts(self) -> Sequence[Address]:
        return [address(each, "eth_accounts") for each in self._client.ask("eth_accounts") or ()]

    def holdings(self, who: Sequence[Address], at: BlockId) -> list[Holding]:
        block = block_parameter(at)
        methods = ("eth_getBalance", "eth_getTransactionCount")
        answers = self._client.ask_all([(method, (hexed(each), block)) for each in who for method in methods])
        numbers = [number(answer, "an account") for answer in answers]
        return [Holding(*pair) for pair in zip(numbers[::2], numbers[1::2], strict=True)]

    def code(self, who: Address, at: BlockId = "latest") -> bytes:
        return data(self._client.ask("eth_getCode", hexed(who), block_parameter(at)), "eth_getCode")

    def exists(self, who: Address, at: BlockId) -> bool:
        (holding,) = self.holdings([who], at)
        return bool(holding.balance or holding.nonce or self.code(who, at))

    def storage(self, who: Address, key: bytes, at: BlockId) -> bytes:
        found, _ = self._listed(who, at, {"start": hexed(key), "limit": 1})
        return next((slot.value for slot in found if slot.key == key), b"")

    def entries(self, who: Address, at: BlockId, most: int | None) -> list[Slot]:
        found: list[Slot] = []
        start: object = "0x"
        while start is not None and (most is None or len(found) < most):
            wanted = PAGE if most is None else min(PAGE, most - len(found))
            page, start = self._listed(who, at, {"start": start, "limit": wanted})
            found += page
        return found

    def _listed(self, who: Address, at: BlockId, options: Mapping[str, object]) -> tuple[list[Slot], object]:
        """Entries from a key on, and where to go on, None at the end."""
        answer = mapping(self._client.ask("cvm_storage", hexed(who), options, block_parameter(at)), "cvm_storage")
        return [slot_of(entry) for entry in listed(answer.get("entries"), "the entries")], answer.get("next")

    def proof(self, who: Address, keys: Sequence[bytes]) -> tuple[Hash, AccountProof]:
        from contractvm.cli.documents import proof_of

        before = self.block("latest")
        while True:
            answer = self._client.ask("cvm_getProof", hexed(who), [hexed(key) for key in keys], "latest")
            after = self.block("latest")
            if after.hash == before.hash:
                return before.state_root, proof_of(answer)
            before = after

    def call(self, message: Unsigned, at: BlockId) -> Outcome:
        try:
            output = self._client.ask("eth_call", message_document(message), block_parameter(at))
        except NodeError as error:
            return failure(error)
        return Outcome(True, data(output, "eth_call"))

    def estimate(self, message: Unsigned, at: BlockId) -> Quote:
        document, block = message_document(message), block_parameter(at)
        try:
            try:
                found = self._client.ask("cvm_estimate", document, block)
            except NodeError as error:
                if error.rpc_code != UNKNOWN_METHOD:
                    raise
                return Quote(
                    number(self._client.ask("eth_estimateGas", document, block), "eth_estimateGas"), None, None
                )
        except NodeError as error:
            came = failure(error)
            raise Failing(came.reason, came, error.way_out) from None
        quote = mapping(found, "cvm_estimate")
        gas, used, steady = quote.get("gas"), quote.get("gasUsed"), quote.get("steady")
        return Quote(number(gas, "gas"), number(used, "gasUsed"), steady if isinstance(steady, bool) else None)

    def parts(self, message: Unsigned, at: BlockId) -> list[Part]:
        raise Problem("--parts runs the message itself", "use it on a data directory: --data DIR")

    def check_runs_wasm(self) -> None:
        version = str(self._client.ask("web3_clientVersion"))
        if not version.startswith("contractvm/"):
            raise Problem(
                f"{self.name} is {clip(version)}, which runs no WebAssembly",
                "deploy to contractvm's own: contractvm node",
            )

    def next_nonce(self, who: Address) -> int:
        return number(self._client.ask("eth_getTransactionCount", hexed(who), "pending"), "eth_getTransactionCount")

    def send(self, tx: Transaction) -> Hash:
        with told_of(tx.hash):
            return hash32(self._client.ask("eth_sendRawTransaction", hexed(tx.encode())), "eth_sendRawTransaction")

    def send_unlocked(self, tx: Transaction, sender: Address) -> Hash:
        document: dict[str, object] = {
            "from": hexed(sender),
            "nonce": hex(tx.nonce),
            "gas": hex(tx.gas_limit),
            "value": hex(tx.value),
            "input": hexed(tx.data),
        }
        if tx.to is not None:
            document["to"] = hexed(tx.to)
        if tx.type == 0:
            document["gasPrice"] = hex(tx.max_fee)
        else:
            document |= {"maxFeePerGas": hex(tx.max_fee), "maxPriorityFeePerGas": hex(tx.max_tip)}
        return hash32(self._client.ask("eth_sendTransaction", document), "eth_sendTransaction")

    def mined(self, digest: Hash) -> Mined:
        deadline = time.monotonic() + self._client.timeout
        with told_of(digest):
            for look in itertools.count():
                found = self.receipt(digest)
                if found is not None:
                    return found
                pause = PAUSES[min(look, len(PAUSES) - 1)]
                if time.monotonic() + pause > deadline:
                    break
                time.sleep(pause)
        raise Problem(
            f"transaction {hexed(digest)} is in no block after {self._client.timeout:g} seconds",
            "it waits in the node's pool: `contractvm rpc evm_mine` makes a block where the node may, "
            "`contractvm receipt` asks again, --timeout SECONDS waits longer",
        )

    def receipt(self, digest: Hash) -> Mined | None:
        name = hexed(digest)
        answers = self._client.ask_all([("eth_getTransactionReceipt", (name,)), ("eth_getTransactionByHash", (name,))])
        receipt, transaction = answers
        if receipt is None or transaction is None:
            return None
        return mined_of(receipt, transaction)

    def block(self, at: BlockId) -> Sealed:
        return block_of(self._block(at, False))

    def outcomes(self, at: BlockId) -> list[Mined]:
        block = self._block(at, True)
        receipts = self._client.ask("eth_getBlockReceipts", block.get("number") or block_parameter(at)) or []
        return [mined_of(*pair) for pair in zip(receipts, block.get("transactions") or (), strict=True)]

    def _block(self, at: BlockId, full: bool) -> Mapping[str, Any]:
        method = "eth_getBlockByHash" if isinstance(at, bytes) else "eth_getBlockByNumber"
        answer = self._client.ask(method, block_parameter(at), full)
        if answer is None:
            raise Problem(f"{self.name} has no block {hexed(at) if isinstance(at, bytes) else at}", "try: latest")
        return mapping(answer, "the block")

    def logs(self, query: LogQuery) -> list[Entry]:
        wanted: dict[str, object] = {
            "fromBlock": block_parameter(query.first),
            "toBlock": block_parameter(query.last),
            "topics": [None if topic is None else hexed(topic) for topic in query.topics],
        }
        if query.addresses:
            wanted["address"] = [hexed(each) for each in query.addresses]
        return [entry_of(log) for log in self._client.ask("eth_getLogs", wanted) or ()]

    def trace(self, digest: Hash) -> dict[str, Any]:
        return dict(mapping(self._client.ask("cvm_trace", hexed(digest)), "cvm_trace"))

    def trace_call(self, message: Unsigned, at: BlockId) -> dict[str, Any]:
        answer = self._client.ask("cvm_traceCall", message_document(message), block_parameter(at))
        return dict(mapping(answer, "cvm_traceCall"))

    def contract(self, who: Address) -> tuple[str, Interface] | None:
        from sdk.interface import Interface

        try:
            answer = self._client.ask("cvm_contract", hexed(who))
        except NodeError as error:
            if error.rpc_code != UNKNOWN_METHOD:
                raise
            return None
        if answer is None or not mapping(answer, "cvm_contract").get("known"):
            return None
        return str(answer.get("name")), Interface.from_json(answer.get("abi") or [])

    def created(self, first: int, last: int) -> list[Address]:
        blocks = self._client.ask_all([("eth_getBlockReceipts", (hex(height),)) for height in range(first, last + 1)])
        receipts = [mapping(each, "a receipt") for block in blocks for each in listed(block or [], "the receipts")]
        made = [each.get("contractAddress") for each in receipts if each.get("status") == "0x1"]
        return [address(each, "contractAddress") for each in made if each is not None]

    def remember(self, artifact: Artifact) -> None:
        """Tell the node; one of another make does not want to know."""
        try:
            self._client.ask("cvm_addArtifact", artifact_document(artifact))
        except NodeError as error:
            if error.rpc_code != UNKNOWN_METHOD:
                say(f"the node does not keep the build: {error.said}", label="warning")


@contextmanager
def told_of(digest: Hash) -> Iterator[None]:
    """Whatever cuts the wait for an answer short: the transaction may be on its way, and this is its name."""
    try:
        yield
    except NodeError:
        raise
    except (Problem, KeyboardInterrupt):
        say(f"the transaction may have been sent: contractvm receipt {hexed(digest)}", label="note")
        raise


PAGE: Final = 1_000
"""Storage entries asked for at a time."""


def hexed(content: bytes) -> str:
    return "0x" + content.hex()


def block_parameter(at: BlockId) -> str:
    """A block as JSON-RPC names it."""
    if isinstance(at, int):
        return hex(at)
    return hexed(at) if isinstance(at, bytes) else at


def message_document(message: Unsigned) -> dict[str, str]:
    """A message as `eth_call` takes it."""
    document = {"from": hexed(message.sender), "value": hex(message.value), "input": hexed(message.data)}
    if message.to is not None:
        document["to"] = hexed(message.to)
    if message.gas_limit is not None:
        document["gas"] = hex(message.gas_limit)
    return document


def failure(error: NodeError) -> Outcome:
    """What a node's error says of a message that ran. Raises: the error, when it did not run."""
    content = b""
    if isinstance(error.data, str) and error.data.startswith("0x"):
        content = data(error.data, "the error's data")
    if error.rpc_code == REVERTED or content:
        words = revert_reason(content, known_errors()) if content else ""
        # The node may know errors of contracts that were not built here.
        if words and not words.startswith("with 0x"):
            return Outcome(False, content, None, f"execution reverted: {words}", reverted=True)
        return Outcome(False, content, None, error.said, reverted=True)
    if error.said.startswith(("execution", "out of gas", "gas required")):
        return Outcome(False, b"", None, error.said)
    raise error
