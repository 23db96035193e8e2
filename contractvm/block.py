"""Blocks with Ethereum's Cancun header, so that clients can recompute every hash they are given.

Source: yellow paper section 4.3; EIP-1559 (base fee), 3675 (difficulty and nonce zero), 4399 (mixHash is prevRandao),
4788, 4844 and 4895 (fields present, always empty here: no beacon chain, no blobs, no withdrawals).
Never: decides what goes into a block; that is `chain`.
"""

from __future__ import annotations

from binascii import hexlify
from collections.abc import Sequence
from dataclasses import field
from typing import Any, Final, cast

from contractvm.crypto import keccak256, keccak_function
from contractvm.dataclass import dataclass
from contractvm.errors import Fatal
from contractvm.receipt import EMPTY_BLOOM
from contractvm.rules import Rules
from contractvm.transaction import Transaction
from contractvm.types import ZERO_ADDRESS, ZERO_HASH, Address, Hash
from state.codec import decode as rlp_decode
from state.codec import decode_uint, encode_bytes, encode_int, wrap_list
from state.merkle import leaf_node, trie_root

EMPTY_TRIE: Final = Hash(bytes.fromhex("56e81f171bcc55a6ff8345e692c0f86e5b48e01b996cadc001622fb5e363b421"))
"""Root of a trie without leaves: keccak(rlp(b""))."""
EMPTY_OMMERS: Final = Hash(bytes.fromhex("1dcc4de8dec75d7aab85b567b6ccd41ad312451b948a7413f0a142fd40d49347"))
"""keccak(rlp([]))."""
_NO_LIST: Final = b"\xc0"
_FIRST: Final = hexlify(encode_int(0))
"""Path of the first item in an indexed trie."""


@dataclass(frozen=True, slots=True)
class Header:
    """The twenty fields of a Cancun header, in the order in which they are encoded."""

    parent_hash: Hash = ZERO_HASH
    ommers_hash: Hash = EMPTY_OMMERS
    coinbase: Address = ZERO_ADDRESS
    state_root: Hash = EMPTY_TRIE
    transactions_root: Hash = EMPTY_TRIE
    receipts_root: Hash = EMPTY_TRIE
    logs_bloom: bytes = EMPTY_BLOOM
    difficulty: int = 0
    number: int = 0
    gas_limit: int = 30_000_000
    gas_used: int = 0
    timestamp: int = 0
    extra_data: bytes = b""
    prev_randao: Hash = ZERO_HASH
    nonce: bytes = bytes(8)
    base_fee: int = 1_000_000_000
    withdrawals_root: Hash = EMPTY_TRIE
    blob_gas_used: int = 0
    excess_blob_gas: int = 0
    parent_beacon_root: Hash = ZERO_HASH
    _hash: Hash | None = field(default=None, init=False, repr=False, compare=False)
    _raw: bytes | None = field(default=None, init=False, repr=False, compare=False)

    def encode(self) -> bytes:
        """RLP of the twenty fields, made once: it is hashed and kept."""
        if self._raw is None:
            object.__setattr__(self, "_raw", self._encoded())
        return cast(bytes, self._raw)

    def _encoded(self) -> bytes:
        return wrap_list(
            b"\xa0%b\xa0%b\x94%b\xa0%b\xa0%b\xa0%b\xb9\x01\x00%b%b%b%b%b%b%b\xa0%b\x88%b%b\xa0%b%b%b\xa0%b"
            % (
                self.parent_hash,
                self.ommers_hash,
                self.coinbase,
                self.state_root,
                self.transactions_root,
                self.receipts_root,
                self.logs_bloom,
                encode_int(self.difficulty),
                encode_int(self.number),
                encode_int(self.gas_limit),
                encode_int(self.gas_used),
                encode_int(self.timestamp),
                encode_bytes(self.extra_data),
                self.prev_randao,
                self.nonce,
                encode_int(self.base_fee),
                self.withdrawals_root,
                encode_int(self.blob_gas_used),
                encode_int(self.excess_blob_gas),
                self.parent_beacon_root,
            )
        )

    @staticmethod
    def decode(raw: bytes) -> Header:
        """Read a header that `encode` wrote. Raises: Fatal: only our own database holds headers."""
        try:
            f = cast(list[Any], rlp_decode(raw))
            parent, ommers, coinbase, state, transactions, receipts, bloom, difficulty, number, limit = f[:10]
            used, timestamp, extra, randao, nonce, base_fee, withdrawals, blob_gas, excess, beacon = f[10:]
            header = Header(
                parent_hash=parent,
                ommers_hash=ommers,
                coinbase=coinbase,
                state_root=state,
                transactions_root=transactions,
                receipts_root=receipts,
                logs_bloom=bloom,
                difficulty=decode_uint(difficulty),
                number=decode_uint(number),
                gas_limit=decode_uint(limit),
                gas_used=decode_uint(used),
                timestamp=decode_uint(timestamp),
                extra_data=extra,
                prev_randao=randao,
                nonce=nonce,
                base_fee=decode_uint(base_fee),
                withdrawals_root=withdrawals,
                blob_gas_used=decode_uint(blob_gas),
                excess_blob_gas=decode_uint(excess),
                parent_beacon_root=beacon,
            )
        except (ValueError, TypeError) as error:
            raise Fatal(f"a stored block header is damaged: {error}") from error
        object.__setattr__(header, "_hash", Hash(keccak256(raw)))
        return header

    @property
    def hash(self) -> Hash:
        """keccak of the encoding: the block's name."""
        if self._hash is None:
            object.__setattr__(self, "_hash", Hash(keccak256(self.encode())))
        return cast(Hash, self._hash)


@dataclass(frozen=True, slots=True)
class Block:
    """A header and the transactions it commits to."""

    header: Header
    transactions: tuple[Transaction, ...] = ()

    @property
    def number(self) -> int:
        """Height; genesis is 0."""
        return self.header.number

    @property
    def hash(self) -> Hash:
        """The header's."""
        return self.header.hash

    def encode(self) -> bytes:
        """RLP of the block as peers would send it: [header, transactions, ommers, withdrawals]."""
        bodies = [encode_bytes(tx.encode()) if tx.type else tx.encode() for tx in self.transactions]
        return wrap_list(self.header.encode() + wrap_list(b"".join(bodies)) + _NO_LIST + _NO_LIST)

    @property
    def size(self) -> int:
        """Bytes of the block as peers would send it."""
        return len(self.encode())


def next_base_fee(parent: Header, rules: Rules) -> int:
    """Wei a gas of the block after `parent`. Source: EIP-1559."""
    return base_fee_after(parent.base_fee, parent.gas_used, parent.gas_limit, rules)


def base_fee_after(base_fee: int, gas_used: int, gas_limit: int, rules: Rules) -> int:
    """The same, of a block whose header nobody has made."""
    target = gas_limit // rules.elasticity
    if gas_used == target:
        return base_fee
    step = base_fee * abs(gas_used - target) // target // rules.base_fee_denominator
    if gas_used > target:
        return base_fee + max(step, 1)
    return base_fee - step


def indexed_root(items: Sequence[bytes]) -> Hash:
    """Root of the trie that maps rlp(index) to each item: transactions and receipts of a block."""
    if not items:
        return EMPTY_TRIE
    if len(items) == 1:  # as in each block of an automining chain
        return Hash(keccak256(leaf_node(_FIRST, items[0])))
    return Hash(trie_root(((encode_int(i), item) for i, item in enumerate(items)), keccak_function()))
