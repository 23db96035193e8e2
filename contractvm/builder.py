"""Making a block: what of the pool fits runs, and its results become roots, receipts and a header.

Source: yellow paper section 4.3; EIP-1559 for the order by effective tip. Never: writes; `chain` does, once,
at the end.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from contractvm.archive import Archive
from contractvm.block import Block, Header, indexed_root
from contractvm.dataclass import dataclass
from contractvm.errors import Rejected
from contractvm.execute import BlockContext, Executed, Executor
from contractvm.mempool import Selection
from contractvm.nesting import RaisedRecursionLimit
from contractvm.receipt import BLOOM_BYTES, REVERT_KEPT, TEXT_KEPT, Bloom, Receipt, TrapReport
from contractvm.rejections import LimitExceeded
from contractvm.transaction import Transaction
from contractvm.types import Address, Hash
from state.world import World


@dataclass(slots=True)
class Result:
    """A transaction and what came of it."""

    transaction: Transaction
    executed: Executed


def hashes_of(archive: Archive) -> Callable[[int], bytes | None]:
    """What the host asks for the hashes of blocks by number."""

    def block_hash(number: int) -> bytes | None:
        earlier = archive.header(number) if number >= 0 else None
        return None if earlier is None else earlier.hash

    return block_hash


def context_of(
    header: Header,
    chain_id: int,
    block_hash: Callable[[int], bytes | None],
    debug: Callable[[Address, bytes], None] | None,
) -> BlockContext:
    """What a transaction sees of the block of this header; `block_hash` knows those of others by number."""
    return BlockContext(
        chain_id=chain_id,
        number=header.number,
        timestamp=header.timestamp,
        coinbase=header.coinbase,
        base_fee=header.base_fee,
        gas_limit=header.gas_limit,
        block_hash=block_hash,
        debug=debug,
    )


def fill(
    executor: Executor, selection: Selection, world: World, context: BlockContext
) -> tuple[list[Result], list[Hash]]:
    """Run what is selected on the world until the block is full: (results, hashes of what can never run).

    The pool is not changed: should the block not be written, everything still waits.
    """
    results: list[Result] = []
    refused: list[Hash] = []
    gas_left = context.gas_limit
    frames = executor.frames(world, context)
    with RaisedRecursionLimit():
        while gas_left >= executor.prices.base and (tx := selection.next()) is not None:
            try:
                executed = executor.apply(tx, world, context, gas_left, raised=True, frames=frames)
            except LimitExceeded:
                selection.skip()
            except Rejected:
                selection.skip()
                refused.append(tx.hash)
            else:
                gas_left -= executed.gas_used
                results.append(Result(tx, executed))
    return results, refused


def assemble(
    parent: Header, context: BlockContext, results: Sequence[Result], state_root: Hash
) -> tuple[Block, list[Receipt]]:
    """The block that holds these results in this order, and its receipts."""
    bloom = Bloom()
    receipts: list[Receipt] = []
    leaves: list[bytes] = []
    gas = logs = 0
    for result in results:
        gas += result.executed.gas_used
        receipt = _receipt(result, gas, len(receipts), logs)
        logs += len(receipt.logs)
        receipts.append(receipt)
        leaves.append(receipt.encode(bloom.of(receipt.logs)))
    transactions = tuple(result.transaction for result in results)
    header = Header(
        parent_hash=parent.hash,
        coinbase=context.coinbase,
        state_root=state_root,
        transactions_root=indexed_root([tx.encode() for tx in transactions]),
        receipts_root=indexed_root(leaves),
        logs_bloom=bloom.whole.to_bytes(BLOOM_BYTES, "big"),
        number=context.number,
        gas_limit=context.gas_limit,
        gas_used=gas,
        timestamp=context.timestamp,
        base_fee=context.base_fee,
    )
    return Block(header, transactions), receipts


def _receipt(result: Result, cumulative_gas: int, index: int, log_index: int) -> Receipt:
    tx, executed = result.transaction, result.executed
    return Receipt(
        type=tx.type.value,
        status=executed.status,
        cumulative_gas=cumulative_gas,
        logs=executed.logs,
        transaction_hash=tx.hash,
        sender=tx.sender,
        to=tx.to,
        created=executed.created,
        gas_used=executed.gas_used,
        gas_price=executed.gas_price,
        index=index,
        log_index=log_index,
        output=b"" if executed.ok else executed.output[:REVERT_KEPT],
        trap=TrapReport.of(executed.trap) if executed.trap else None,
        detail=executed.detail[:TEXT_KEPT],
    )
