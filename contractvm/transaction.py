"""Ethereum transactions: legacy (with and without EIP-155), access list (EIP-2930) and dynamic fee (EIP-1559).

Decoding is strict: one transaction has one encoding, so bytes, hash and fields determine each other. Blob (type 3) and
set-code (type 4) transactions are refused by name. Source: yellow paper section 4.2 and appendix F; EIP-2 (low s), 155,
1559, 2681 (nonce bound), 2718 (types), 2930. Never: looks at state; that is `execute` and `mempool`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import field, replace
from enum import IntEnum
from typing import Final

from contractvm.crypto import HALF_ORDER, ORDER, address_of, keccak256, recover, sign
from contractvm.dataclass import dataclass
from contractvm.rejections import InvalidSignature, MalformedTransaction, UnsupportedType, WrongChain
from contractvm.rules import Rules
from contractvm.types import Address, Hash
from state.codec import Encodable, RLPError, encode_bytes, encode_uint, wrap_list
from state.codec import decode as rlp_decode
from state.codec import encode as rlp_encode

MAX_NONCE: Final = 2**64 - 2
"""EIP-2681: 2**64 - 1 can never be used, so that the next nonce always fits."""

AccessList = tuple[tuple[Address, tuple[Hash, ...]], ...]


class TxType(IntEnum):
    """EIP-2718 types taken here."""

    LEGACY = 0
    ACCESS_LIST = 1
    DYNAMIC_FEE = 2


_REFUSED_TYPES: Final = {3: "blob transactions (EIP-4844)", 4: "set-code transactions (EIP-7702)"}


@dataclass(frozen=True, slots=True)
class TxPrices:
    """What a transaction pays for its own bytes, in whole gas."""

    base: int
    create: int
    zero_byte: int
    data_byte: int
    init_byte: int
    access_address: int
    access_key: int

    @staticmethod
    def of(rules: Rules) -> TxPrices:
        """Read them from the schedule. Raises: ScheduleError when one is missing or not in whole gas."""
        price = rules.schedule.gas
        return TxPrices(
            base=price("tx.base"),
            create=price("tx.create"),
            zero_byte=price("tx.zero_byte"),
            data_byte=price("tx.data_byte"),
            init_byte=price("create.init_byte"),
            access_address=price("tx.access_address"),
            access_key=price("tx.access_key"),
        )

    def intrinsic(self, to: Address | None, data: bytes, access_list: AccessList) -> int:
        """Whole gas paid before anything runs. Init code pays by the byte here, which replaces EIP-3860's words."""
        zeros = data.count(0)
        gas = self.base + zeros * self.zero_byte + (len(data) - zeros) * self.data_byte
        if to is None:
            gas += self.create + len(data) * self.init_byte
        for _, keys in access_list:
            gas += self.access_address + len(keys) * self.access_key
        return gas


@dataclass(frozen=True, slots=True)
class Transaction:
    """One transaction. Fees in wei a gas, `value` in wei; `to` None creates a contract.

    `max_fee` and `max_tip` are equal, the gas price, for the types before EIP-1559. `chain_id` None is a legacy
    transaction signed for any chain. `impersonated` is a sender that signed nothing: only a development chain makes
    such a transaction, and no bytes from outside decode to one. Encoding, hash and sender are worked out once and kept,
    in fields that `dataclasses.replace` leaves behind.
    """

    type: TxType = TxType.DYNAMIC_FEE
    nonce: int = 0
    max_fee: int = 0
    max_tip: int = 0
    gas_limit: int = 0
    to: Address | None = None
    value: int = 0
    data: bytes = b""
    chain_id: int | None = None
    access_list: AccessList = ()
    y_parity: int = 0
    r: int = 0
    s: int = 0
    impersonated: Address | None = None
    _raw: bytes | None = field(default=None, init=False, repr=False, compare=False)
    _hash: Hash | None = field(default=None, init=False, repr=False, compare=False)
    _sender: Address | None = field(default=None, init=False, repr=False, compare=False)

    @staticmethod
    def decode(raw: bytes, chain_id: int | None = None) -> Transaction:
        """Read the canonical encoding of a signed transaction.

        With `chain_id`, one signed for another chain is refused. Raises: MalformedTransaction, UnsupportedType,
        InvalidSignature, WrongChain.
        """
        tx = _decode(raw)
        if not 0 < tx.r < ORDER or not 0 < tx.s <= HALF_ORDER:
            raise InvalidSignature("invalid signature: r or s is out of range (EIP-2 wants s at most half the order)")
        if chain_id is not None and tx.chain_id is not None and tx.chain_id != chain_id:
            raise WrongChain(f"invalid chain id: signed for {tx.chain_id}, this chain is {chain_id}")
        return tx

    @staticmethod
    def decode_stored(raw: bytes) -> Transaction:
        """Read what `encode` wrote into our own database, impersonated transactions included.

        Raises: as `decode`.
        """
        tx = _decode(raw)
        if tx.s == 0 and 0 < tx.r < 1 << 160:
            return replace(tx, impersonated=Address(tx.r.to_bytes(20, "big")), r=0)
        return tx

    def encode(self) -> bytes:
        """The canonical bytes, as sent, hashed and kept.

        An impersonated sender stands in the place of r with s = 0, which no signature has: its hash is its own.
        """
        if self._raw is None:
            r = int.from_bytes(self.impersonated, "big") if self.impersonated is not None else self.r
            fields = self._fields()
            if self.type is TxType.LEGACY:
                raw = rlp_encode([*fields, self._v, r, self.s])
            else:
                raw = bytes([self.type]) + rlp_encode([*fields, self.y_parity, r, self.s])
            object.__setattr__(self, "_raw", raw)
        return self._raw  # type: ignore[return-value]

    @property
    def hash(self) -> Hash:
        """keccak of the encoding."""
        if self._hash is None:
            object.__setattr__(self, "_hash", Hash(keccak256(self.encode())))
        return self._hash  # type: ignore[return-value]

    @property
    def signing_hash(self) -> Hash:
        """What the sender signs: EIP-155 appends the chain id and two zeros, typed ones prefix the type."""
        if self._raw is not None:
            return Hash(keccak256(self._signed_part(self._raw)))
        fields = self._fields()
        if self.type is not TxType.LEGACY:
            return Hash(keccak256(bytes([self.type]) + rlp_encode(fields)))
        if self.chain_id is not None:
            fields = [*fields, self.chain_id, b"", b""]
        return Hash(keccak256(rlp_encode(fields)))

    @property
    def sender(self) -> Address:
        """Who signed, recovered once. Raises: InvalidSignature when no key fits."""
        if self._sender is None:
            object.__setattr__(self, "_sender", self.impersonated or self._recover())
        return self._sender  # type: ignore[return-value]

    @property
    def knows_sender(self) -> bool:
        """Whether `sender` has been worked out."""
        return self._sender is not None

    def keep_sender(self, sender: Address) -> None:
        """Be told by whoever worked it out from the same bytes."""
        object.__setattr__(self, "_sender", sender)

    def unsigned_by(self, sender: Address) -> Transaction:
        """Return the transaction as the shape of a message from `sender`, any address, that is only simulated."""
        shape = replace(self)
        object.__setattr__(shape, "_sender", sender)
        return shape

    def sign(self, secret: bytes) -> Transaction:
        """Return the transaction signed (RFC 6979, low s) with a 32-byte secret key."""
        r, s, recid = sign(self.signing_hash, secret)
        return replace(self, y_parity=recid, r=r, s=s, impersonated=None)

    def impersonate(self, sender: Address) -> Transaction:
        """Return the transaction as sent by `sender` without a signature. Raises: ValueError for the zero address."""
        if len(sender) != 20 or not any(sender):
            raise ValueError("an impersonated sender is a 20-byte address other than zero")
        return replace(self, y_parity=0, r=0, s=0, impersonated=sender)

    def intrinsic_gas(self, prices: TxPrices) -> int:
        """Whole gas paid before anything runs."""
        return prices.intrinsic(self.to, self.data, self.access_list)

    def tip(self, base_fee: int) -> int:
        """Wei a gas that the block's producer gets; negative when the fee cap is under `base_fee`."""
        return min(self.max_tip, self.max_fee - base_fee)

    def gas_price(self, base_fee: int) -> int:
        """Wei a gas that the sender pays in a block with `base_fee`."""
        return base_fee + self.tip(base_fee)

    def _signed_part(self, raw: bytes) -> bytes:
        """The bytes behind `signing_hash`, cut from the encoding: the signature is its last three fields."""
        typed = 0 if self.type is TxType.LEGACY else 1
        header = raw[typed]
        start = typed + (1 if header < 0xF8 else header - 0xF6)
        last = self.y_parity if typed else self._v
        body = raw[start : len(raw) - _rlp_length(last) - _rlp_length(self.r) - _rlp_length(self.s)]
        if typed:
            return raw[:1] + wrap_list(body)
        if self.chain_id is not None:
            body += encode_bytes(encode_uint(self.chain_id)) + b"\x80\x80"
        return wrap_list(body)

    @property
    def _v(self) -> int:
        return self.y_parity + (27 if self.chain_id is None else 35 + 2 * self.chain_id)

    def _fields(self) -> list[Encodable]:
        to = self.to if self.to is not None else b""
        if self.type is TxType.LEGACY:
            return [self.nonce, self.max_fee, self.gas_limit, to, self.value, self.data]
        access: list[Encodable] = [[address, keys] for address, keys in self.access_list]
        rest: list[Encodable] = [self.max_fee, self.gas_limit, to, self.value, self.data, access]
        if self.type is TxType.ACCESS_LIST:
            return [self.chain_id or 0, self.nonce, *rest]
        return [self.chain_id or 0, self.nonce, self.max_tip, *rest]

    def _recover(self) -> Address:
        key = recover(self.signing_hash, self.r, self.s, self.y_parity) if self.s else None
        if key is None:
            raise InvalidSignature("invalid signature: no public key fits it")
        return address_of(key)


_KINDS = {0: (TxType.LEGACY, 9), 1: (TxType.ACCESS_LIST, 11), 2: (TxType.DYNAMIC_FEE, 12)}
"""Type and number of fields by the first byte, 0 for the legacy form."""


def _decode(raw: bytes) -> Transaction:
    """Read any supported type; signature values are bounded to 256 bits and not judged further."""
    if not raw:
        raise MalformedTransaction("malformed transaction: no bytes")
    first = raw[0]
    if first < 0x80 and first not in (1, 2):
        named = _REFUSED_TYPES.get(first, "this type")
        raise UnsupportedType(f"transaction type not supported: {first:#04x}, {named} cannot run here")
    kind, wanted = _KINDS[first if first < 0x80 else 0]
    try:
        items = rlp_decode(raw if kind is TxType.LEGACY else raw[1:])
    except RLPError as error:
        raise MalformedTransaction(f"malformed transaction: {error}") from None
    if not isinstance(items, list) or len(items) != wanted:
        got = f"{len(items)} fields" if isinstance(items, list) else "a string"
        raise MalformedTransaction(f"malformed transaction: a {kind.name} transaction has {wanted} fields, not {got}")
    chain, y_parity = _replay_protection(kind, items)
    start = 0 if kind is TxType.LEGACY else 1
    nonce = _uint(items[start], "nonce", 8)
    tip = _uint(items[start + 1], "gas price", 32)
    fee = tip
    if kind is TxType.DYNAMIC_FEE:
        fee = _uint(items[3], "max fee per gas", 32)
        start = 2
    gas_limit = _uint(items[start + 2], "gas limit", 8)
    to = _bytes(items[start + 3], "to")
    if len(to) not in (0, 20):
        raise MalformedTransaction(f"malformed transaction: to is {len(to)} bytes, not 20 or 0")
    value = _uint(items[start + 4], "value", 32)
    data = _bytes(items[start + 5], "data")
    access_list = () if kind is TxType.LEGACY else _access_list(items[start + 6])
    r, s = _uint(items[-2], "r", 32), _uint(items[-1], "s", 32)
    if nonce > MAX_NONCE:
        raise MalformedTransaction("malformed transaction: nonce above 2**64 - 2 (EIP-2681)")
    if tip > fee:
        raise MalformedTransaction(f"max priority fee per gas higher than max fee per gas: {tip} > {fee}")
    if gas_limit * fee >= 1 << 256:
        raise MalformedTransaction("malformed transaction: gas limit times fee is above 2**256 - 1")
    address = Address(to) if to else None
    tx = Transaction(kind, nonce, fee, tip, gas_limit, address, value, data, chain, access_list, y_parity, r, s)
    object.__setattr__(tx, "_raw", raw)
    return tx


def _replay_protection(kind: TxType, items: Sequence[object]) -> tuple[int | None, int]:
    """Chain id (None: signed for any chain) and the parity of the signature's point."""
    if kind is not TxType.LEGACY:
        parity = _uint(items[-3], "y parity", 32)
        if parity > 1:
            raise InvalidSignature(f"invalid signature: y parity is {parity}, not 0 or 1")
        return _uint(items[0], "chain id", 32), parity
    v = _uint(items[6], "v", 32)
    if v in (27, 28):
        return None, v - 27
    if v < 35:
        raise InvalidSignature(f"invalid signature: v is {v}, neither 27, 28 nor an EIP-155 value")
    return (v - 35) // 2, (v - 35) % 2


def _access_list(item: object) -> AccessList:
    if not isinstance(item, list):
        raise MalformedTransaction("malformed transaction: access list is not a list")
    entries = []
    for entry in item:
        if not isinstance(entry, list) or len(entry) != 2 or not isinstance(entry[1], list):
            raise MalformedTransaction("malformed transaction: access list entry is not [address, [keys]]")
        address, keys = entry
        if not isinstance(address, bytes) or len(address) != 20:
            raise MalformedTransaction("malformed transaction: access list address is not 20 bytes")
        if not all(isinstance(key, bytes) and len(key) == 32 for key in keys):
            raise MalformedTransaction("malformed transaction: access list key is not 32 bytes")
        entries.append((Address(address), tuple(keys)))
    return tuple(entries)


def _bytes(item: object, name: str) -> bytes:
    if not isinstance(item, bytes):
        raise MalformedTransaction(f"malformed transaction: {name} is a list, not a string")
    return item


def _uint(item: object, name: str, size: int) -> int:
    """A canonical big-endian number of at most `size` bytes."""
    if type(item) is bytes and len(item) <= size and (not item or item[0]):
        return int.from_bytes(item, "big")
    if not isinstance(item, bytes):
        raise MalformedTransaction(f"malformed transaction: {name} is a list, not a number")
    if item[:1] == b"\0":
        raise MalformedTransaction(f"malformed transaction: {name} has leading zeros")
    raise MalformedTransaction(f"malformed transaction: {name} is above {size * 8} bits")


def _rlp_length(number: int) -> int:
    """Bytes of a number's encoding, up to 256 bits."""
    return 1 if number < 0x80 else 1 + (number.bit_length() + 7) // 8
