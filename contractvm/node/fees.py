"""What gas was paid for in past blocks, and what to offer for the next one.

Source: go-ethereum's eth/gasprice for `eth_feeHistory` (rewards by percentiles of gas, ordered by tip); EIP-1559.
Never: reads receipts where nobody asks for rewards.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from typing import Any, Final

from contractvm.block import Header
from contractvm.chain import Chain
from contractvm.types import Hash

TIP: Final = 10**9
"""Wei a gas on top of the base fee that is suggested: blocks here are rarely full, and clients expect some."""
MOST_BLOCKS: Final = 1_024
KEPT_BLOCKS: Final = 4_096

Tips = tuple[tuple[int, int], ...]
"""(tip in wei a gas, gas used) of a block's transactions, the lowest tip first."""


class FeeHistory:
    """Reads a chain's fees, and remembers the tips of the blocks it has read. Any thread may ask."""

    def __init__(self, chain: Chain) -> None:
        self._chain = chain
        self._tips: OrderedDict[Hash, Tips] = OrderedDict()

    @property
    def gas_price(self) -> int:
        """Wei a gas that a transaction without fee caps should offer."""
        return self._chain.next_base_fee + TIP

    def document(self, count: int, last: int, percentiles: Sequence[float] | None) -> dict[str, Any]:
        """`eth_feeHistory` of up to `count` blocks, of which `last` is the height of the newest."""
        chain = self._chain
        # What is no longer kept is left out, as what never was: clients ask for ten blocks whatever there are.
        oldest = min(chain.oldest, last)
        count = min(count, MOST_BLOCKS, last + 1 - oldest)
        first = last + 1 - count
        headers = [chain.header(number) for number in range(first, last + 1)]
        fees = [header.base_fee for header in headers]
        if headers:
            fees.append(chain.header(last + 1).base_fee if last < chain.head.number else chain.next_base_fee)
        document: dict[str, Any] = {
            "oldestBlock": hex(first if count else 0),
            "baseFeePerGas": [hex(fee) for fee in fees],
            "gasUsedRatio": [header.gas_used / header.gas_limit for header in headers],
            "baseFeePerBlobGas": ["0x1"] * len(fees),
            "blobGasUsedRatio": [0.0] * len(headers),
        }
        if percentiles:
            document["reward"] = [
                [hex(tip) for tip in rewards(self._tips_of(header), header.gas_used, percentiles)] for header in headers
            ]
        return document

    def _tips_of(self, header: Header) -> Tips:
        if not header.gas_used:
            return ()
        tips = self._tips.get(header.hash)
        if tips is None:
            fee = header.base_fee
            receipts = self._chain.receipts(header.number)
            tips = tuple(sorted((receipt.gas_price - fee, receipt.gas_used) for receipt in receipts))
            self._tips[header.hash] = tips
            if len(self._tips) > KEPT_BLOCKS:
                self._tips.popitem(last=False)
        return tips


def rewards(tips: Tips, gas_used: int, percentiles: Sequence[float]) -> list[int]:
    """The tip at each percentile (ascending) of a block's gas; 0 where there is no transaction."""
    if not tips:
        return [0] * len(percentiles)
    found, place, gas = [], 0, tips[0][1]
    for percentile in percentiles:
        threshold = int(gas_used * percentile / 100)
        while gas < threshold and place < len(tips) - 1:
            place += 1
            gas += tips[place][1]
        found.append(tips[place][0])
    return found
