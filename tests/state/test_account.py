"""Account records: every account comes back, and nothing but what was written is read."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from state.account import EMPTY_CODE_HASH, Account, account_of, account_record, encode_account
from state.codec import RLPError, decode, encode
from state.errors import StoreCorrupt
from state.merkle import EMPTY_ROOT

NONCES = st.integers(0, 2**64 - 1)
BALANCES = st.integers(0, 2**256 - 1) | st.sampled_from([0, 1, 0x7F, 0x80, 0xFF, 0x100, 2**256 - 1])
HASHES = st.binary(min_size=32, max_size=32)


@given(NONCES, BALANCES, HASHES | st.just(EMPTY_CODE_HASH), HASHES | st.just(EMPTY_ROOT))
def test_every_account_comes_back(nonce: int, balance: int, code_hash: bytes, root: bytes) -> None:
    account = Account(nonce, balance, code_hash, root)
    assert account_of(account_record(account)) == account
    assert account_of(encode_account(account)) == account


def slowly(data: bytes) -> bool:
    """Whether the general decoder sees an account in these bytes."""
    try:
        fields = decode(data)
    except RLPError:
        return False
    if not isinstance(fields, list) or len(fields) not in (2, 4) or not all(isinstance(f, bytes) for f in fields):
        return False
    numbers, hashes = fields[:2], fields[2:]
    return all(len(n) <= 32 and n[:1] != b"\0" for n in numbers) and all(len(h) == 32 for h in hashes)


RECORDS = st.builds(Account, NONCES, BALANCES, HASHES, HASHES).map(encode_account) | st.builds(
    Account, NONCES, BALANCES
).map(account_record)


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    """A record with a byte changed, left out or put in."""
    record = bytearray(draw(RECORDS))
    at, what = draw(st.integers(0, len(record) - 1)), draw(st.integers(0, 2))
    if what == 0:
        record[at] = draw(st.integers(0, 255))
    elif what == 1:
        del record[at]
    else:
        record.insert(at, draw(st.integers(0, 255)))
    return bytes(record)


@given(damaged() | st.binary(max_size=120))
@example(b"")
@example(b"\xc0")
@example(b"\xc2\x00\x80")
@example(b"\xc3\x81\x05\x80")
@example(encode([1, 2, bytes(32)]))
@example(encode([1, 2, bytes(32), bytes(31)]))
@example(encode([1, [2]]))
@example(encode([1, 2**264]))
@example(encode([1, 2, bytes(33), bytes(31)]))
def test_it_reads_what_the_general_decoder_reads(data: bytes) -> None:
    if slowly(data):
        account = account_of(data)
        assert data in (account_record(account), encode_account(account))
    else:
        with pytest.raises(StoreCorrupt, match="restore a copy"):
            account_of(data)
