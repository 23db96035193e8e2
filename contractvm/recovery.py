"""Recovers the senders of many transactions at once, on every processor.

coincurve lets go of the interpreter lock while it works, and recovery is the largest single cost of a transaction.
Never: decides anything; a signature that fits no key is refused when its transaction is taken.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from contractvm.errors import Rejected
from contractvm.processors import processors
from contractvm.transaction import Transaction

FEWEST: Final = 16
"""Transactions for which starting threads is worth while."""
MOST_THREADS: Final = 8


def decode_many(transactions: Iterable[bytes], chain_id: int) -> list[Transaction | Rejected]:
    """Decode signed transactions and recover their senders; one that is refused is answered by its refusal."""
    decoded = decode_raws(transactions, chain_id)
    recover_senders([tx for tx in decoded if isinstance(tx, Transaction)])
    return decoded


def decode_raws(transactions: Iterable[bytes], chain_id: int) -> list[Transaction | Rejected]:
    """Decode signed transactions; one that is refused is answered by its refusal."""
    decoded: list[Transaction | Rejected] = []
    for raw in transactions:
        try:
            decoded.append(Transaction.decode(raw, chain_id))
        except Rejected as refusal:
            decoded.append(refusal)
    return decoded


def recover_senders(transactions: Sequence[Transaction]) -> None:
    """Work out and keep the sender of each transaction that has one."""
    threads = min(processors(), MOST_THREADS)
    if len(transactions) < FEWEST or threads < 2:
        return
    from concurrent.futures import ThreadPoolExecutor  # most processes get no such batch

    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(_recover, (transactions[start::threads] for start in range(threads))))


def _recover(transactions: Sequence[Transaction]) -> None:
    for transaction in transactions:
        try:
            transaction.sender  # noqa: B018 - asked for so that the transaction keeps it
        except Rejected:
            continue
