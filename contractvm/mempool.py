"""Transactions that wait: by sender in nonce order, replaced by better offers, bounded in number and bytes.

*Pending* are those whose nonces follow the account's without a gap, *queued* the rest. Replacement asks for a tenth
more of both fee caps, as geth does. When the pool is full, the last transaction of whoever offers least makes room.
Source: go-ethereum core/txpool/legacypool for behaviour and phrases; EIP-1559 for order by effective tip.
Never: executes anything or holds state; it is told nonces and balances.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable, Iterator

from contractvm.dataclass import dataclass
from contractvm.execute import Executor
from contractvm.rejections import (
    AlreadyKnown,
    FeeTooLow,
    InvalidSignature,
    LimitExceeded,
    NonceTooHigh,
    NonceTooLow,
    Underpriced,
    WrongChain,
)
from contractvm.transaction import MAX_NONCE, Transaction
from contractvm.types import Address, Hash


@dataclass(frozen=True, slots=True)
class PoolLimits:
    """How much may wait. Bytes are of transactions as encoded."""

    transactions: int = 50_000
    bytes: int = 64 << 20
    per_account: int = 10_000
    nonce_gap: int = 10_000
    """How far above the account's nonce one may be."""
    replacement_percent: int = 10


class _Entry:
    __slots__ = ("arrival", "size", "tx")

    def __init__(self, tx: Transaction, arrival: int, size: int) -> None:
        self.tx = tx
        self.arrival = arrival
        self.size = size


class Mempool:
    """The pool of one chain; lives in memory as long as the chain is open."""

    __slots__ = ("_arrivals", "_by_hash", "_by_sender", "_bytes", "_chain_id", "_cheapest", "_executor", "limits")

    def __init__(self, executor: Executor, chain_id: int, limits: PoolLimits | None = None) -> None:
        self.limits = limits or PoolLimits()
        self._executor = executor
        self._chain_id = chain_id
        self._by_sender: dict[Address, dict[int, _Entry]] = {}
        self._by_hash: dict[Hash, _Entry] = {}
        # Entries leave this heap when they surface and are gone from `_by_hash`, not before.
        self._cheapest: list[tuple[int, int, int, Hash]] = []
        self._arrivals = 0
        self._bytes = 0

    def __len__(self) -> int:
        return len(self._by_hash)

    def __contains__(self, digest: Hash) -> bool:
        return digest in self._by_hash

    def __iter__(self) -> Iterator[Transaction]:
        """In order of arrival."""
        return iter([entry.tx for entry in sorted(self._by_hash.values(), key=lambda entry: entry.arrival)])

    def get(self, digest: Hash) -> Transaction | None:
        """A waiting transaction by hash."""
        entry = self._by_hash.get(digest)
        return entry.tx if entry else None

    def add(self, tx: Transaction, nonce: int, balance: int, base_fee: int, gas_limit: int) -> Hash:
        """Take a transaction whose sender has `nonce` and `balance` now; the next block has `base_fee`, `gas_limit`.

        Raises: Rejected, one subclass a reason; the pool is as it was.
        """
        digest, sender = tx.hash, tx.sender
        if digest in self._by_hash:
            raise AlreadyKnown(f"already known: 0x{digest.hex()} waits in the pool")
        self._check(tx, nonce, balance, base_fee, gas_limit)
        mine = self._by_sender.get(sender) or {}
        size = len(tx.encode())
        old = mine.get(tx.nonce)
        if old is not None:
            self._check_replacement(tx, old.tx)
            self._forget(old)
        elif len(mine) >= self.limits.per_account:
            raise LimitExceeded(f"account limit exceeded: 0x{sender.hex()} has {len(mine)} transactions waiting")
        try:
            self._make_room(tx, size)
        except Underpriced:
            if old is not None:
                self._keep(old)
            raise
        self._arrivals += 1
        self._keep(_Entry(tx, self._arrivals, size))
        return digest

    def next_nonce(self, sender: Address, nonce: int) -> int:
        """The first nonce of `sender`, from the account's on, that nothing here uses."""
        mine = self._by_sender.get(sender)
        if mine:
            while nonce in mine:
                nonce += 1
        return nonce

    def of(self, sender: Address) -> list[Transaction]:
        """What one sender has waiting, in nonce order."""
        mine = self._by_sender.get(sender) or {}
        return [entry.tx for _, entry in sorted(mine.items())]

    def content(self, nonce_of: Callable[[Address], int]) -> tuple[list[Transaction], list[Transaction]]:
        """(pending, queued), each by sender in nonce order. Any thread may ask, while others change the pool."""
        pending: list[Transaction] = []
        queued: list[Transaction] = []
        for sender, changing in list(self._by_sender.items()):
            mine = changing.copy()
            end = first = nonce_of(sender)
            while end in mine:
                end += 1
            for nonce in sorted(mine):
                if nonce >= first:  # what is in a block already may not have left yet
                    (pending if nonce < end else queued).append(mine[nonce].tx)
        return pending, queued

    def best_offer(self, nonce_of: Callable[[Address], int]) -> int | None:
        """The highest fee cap, in wei a gas, of what could run next of each sender; None where nothing could."""
        firsts = (mine.get(nonce_of(sender)) for sender, mine in list(self._by_sender.items()))
        return max((entry.tx.max_fee for entry in firsts if entry is not None), default=None)

    def select(self, base_fee: int, nonce_of: Callable[[Address], int]) -> Selection:
        """What a block with `base_fee` may hold, best effective tip first, then first come."""
        return Selection(self._by_sender, base_fee, nonce_of)

    def drop(self, digest: Hash) -> bool:
        """Forget one transaction; whether it was here."""
        entry = self._by_hash.get(digest)
        if entry is not None:
            self._forget(entry)
        return entry is not None

    def clear(self) -> None:
        """Forget all."""
        self._by_sender.clear()
        self._by_hash.clear()
        self._cheapest.clear()
        self._bytes = 0

    def restore(self, transactions: Iterable[Transaction]) -> None:
        """Hold these and no others, in this order of arrival: what `iter` gave before. They are not checked again."""
        self.clear()
        for tx in transactions:
            self._arrivals += 1
            self._keep(_Entry(tx, self._arrivals, len(tx.encode())))

    def included(self, transactions: Iterable[Transaction]) -> None:
        """Forget what a block holds, and what the same nonces make impossible."""
        for tx in transactions:
            mine = self._by_sender.get(tx.sender)
            entry = mine and mine.get(tx.nonce)
            if entry:
                self._forget(entry)

    def revalidate(self, account: Callable[[Address], tuple[int, int]]) -> list[Hash]:
        """Forget what the (nonce, balance) of its sender no longer allows; return the hashes."""
        gone = []
        for entry in list(self._by_hash.values()):
            tx = entry.tx
            nonce, balance = account(tx.sender)
            if tx.nonce < nonce or tx.gas_limit * tx.max_fee + tx.value > balance:
                self._forget(entry)
                gone.append(tx.hash)
        return gone

    def _check(self, tx: Transaction, nonce: int, balance: int, base_fee: int, gas_limit: int) -> None:
        if tx.chain_id is not None and tx.chain_id != self._chain_id:
            raise WrongChain(f"invalid chain id: signed for {tx.chain_id}, this chain is {self._chain_id}")
        if tx.impersonated is None and not tx.s:
            raise InvalidSignature("invalid signature: the transaction is not signed")
        if tx.gas_limit > gas_limit:
            raise LimitExceeded(f"exceeds block gas limit: {tx.gas_limit} gas, a block has {gas_limit}")
        self._executor.check_intrinsic(tx)
        if tx.nonce < nonce:
            raise NonceTooLow(f"nonce too low: next nonce {nonce}, tx nonce {tx.nonce}")
        if tx.nonce > MAX_NONCE:
            raise NonceTooHigh(f"nonce has max value: {tx.nonce} is above the last one, {MAX_NONCE} (EIP-2681)")
        if tx.nonce > nonce + self.limits.nonce_gap:
            raise LimitExceeded(f"nonce too high: {tx.nonce} is over {self.limits.nonce_gap} above the next, {nonce}")
        if tx.max_fee < base_fee:
            raise FeeTooLow(f"max fee per gas less than block base fee: maxFeePerGas {tx.max_fee}, baseFee {base_fee}")
        self._executor.check_funds(tx, balance)

    def _check_replacement(self, tx: Transaction, old: Transaction) -> None:
        percent = 100 + self.limits.replacement_percent
        if tx.max_fee * 100 < old.max_fee * percent or tx.max_tip * 100 < old.max_tip * percent:
            raise Underpriced(
                f"replacement transaction underpriced: nonce {tx.nonce} waits with fee {old.max_fee} and tip "
                f"{old.max_tip} wei; both must rise by {self.limits.replacement_percent} per cent"
            )

    def _make_room(self, tx: Transaction, size: int) -> None:
        """Forget the least offers until `tx` fits. Raises: Underpriced when it is itself the least."""
        evicted: list[_Entry] = []
        while len(self._by_hash) >= self.limits.transactions or self._bytes + size > self.limits.bytes:
            least = self._least()
            # A sender's own cheap transaction cannot make room for one that has to follow it.
            worse = least is None or (tx.max_tip, tx.max_fee) <= (least.tx.max_tip, least.tx.max_fee)
            if least is None or worse or least.tx.sender == tx.sender:
                for entry in evicted:
                    self._keep(entry)
                raise Underpriced(f"transaction underpriced: the pool is full ({len(self._by_hash)} waiting)")
            # The last nonce leaves, so that none of the sender's is left behind a gap.
            mine = self._by_sender[least.tx.sender]
            last = mine[max(mine)]
            self._forget(last)
            evicted.append(last)

    def _least(self) -> _Entry | None:
        while self._cheapest:
            entry = self._by_hash.get(self._cheapest[0][3])
            if entry is not None:
                return entry
            heapq.heappop(self._cheapest)
        return None

    def _keep(self, entry: _Entry) -> None:
        tx = entry.tx
        mine = self._by_sender.get(tx.sender)
        if mine is None:
            mine = self._by_sender[tx.sender] = {}
        mine[tx.nonce] = entry
        self._by_hash[tx.hash] = entry
        self._bytes += entry.size
        if len(self._cheapest) > 2 * len(self._by_hash) + 64:
            self._cheapest = [item for item in self._cheapest if item[3] in self._by_hash]
            heapq.heapify(self._cheapest)
        heapq.heappush(self._cheapest, (tx.max_tip, tx.max_fee, -entry.arrival, tx.hash))

    def _forget(self, entry: _Entry) -> None:
        tx = entry.tx
        mine = self._by_sender[tx.sender]
        del mine[tx.nonce], self._by_hash[tx.hash]
        if not mine:
            del self._by_sender[tx.sender]
        self._bytes -= entry.size


class Selection:
    """Goes through a pool for one block: `next` until None; `skip` leaves out what follows the last one's sender."""

    __slots__ = ("_base_fee", "_by_sender", "_heap", "_last")

    def __init__(
        self, by_sender: dict[Address, dict[int, _Entry]], base_fee: int, nonce_of: Callable[[Address], int]
    ) -> None:
        self._by_sender = by_sender
        self._base_fee = base_fee
        self._heap: list[tuple[int, int, Transaction]] = []
        self._last: Transaction | None = None
        # In a list, because another thread may take out what a block holds meanwhile.
        for sender, mine in list(by_sender.items()):
            self._offer(mine.get(nonce_of(sender)))

    def next(self) -> Transaction | None:
        """The best transaction left."""
        last = self._last
        if last is not None:
            mine = self._by_sender.get(last.sender)
            if mine:
                self._offer(mine.get(last.nonce + 1))
        self._last = heapq.heappop(self._heap)[2] if self._heap else None
        return self._last

    def skip(self) -> None:
        """The last one given does not go into the block, so neither can its sender's later ones."""
        self._last = None

    def _offer(self, entry: _Entry | None) -> None:
        if entry is not None and entry.tx.max_fee >= self._base_fee:
            heapq.heappush(self._heap, (-entry.tx.tip(self._base_fee), entry.arrival, entry.tx))
