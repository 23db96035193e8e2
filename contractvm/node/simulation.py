"""Blocks that might follow another: `eth_simulateV1`'s chain of calls, each seeing what those before it did.

Without validation gas is free and nonces are right by themselves; with it, calls are held to what transactions are held
to. State roots are not worked out, and stand as zeros. Source: execution-apis, eth_simulateV1, with its error codes.
Never: touches the chain.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from contractvm.block import Block, Header, next_base_fee
from contractvm.builder import Result, assemble
from contractvm.chain import BlockId, Chain
from contractvm.dataclass import dataclass
from contractvm.errors import Rejected
from contractvm.execute import BlockContext, Executed, Message
from contractvm.machine import Status
from contractvm.node.fault import Fault, bad_params, failed
from contractvm.node.messages import message_of
from contractvm.node.overrides import Overrides, overrides_of
from contractvm.node.shapes import Document, block_document, log_document, place_document
from contractvm.node.values import boolean, mapping, u64
from contractvm.receipt import Receipt
from contractvm.rejections import (
    FeeTooLow,
    InsufficientFunds,
    IntrinsicGasTooLow,
    LimitExceeded,
    NonceTooHigh,
    NonceTooLow,
)
from contractvm.transaction import Transaction
from contractvm.types import ZERO_HASH
from state.world import World

MOST_BLOCKS: Final = 256
MOST_CALLS: Final = 5_000
"""Calls of one simulation."""
_NUMBERS, _TIMES, _TOO_MANY = -38020, -38021, -38026
_FAILED: Final = -32015
_REFUSED: Final[Mapping[type[Rejected], int]] = {
    NonceTooLow: -38010,
    NonceTooHigh: -38011,
    FeeTooLow: -38012,
    IntrinsicGasTooLow: -38013,
    InsufficientFunds: -38014,
    LimitExceeded: -38015,
}
_FIELDS: Final = frozenset({"blockStateCalls", "traceTransfers", "validation", "returnFullTransactions"})
_BLOCK_FIELDS: Final = frozenset({"blockOverrides", "stateOverrides", "calls"})


@dataclass(frozen=True, slots=True)
class Step:
    """One block to be: what is different in it, and its calls with the nonces that they name."""

    overrides: Overrides
    calls: tuple[tuple[Message, int | None], ...]


@dataclass(frozen=True, slots=True)
class Simulation:
    """What a client asks for."""

    steps: tuple[Step, ...]
    validation: bool
    full: bool


def simulation_of(given: Mapping[str, Any], chain: Chain) -> Simulation:
    """Read the payload. Raises: Fault."""
    _only(given, _FIELDS)
    blocks = given.get("blockStateCalls")
    if not isinstance(blocks, list) or not blocks:
        raise bad_params("blockStateCalls: a list of at least one block is expected")
    if len(blocks) > MOST_BLOCKS:
        raise Fault(_TOO_MANY, f"too many blocks: {len(blocks)}, limit {MOST_BLOCKS}")
    if _flag(given, "traceTransfers"):
        raise bad_params("traceTransfers: payments are not told as logs here; cvm_trace shows them")
    steps = tuple(_step(mapping(block), chain) for block in blocks)
    if sum(len(step.calls) for step in steps) > MOST_CALLS:
        raise Fault(_TOO_MANY, f"too many calls, limit {MOST_CALLS}")
    return Simulation(steps, _flag(given, "validation"), _flag(given, "returnFullTransactions"))


def _step(given: Mapping[str, Any], chain: Chain) -> Step:
    _only(given, _BLOCK_FIELDS)
    overrides = overrides_of(given.get("stateOverrides"), given.get("blockOverrides"), chain.executor.check_code)
    calls = given.get("calls")
    calls = [] if calls is None else calls
    if not isinstance(calls, list):
        raise bad_params("calls: a list is expected")
    return Step(overrides, tuple((message_of(mapping(call)), _nonce(call)) for call in calls))


def _nonce(call: Mapping[str, Any]) -> int | None:
    given = call.get("nonce")
    return None if given is None else u64(given)


def _flag(given: Mapping[str, Any], name: str) -> bool:
    value = given.get(name)
    return value is not None and boolean(value)


def _only(given: Mapping[str, Any], fields: frozenset[str]) -> None:
    unknown = given.keys() - fields
    if unknown:
        raise bad_params(f"no {sorted(unknown)[0][:80]!r} is known here; there are {', '.join(sorted(fields))}")


def simulate(chain: Chain, wish: Simulation, at: BlockId, most: int, errors: Sequence[str]) -> list[Document]:
    """Run it on the state at a block, with `most` gas for all calls together. Raises: Fault, UnknownBlock."""
    base = chain.header(at)
    context = chain.context(base.number)
    run = _Run(chain, wish, base, context, chain.world(base.number), most, errors)
    return list(run.blocks())


class _Run:
    """One simulation under way."""

    def __init__(
        self,
        chain: Chain,
        wish: Simulation,
        base: Header,
        context: BlockContext,
        world: World,
        most: int,
        errors: Sequence[str],
    ) -> None:
        self._chain = chain
        self._wish = wish
        self._last = base
        self._context = context
        self._world = world
        self._gas = most
        self._errors = errors
        self._hashes: dict[int, bytes] = {}
        self._made = 0

    def blocks(self) -> Iterator[Document]:
        """The blocks in order, those between that a number skips too."""
        for step in self._wish.steps:
            number = step.overrides.block.get("number", self._last.number + 1)
            if number <= self._last.number:
                raise Fault(_NUMBERS, f"block numbers must rise: {number} comes after {self._last.number}")
            if self._made + number - self._last.number > MOST_BLOCKS:
                raise Fault(_TOO_MANY, f"too many blocks: up to number {number}, limit {MOST_BLOCKS} blocks")
            while self._last.number + 1 < number:
                yield self._block(Step(Overrides(), ()))
            yield self._block(step)

    def _block(self, step: Step) -> Document:
        parent, wish = self._last, self._wish
        context = replace(
            self._context,
            number=parent.number + 1,
            timestamp=parent.timestamp + 1,
            base_fee=next_base_fee(parent, self._chain.rules) if wish.validation else 0,
            block_hash=self._hash_of,
        )
        context = step.overrides.apply(self._world, context)
        if context.timestamp <= parent.timestamp:
            raise Fault(_TIMES, f"timestamps must rise: {context.timestamp} comes after {parent.timestamp}")
        results: list[Result] = []
        left = context.gas_limit
        for message, nonce in step.calls:
            result = self._call(message, nonce, context, min(left, self._gas))
            left -= result.executed.gas_used
            self._gas -= result.executed.gas_used
            results.append(result)
        block, receipts = assemble(parent, context, results, ZERO_HASH)
        self._last = block.header
        self._hashes[block.number] = block.hash
        self._made += 1
        return self._document(block, receipts, results)

    def _call(self, message: Message, nonce: int | None, context: BlockContext, left: int) -> Result:
        """Run a call and keep what it did. Raises: Fault when it could not be in this block."""
        world, wish = self._world, self._wish
        price = message.gas_price
        tx = Transaction(
            nonce=world.nonce(message.sender) if nonce is None or not wish.validation else nonce,
            max_fee=price,
            max_tip=price,
            gas_limit=left if message.gas_limit is None else message.gas_limit,
            to=message.to,
            value=message.value,
            data=message.data,
            chain_id=self._chain.chain_id,
            access_list=message.access_list,
            impersonated=message.sender,
        )
        if not price and not wish.validation:
            context = replace(context, base_fee=0)
        try:
            return Result(tx, self._chain.executor.apply(tx, world, context, left))
        except Rejected as refusal:
            raise Fault(_REFUSED.get(type(refusal), -32000), str(refusal)) from refusal

    def _hash_of(self, number: int) -> bytes | None:
        return self._hashes.get(number) or self._context.block_hash(number)

    def _document(self, block: Block, receipts: Sequence[Receipt], results: Sequence[Result]) -> Document:
        document = block_document(block, self._wish.full)
        calls = []
        for receipt, result in zip(receipts, results, strict=True):
            receipt.block_number, receipt.block_hash = block.number, block.hash
            executed, place = result.executed, place_document(receipt, block.header.timestamp)
            call: Document = {
                "status": "0x1" if executed.ok else "0x0",
                "returnData": "0x" + executed.output.hex(),
                "gasUsed": hex(executed.gas_used),
                "logs": [log_document(log, index, place) for index, log in enumerate(receipt.logs, receipt.log_index)],
            }
            if not executed.ok:
                call["error"] = self._error(executed)
            calls.append(call)
        document["calls"] = calls
        return document

    def _error(self, executed: Executed) -> Document:
        fault = failed(executed, self._errors)
        if executed.status is not Status.REVERT:
            fault = Fault(_FAILED, fault.message)
        return fault.document()
