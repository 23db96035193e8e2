"""Transactions: round trips, the strictness of decoding, signatures, and what a byte costs."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contractvm.crypto import HALF_ORDER, ORDER
from contractvm.devaccounts import dev_accounts
from contractvm.errors import Rejected
from contractvm.rejections import InvalidSignature, MalformedTransaction, UnsupportedType, WrongChain
from contractvm.transaction import MAX_NONCE, Transaction, TxPrices, TxType
from contractvm.types import ZERO_ADDRESS, Address, Hash
from state.codec import decode, encode

ALICE, BOB = dev_accounts()[:2]
PRICES = TxPrices(
    base=21_000, create=32_000, zero_byte=4, data_byte=16, init_byte=7, access_address=2_400, access_key=1_900
)

addresses = st.binary(min_size=20, max_size=20).map(Address)
access_lists = st.lists(
    st.tuples(addresses, st.lists(st.binary(min_size=32, max_size=32).map(Hash), max_size=3).map(tuple)), max_size=3
).map(tuple)


@st.composite
def transactions(draw: st.DrawFn) -> Transaction:
    """Unsigned ones of every type, fields over their whole range."""
    kind = draw(st.sampled_from(TxType))
    fee = draw(st.integers(0, 2**190))
    return Transaction(
        type=kind,
        nonce=draw(st.integers(0, MAX_NONCE)),
        max_fee=fee,
        max_tip=draw(st.integers(0, fee)) if kind is TxType.DYNAMIC_FEE else fee,
        gas_limit=draw(st.integers(0, 2**64 - 1)),
        to=draw(st.none() | addresses),
        value=draw(st.integers(0, 2**256 - 1)),
        data=draw(st.binary(max_size=200)),
        chain_id=draw(st.integers(1, 2**32) | (st.none() if kind is TxType.LEGACY else st.nothing())),
        access_list=() if kind is TxType.LEGACY else draw(access_lists),
    )


@given(transactions())
def test_round_trip(unsigned: Transaction) -> None:
    signed = unsigned.sign(ALICE.secret)
    raw = signed.encode()
    again = Transaction.decode(raw)
    assert again == signed
    assert again.encode() == replace(again).encode() == raw
    assert again.hash == signed.hash
    assert again.sender == ALICE.address
    assert Transaction.decode_stored(raw) == signed


@given(transactions(), st.data())
def test_one_flipped_bit_is_another_transaction_or_none(unsigned: Transaction, data: st.DataObject) -> None:
    signed = unsigned.sign(ALICE.secret)
    raw = bytearray(signed.encode())
    bit = data.draw(st.integers(0, len(raw) * 8 - 1))
    raw[bit // 8] ^= 1 << bit % 8
    try:
        forged = Transaction.decode(bytes(raw))
        sender = forged.sender
    except Rejected:
        return
    assert forged.hash != signed.hash
    assert sender != ALICE.address or forged.signing_hash == signed.signing_hash


@given(st.binary(max_size=300))
def test_any_bytes_decode_or_are_rejected(raw: bytes) -> None:
    try:
        tx = Transaction.decode(raw)
    except Rejected:
        return
    assert replace(tx).encode() == raw


@given(transactions(), st.integers(0, 400))
def test_truncated_bytes_are_rejected(unsigned: Transaction, cut: int) -> None:
    raw = unsigned.sign(ALICE.secret).encode()
    with pytest.raises(Rejected):
        Transaction.decode(raw[: min(cut, len(raw) - 1)])
    with pytest.raises(Rejected):
        Transaction.decode(raw + b"\0")


def refields(tx: Transaction, place: int, value: object) -> bytes:
    """The encoding of a signed transaction with one field put in by hand."""
    raw = tx.encode()
    head, body = (b"", raw) if tx.type is TxType.LEGACY else (raw[:1], raw[1:])
    fields = decode(body)
    assert isinstance(fields, list)
    fields[place] = value  # type: ignore[call-overload]
    return head + encode(fields)


LEGACY = Transaction(type=TxType.LEGACY, max_fee=7, max_tip=7, gas_limit=21_000, to=BOB.address, chain_id=1)
DYNAMIC = Transaction(max_fee=7, max_tip=2, gas_limit=21_000, to=BOB.address, chain_id=1)


@pytest.mark.parametrize(
    ("place", "value", "says"),
    [
        (0, b"\0", "nonce has leading zeros"),
        (0, b"\xff" * 8, "EIP-2681"),
        (0, b"\x01" + bytes(8), "nonce is above 64 bits"),
        (1, b"\0\x01", "gas price has leading zeros"),
        (1, b"\x01" + bytes(32), "gas price is above 256 bits"),
        (1, b"\xff" * 32, "gas limit times fee"),
        (2, b"\x01" + bytes(8), "gas limit is above 64 bits"),
        (3, b"\x01" * 19, "to is 19 bytes"),
        (3, b"\x01" * 21, "to is 21 bytes"),
        (3, [], "to is a list"),
        (4, b"\x01" + bytes(32), "value is above 256 bits"),
        (5, [b""], "data is a list"),
        (6, b"\x1d", "v is 29"),
        (6, b"", "v is 0"),
        (6, b"\x00\x25", "v has leading zeros"),
        (7, b"", "r or s is out of range"),
        (8, b"", "r or s is out of range"),
        (7, ORDER.to_bytes(32, "big"), "r or s is out of range"),
        (8, (HALF_ORDER + 1).to_bytes(32, "big"), "r or s is out of range"),
        (8, b"\x01" + bytes(32), "s is above 256 bits"),
    ],
)
def test_a_bad_field_is_named(place: int, value: object, says: str) -> None:
    with pytest.raises(Rejected, match=says):
        Transaction.decode(refields(LEGACY.sign(ALICE.secret), place, value))


@pytest.mark.parametrize(
    ("place", "value", "says"),
    [
        (2, b"\x08", "higher than max fee"),
        (8, b"", "access list is not a list"),
        (8, [b"\x01" * 20], "entry is not"),
        (8, [[b"\x01" * 20]], "entry is not"),
        (8, [[b"\x01" * 19, []]], "address is not 20 bytes"),
        (8, [[b"\x01" * 20, [b"\x01" * 31]]], "key is not 32 bytes"),
        (8, [[b"\x01" * 20, [[]]]], "key is not 32 bytes"),
        (9, b"\x02", "y parity is 2"),
    ],
)
def test_a_bad_field_of_a_typed_one_is_named(place: int, value: object, says: str) -> None:
    with pytest.raises(Rejected, match=says):
        Transaction.decode(refields(DYNAMIC.sign(ALICE.secret), place, value))


@pytest.mark.parametrize(
    ("raw", "says"),
    [(b"", "no bytes"), (b"\x03\xc0", "EIP-4844"), (b"\x04\xc0", "EIP-7702"), (b"\x05\xc0", "0x05"), (b"\x00", "0x00")],
)
def test_other_types_are_refused_by_name(raw: bytes, says: str) -> None:
    with pytest.raises(MalformedTransaction, match=says):
        Transaction.decode(raw)
    if raw:
        with pytest.raises(UnsupportedType):
            Transaction.decode(raw)


@pytest.mark.parametrize("tx", [LEGACY, DYNAMIC])
def test_field_count(tx: Transaction) -> None:
    raw = tx.sign(ALICE.secret).encode()
    skip = 0 if tx.type is TxType.LEGACY else 1
    fields = decode(raw[skip:])
    assert isinstance(fields, list)
    for wrong in ([*fields, b""], fields[:-1], b"abc"):
        with pytest.raises(MalformedTransaction, match="fields"):
            Transaction.decode(raw[:skip] + encode(wrong))


def test_another_chain_is_refused_and_no_chain_is_any() -> None:
    with pytest.raises(WrongChain, match="signed for 1, this chain is 5"):
        Transaction.decode(DYNAMIC.sign(ALICE.secret).encode(), chain_id=5)
    anywhere = replace(LEGACY, chain_id=None).sign(ALICE.secret)
    assert Transaction.decode(anywhere.encode(), chain_id=5).sender == ALICE.address


def test_a_signature_without_a_key_is_refused() -> None:
    # x = 5 is on no point of the curve.
    with pytest.raises(InvalidSignature, match="no public key"):
        _ = Transaction.decode(refields(LEGACY.sign(ALICE.secret), 7, b"\x05")).sender


def test_an_unsigned_transaction_has_no_sender() -> None:
    with pytest.raises(InvalidSignature):
        _ = DYNAMIC.sender


def test_a_changed_copy_remembers_nothing() -> None:
    signed = DYNAMIC.sign(ALICE.secret)
    before = signed.encode(), signed.hash, signed.sender
    changed = replace(signed, value=1)
    assert changed.encode() != before[0]
    assert changed.hash != before[1]
    assert changed.sender != before[2]


@pytest.mark.parametrize("tx", [LEGACY, DYNAMIC, replace(LEGACY, chain_id=None)])
def test_impersonation_never_comes_from_outside(tx: Transaction) -> None:
    mine, his = tx.impersonate(ALICE.address), tx.impersonate(BOB.address)
    assert mine.sender == ALICE.address
    assert mine.hash != his.hash
    with pytest.raises(InvalidSignature):
        Transaction.decode(mine.encode())
    assert Transaction.decode_stored(mine.encode()).sender == ALICE.address
    assert Transaction.decode_stored(mine.encode()) == mine
    with pytest.raises(ValueError, match="zero"):
        tx.impersonate(ZERO_ADDRESS)


def test_intrinsic_gas() -> None:
    call = Transaction(to=BOB.address, data=b"\0\0\x01")
    assert call.intrinsic_gas(PRICES) == 21_000 + 2 * 4 + 16
    assert replace(call, to=None).intrinsic_gas(PRICES) == 21_000 + 2 * 4 + 16 + 32_000 + 3 * 7
    listed = replace(call, access_list=((BOB.address, (Hash(bytes(32)),) * 2), (ALICE.address, ())))
    assert listed.intrinsic_gas(PRICES) == 21_000 + 2 * 4 + 16 + 2 * 2_400 + 2 * 1_900


def test_fees() -> None:
    tx = Transaction(max_fee=100, max_tip=10)
    assert (tx.tip(50), tx.gas_price(50)) == (10, 60)
    assert (tx.tip(95), tx.gas_price(95)) == (5, 100)
    assert tx.tip(101) == -1


def test_eip155_example() -> None:
    """The worked example of EIP-155."""
    unsigned = Transaction(
        type=TxType.LEGACY,
        nonce=9,
        max_fee=20 * 10**9,
        max_tip=20 * 10**9,
        gas_limit=21_000,
        to=Address(b"\x35" * 20),
        value=10**18,
        chain_id=1,
    )
    assert unsigned.signing_hash.hex() == "daf5a779ae972f972197303d7b574746c7ef83eadac0f2791ad23db92e4c8e53"
    signed = unsigned.sign(b"\x46" * 32)
    assert signed.encode().hex() == (
        "f86c098504a817c800825208943535353535353535353535353535353535353535880de0b6b3a76400008025a0"
        "28ef61340bd939bc2195fe537567866003e1a15d3c71ff63e1590620aa636276a0"
        "67cbe9d8997f761aecb703304b3800ccf555c9f3dc64214b297fb1966a3b6d83"
    )
