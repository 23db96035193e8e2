"""What gas costs: suggestions for the next transaction, and what past blocks paid."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Any, Final

from contractvm.chain import BlockId
from contractvm.node.fault import bad_params
from contractvm.node.fees import TIP
from contractvm.node.node import Node
from contractvm.node.rows import Param, Rows
from contractvm.node.values import ANY, BLOCK, U64, shown

rows = Rows()

MOST_PERCENTILES: Final = 100
INLINE_BLOCKS: Final = 16
"""Blocks whose fees are read on the event loop's thread."""


@rows.method("eth_gasPrice", result="quantity")
def gas_price(node: Node) -> str:
    """Wei a gas to offer where there is one price: the next block's base fee and a tip."""
    return hex(node.fees.gas_price)


@rows.method("eth_maxPriorityFeePerGas", result="quantity")
def max_priority_fee(node: Node) -> str:
    """Wei a gas to offer as a tip."""
    return hex(TIP)


@rows.method("eth_blobBaseFee", result="quantity")
def blob_base_fee(node: Node) -> str:
    """Wei a gas of blobs: the least there is, for nobody uses them here."""
    return "0x1"


def percentiles_of(given: object) -> list[float] | None:
    """Percentiles in ascending order. Raises: Fault."""
    if given is None:
        return None
    if not isinstance(given, list) or len(given) > MOST_PERCENTILES:
        raise bad_params(f"{shown(given)} is no list of at most {MOST_PERCENTILES} reward percentiles")
    read: list[float] = []
    for item in given:
        if isinstance(item, bool) or not isinstance(item, int | float) or not 0 <= item <= 100:
            raise bad_params(f"invalid reward percentile: {shown(item)} is not between 0 and 100")
        if read and item < read[-1]:
            raise bad_params(f"invalid reward percentile: {shown(item)} comes after {read[-1]}")
        read.append(float(item))
    return read


@rows.method(
    "eth_feeHistory",
    Param("blockCount", U64),
    Param("newestBlock", BLOCK),
    Param("rewardPercentiles", ANY, None),
    result="base fees, shares of gas used, and tips by percentile",
)
def fee_history(node: Node, count: int, newest: BlockId, given: object) -> dict[str, Any] | Awaitable[dict[str, Any]]:
    """Base fees of some blocks and of the one after them, how full they were, and tips that were paid."""
    percentiles = percentiles_of(given)
    last = node.chain.height(newest)
    if count <= INLINE_BLOCKS:
        return node.pace.run(("fees", bool(percentiles)), lambda: node.fees.document(count, last, percentiles))
    return node.pace.elsewhere(lambda: node.fees.document(count, last, percentiles))
