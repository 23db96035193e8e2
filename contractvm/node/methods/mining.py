"""Blocks and their time as a test wants them: when they are made, at what moment, with what fee and limit.

Source: anvil's, Hardhat's and Ganache's methods of these names; seconds wherever they differ.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, TypeVar

from contractvm.genesis import LEAST_GAS_LIMIT, MOST
from contractvm.node.dev import also, stir
from contractvm.node.fault import LIMIT, PARAMS, Fault, bad_params
from contractvm.node.node import Node
from contractvm.node.rows import Param, Rows
from contractvm.node.shapes import block_document
from contractvm.node.values import ADDRESS, ANY, BOOLEAN, HASH, U64, U256, quantity, u64
from contractvm.types import Address, Hash

rows = Rows()
T = TypeVar("T")

MOST_BLOCKS: Final = 100_000
"""Blocks that one request may ask for: some seconds."""
MILLISECONDS: Final = 10**11
"""A time from here on is in milliseconds, as Ganache's clients write it: in seconds it would be the year 5138."""
MOST_DETAILED: Final = 256
"""Blocks of which one request may ask for all there is to say."""


async def timed(node: Node, change: Callable[[], T]) -> T:
    """Do something to the clock, where blocks are made. Raises: Fault for a time that cannot be."""
    try:
        return await node.miner.write(change)
    except ValueError as error:
        raise Fault(PARAMS, f"Timestamp error: {error}") from None


def moment(value: object) -> int:
    """Seconds since 1970, as far as headers reach. Raises: Fault."""
    seconds = u64(value)
    if seconds > MOST:
        raise bad_params(f"timestamp {seconds} is above {MOST}")
    return seconds


async def mine_some(node: Node, blocks: int, spacing: int | None = None, timestamp: int | None = None) -> None:
    """Make blocks, of what waits or empty. Raises: Fault."""
    if blocks > MOST_BLOCKS:
        raise Fault(
            LIMIT, f"too many blocks: {blocks}, one request makes at most {MOST_BLOCKS}; ask again for the rest"
        )
    if node.chain.clock.after(node.chain.head.timestamp) + blocks * (spacing or 1) > MOST:
        raise bad_params(f"the time would be above {MOST}")
    try:
        await node.miner.mine(blocks, spacing=spacing or None, timestamp=timestamp)
    except ValueError as error:
        raise Fault(PARAMS, f"Timestamp error: {error}") from None


def wish(options: object) -> tuple[int, int | None]:
    """(blocks, timestamp of the first) that `evm_mine` is asked for: a timestamp, or an object of both."""
    match options:
        case None:
            return 1, None
        case dict():
            blocks, timestamp = options.get("blocks"), options.get("timestamp")
            return 1 if blocks is None else quantity(blocks), None if timestamp is None else moment(timestamp)
    return 1, moment(options)


@rows.method("evm_mine", Param("options", ANY, None), result="0x0")
async def evm_mine(node: Node, options: object) -> str:
    """Make a block, or some: a timestamp, or an object with `blocks` and `timestamp`, may be given."""
    blocks, timestamp = wish(options)
    await mine_some(node, blocks, timestamp=timestamp)
    return "0x0"


@rows.method("evm_mine_detailed", Param("options", ANY, None), result="list of blocks", aliases=["anvil_mine_detailed"])
async def mine_detailed(node: Node, options: object) -> list[dict[str, Any]]:
    """Make blocks as evm_mine does and answer with them."""
    blocks, timestamp = wish(options)
    if blocks > MOST_DETAILED:
        raise Fault(LIMIT, f"too many blocks: {blocks}, at most {MOST_DETAILED} are told of; use evm_mine")
    made = []
    for number in range(blocks):
        try:
            block = await node.miner.mine(timestamp=None if number else timestamp)
        except ValueError as error:
            raise Fault(PARAMS, f"Timestamp error: {error}") from None
        if block is not None:
            made.append(block_document(block, full=True))
    return made


@rows.method(
    "anvil_mine",
    Param("blocks", U64, 1),
    Param("seconds", U64, None),
    result="null",
    aliases=also("mine"),
)
async def mine(node: Node, blocks: int, seconds: int | None) -> None:
    """Make blocks, so many seconds apart."""
    await mine_some(node, blocks, spacing=seconds)


@rows.method("evm_increaseTime", Param("seconds", U64), result="number", aliases=["anvil_increaseTime"])
async def increase_time(node: Node, seconds: int) -> int:
    """Move the clock forward; the answer is how far it is from the real one, in seconds."""
    chain = node.chain
    if chain.clock.after(chain.head.timestamp) + seconds > MOST:
        raise bad_params(f"the time would be above {MOST}")
    return await timed(node, lambda: chain.clock.increase(seconds, chain.head.timestamp))


@rows.method("evm_setTime", Param("timestamp", ANY), result="number", aliases=["anvil_setTime"])
async def set_time(node: Node, timestamp: object) -> int:
    """Set the clock; the answer is how far it is from the real one, in seconds. Milliseconds are told by their size."""
    seconds = moment(timestamp)
    if seconds >= MILLISECONDS:
        seconds //= 1_000
    return await timed(node, lambda: node.chain.clock.set(seconds))


@rows.method(
    "evm_setNextBlockTimestamp", Param("timestamp", ANY), result="null", aliases=["anvil_setNextBlockTimestamp"]
)
async def set_next_timestamp(node: Node, timestamp: object) -> None:
    """Give the next block a time, after the last one's; the clock goes on from there."""
    seconds = moment(timestamp)
    await timed(node, lambda: node.chain.clock.set_next(seconds, node.chain.head.timestamp))


@rows.method(
    "anvil_setBlockTimestampInterval", Param("seconds", U64), result="null", aliases=also("setBlockTimestampInterval")
)
async def set_timestamp_interval(node: Node, seconds: int) -> None:
    """Make each block's time the one before's and so many seconds, whatever the time is."""
    if not 0 < seconds < 1 << 32:
        raise bad_params(f"an interval of {seconds} seconds; blocks are at least one second apart")

    def set_interval() -> None:
        node.chain.clock.interval = seconds

    await node.miner.write(set_interval)


@rows.method(
    "anvil_removeBlockTimestampInterval", result="whether there was one", aliases=also("removeBlockTimestampInterval")
)
async def remove_timestamp_interval(node: Node) -> bool:
    """Give blocks the clock's time again."""

    def remove() -> bool:
        before, node.chain.clock.interval = node.chain.clock.interval, None
        return before is not None

    return await node.miner.write(remove)


@rows.method(
    "evm_setAutomine", Param("enabled", BOOLEAN), result="null", aliases=["anvil_setAutomine", "hardhat_setAutomine"]
)
def set_automine(node: Node, enabled: bool) -> None:
    """Make a block of each transaction at once, or no longer; then what waits is mined first."""
    if enabled and not node.miner.automine:
        node.miner.set_interval(None)
    node.miner.automine = enabled
    stir(node)


@rows.method("anvil_getAutomine", result="boolean", aliases=also("getAutomine"))
def get_automine(node: Node) -> bool:
    """Whether a block is made of each transaction at once."""
    return node.miner.automine


@rows.method("evm_setIntervalMining", Param("seconds", U64), result="null", aliases=["anvil_setIntervalMining"])
def set_interval_mining(node: Node, seconds: int) -> None:
    """Make a block each so many seconds instead of at once; 0: only when asked."""
    if seconds >> 32:
        raise bad_params(f"an interval of {seconds} seconds")
    node.miner.automine = False
    node.miner.set_interval(float(seconds))


@rows.method("anvil_getIntervalMining", result="seconds or null", aliases=also("getIntervalMining"))
def get_interval_mining(node: Node) -> int | float | None:
    """How many seconds apart blocks are made, where they are made in intervals."""
    seconds = node.miner.interval
    return int(seconds) if seconds is not None and seconds.is_integer() else seconds


@rows.method("evm_setBlockGasLimit", Param("gas", U64), result="true", aliases=["anvil_setBlockGasLimit"])
async def set_block_gas_limit(node: Node, gas: int) -> bool:
    """Set the gas limit of blocks from the next one on."""
    if not LEAST_GAS_LIMIT <= gas <= MOST:
        raise bad_params(f"a block's gas limit is between {LEAST_GAS_LIMIT} and {MOST}, not {gas}")

    def set_limit() -> None:
        node.chain.gas_limit = gas

    await node.miner.write(set_limit)
    stir(node)
    return True


@rows.method(
    "anvil_setNextBlockBaseFeePerGas", Param("wei", U256), result="null", aliases=also("setNextBlockBaseFeePerGas")
)
async def set_next_base_fee(node: Node, wei: int) -> None:
    """Set the base fee of the next block, from which those after it follow."""
    if wei > MOST:
        raise bad_params(f"a base fee is at most {MOST} wei, not {wei}")

    def set_fee() -> None:
        node.chain.next_base_fee = wei

    await node.miner.write(set_fee)
    stir(node)


@rows.method("anvil_setMinGasPrice", Param("wei", U256), result="null", aliases=also("setMinGasPrice"))
def set_min_gas_price(node: Node, wei: int) -> None:
    """Refused: blocks here have a base fee."""
    raise bad_params(
        "anvil_setMinGasPrice is not supported when EIP-1559 is active; use anvil_setNextBlockBaseFeePerGas"
    )


@rows.method("anvil_setCoinbase", Param("address", ADDRESS), result="null", aliases=also("setCoinbase"))
async def set_coinbase(node: Node, address: Address) -> None:
    """Set who gets the tips of blocks from the next one on."""

    def set_receiver() -> None:
        node.chain.coinbase = address

    await node.miner.write(set_receiver)


@rows.method("anvil_dropTransaction", Param("hash", HASH), result="hash or null", aliases=also("dropTransaction"))
def drop_transaction(node: Node, digest: Hash) -> str | None:
    """Forget a transaction that waits; its hash if it did."""
    return "0x" + digest.hex() if node.chain.drop([digest]) else None


@rows.method("anvil_dropAllTransactions", result="null", aliases=also("dropAllTransactions"))
def drop_all(node: Node) -> None:
    """Forget all transactions that wait."""
    node.chain.drop(tx.hash for tx in tuple(node.chain.pool))


@rows.method(
    "anvil_removePoolTransactions", Param("address", ADDRESS), result="null", aliases=also("removePoolTransactions")
)
def drop_sender(node: Node, address: Address) -> None:
    """Forget all transactions of an account that wait."""
    node.chain.drop(tx.hash for tx in node.chain.pool.of(address))


@rows.method("miner_start", Param("threads", ANY, None), result="true")
def start(node: Node, threads: object) -> bool:
    """Make a block of each transaction at once, as Ganache calls it."""
    set_automine(node, True)
    return True


@rows.method("miner_stop", result="true")
def stop(node: Node) -> bool:
    """Make blocks only when asked, as Ganache calls it."""
    node.miner.automine = False
    node.miner.set_interval(None)
    return True
