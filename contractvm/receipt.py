"""Receipts: what consensus keeps of an executed transaction, and beside it what people ask about.

The consensus part is Ethereum's (status, cumulative gas, bloom, logs; typed as EIP-2718); trap place, revert data and
the like ride along in our database and enter no hash. Source: yellow paper section 4.3.1; EIP-658, 2718.
Never: computed twice; a receipt is made when its block is, then only read.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import field
from functools import lru_cache
from typing import Any, Final, cast

from contractvm.crypto import keccak256
from contractvm.dataclass import dataclass
from contractvm.errors import Fatal, Place, Trap
from contractvm.host import Log
from contractvm.machine import Status
from contractvm.types import ZERO_HASH, Address, Hash
from state.codec import Encodable, decode_uint, encode_bytes, encode_int, wrap_list
from state.codec import decode as rlp_decode
from state.codec import encode as rlp_encode

BLOOM_BYTES: Final = 256
_BLOOM_HEADER: Final = b"\xb9\x01\x00"
"""Of a string of so many bytes."""
EMPTY_BLOOM: Final = bytes(BLOOM_BYTES)
REVERT_KEPT: Final = 4_096
"""Bytes of revert data that a receipt keeps: enough for every message, too few to fill a disk with."""
TEXT_KEPT: Final = 512
"""Characters of what is written for people, in which a hostile module's own names may stand."""


@dataclass(frozen=True, slots=True)
class TrapReport:
    """Where and why a transaction's outermost frame trapped, for people."""

    code: str
    detail: str
    place: Place

    @staticmethod
    def of(trap: Trap) -> TrapReport:
        """Keep what the exception says of the place itself, long texts cut."""
        place = trap.place or Place()
        name = place.name and place.name[:TEXT_KEPT]
        return TrapReport(str(trap.code), trap.detail[:TEXT_KEPT], Place(place.offset, place.function, name))

    def pack(self) -> list[Encodable]:
        """For the receipt's record; a number that is not known is an empty list."""
        place = self.place
        numbers: list[Encodable] = [[] if number is None else number for number in (place.offset, place.function)]
        return [self.code.encode(), self.detail.encode(), *numbers, (place.name or "").encode()]

    @staticmethod
    def unpack(record: list[Any]) -> TrapReport:
        """Read what `pack` made. Raises: ValueError, TypeError, AttributeError."""
        code, detail, offset, function, name = record
        numbers = [None if number == [] else decode_uint(number) for number in (offset, function)]
        return TrapReport(code.decode(), detail.decode(), Place(numbers[0], numbers[1], name.decode() or None))

    def __str__(self) -> str:
        text = f"{self.code}: {self.detail}" if self.detail else self.code
        return f"{text} (at {self.place})" if self.place != Place() else text


@dataclass(slots=True)
class Receipt:
    """What came of a transaction in a block. Gas is whole gas, `gas_price` wei a gas as paid.

    `status` is how the outermost frame ended; consensus keeps only whether it is OK. `log_index` is the place of the
    first log among the block's. `output` is revert data, cut to `REVERT_KEPT` bytes.
    """

    type: int
    status: Status
    cumulative_gas: int
    logs: tuple[Log, ...]
    transaction_hash: Hash
    sender: Address
    to: Address | None
    created: Address | None
    gas_used: int
    gas_price: int
    index: int
    log_index: int
    output: bytes = b""
    trap: TrapReport | None = None
    detail: str = ""
    block_number: int = 0
    block_hash: Hash = ZERO_HASH
    _logs_rlp: bytes | None = field(default=None, init=False, repr=False, compare=False)

    @property
    def ok(self) -> bool:
        """Whether the transaction took effect: the receipt's status 1."""
        return self.status is Status.OK

    def encode(self, bloom: bytes) -> bytes:
        """The consensus encoding, a leaf of the receipts trie; `bloom` is `logs_bloom` of these logs."""
        status, gas = b"\x01" if self.ok else b"\x80", encode_int(self.cumulative_gas)
        body = wrap_list(b"%b%b%b%b%b" % (status, gas, _BLOOM_HEADER, bloom, self._logs()))
        return bytes([self.type]) + body if self.type else body

    def pack(self) -> bytes:
        """Our record of it, in RLP; block number and hash are known from where it is kept."""
        facts = b"%b%b%b\xa0%b\x94%b%b%b%b%b%b%b%b%b%b" % (
            encode_int(self.type),
            encode_int(self.status),
            encode_int(self.cumulative_gas),
            self.transaction_hash,
            self.sender,
            b"\x94" + self.to if self.to else b"\x80",
            b"\x94" + self.created if self.created else b"\x80",
            encode_int(self.gas_used),
            encode_int(self.gas_price),
            encode_int(self.index),
            encode_int(self.log_index),
            encode_bytes(self.output),
            rlp_encode(self.trap.pack()) if self.trap else b"\x80",
            encode_bytes(self.detail.encode()) if self.detail else b"\x80",
        )
        return wrap_list(wrap_list(facts) + self._logs())

    def _logs(self) -> bytes:
        """RLP of the logs, made once: it is in both encodings."""
        if self._logs_rlp is None:
            self._logs_rlp = wrap_list(b"".join([_log(log) for log in self.logs]))
        return self._logs_rlp

    @staticmethod
    def unpack(record: bytes, block_number: int, block_hash: Hash) -> Receipt:
        """Read our record. Raises: Fatal when it is damaged: nobody else writes there."""
        try:
            facts, logs = cast(list[Any], rlp_decode(record))
            kind, status, cumulative, digest, *rest = facts
            sender, to, created, used, price, index, log_index, output, trap, detail = rest
            return Receipt(
                type=decode_uint(kind),
                status=Status(decode_uint(status)),
                cumulative_gas=decode_uint(cumulative),
                logs=tuple(Log(address, tuple(topics), data) for address, topics, data in logs),
                transaction_hash=digest,
                sender=sender,
                to=to or None,
                created=created or None,
                gas_used=decode_uint(used),
                gas_price=decode_uint(price),
                index=decode_uint(index),
                log_index=decode_uint(log_index),
                output=output,
                trap=TrapReport.unpack(trap) if trap else None,
                detail=detail.decode(),
                block_number=block_number,
                block_hash=block_hash,
            )
        except (ValueError, TypeError, AttributeError) as error:
            raise Fatal(f"a stored receipt of block {block_number} is damaged: {error}") from error


class Bloom:
    """Makes the blooms of one block."""

    __slots__ = ("whole",)

    def __init__(self) -> None:
        self.whole = 0
        """Union of all made so far: the block's."""

    def of(self, logs: Iterable[Log]) -> bytes:
        """256-byte filter of a receipt's logs. Source: yellow paper equation 30."""
        bloom = 0
        for log in logs:
            bloom |= _bits_of(log.address)
            for topic in log.topics:
                bloom |= _bits_of(topic)
        self.whole |= bloom
        return bloom.to_bytes(BLOOM_BYTES, "big")


@lru_cache(maxsize=4_096)
def _bits_of(item: bytes) -> int:
    """The bits that an item sets, of the bloom as a big-endian number. The same ones come again and again."""
    h = keccak256(item)
    return 1 << ((h[0] << 8 | h[1]) & 2047) | 1 << ((h[2] << 8 | h[3]) & 2047) | 1 << ((h[4] << 8 | h[5]) & 2047)


def _log(log: Log) -> bytes:
    """RLP of a log, whose topics are of 32 bytes."""
    topics = wrap_list(b"".join([b"\xa0" + topic for topic in log.topics]))
    return wrap_list(b"\x94%b%b%b" % (log.address, topics, encode_bytes(log.data)))


def logs_bloom(logs: Iterable[Log]) -> bytes:
    """256-byte filter of some logs."""
    return Bloom().of(logs)


def may_contain(bloom: bytes, item: bytes) -> bool:
    """Whether a bloom admits an address or topic; False is certain, True may be wrong."""
    mask = int.from_bytes(logs_bloom((Log(Address(item), (), b""),)), "big")
    return int.from_bytes(bloom, "big") & mask == mask
