"""Headers, blocks and receipts hash as Ethereum's do, and the base fee follows EIP-1559."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contractvm.block import EMPTY_OMMERS, EMPTY_TRIE, Block, Header, indexed_root, next_base_fee
from contractvm.crypto import keccak256
from contractvm.devaccounts import dev_accounts
from contractvm.errors import Fatal, Place, Trap, TrapCode
from contractvm.host import Log
from contractvm.machine import Status
from contractvm.receipt import EMPTY_BLOOM, Bloom, Receipt, TrapReport, logs_bloom, may_contain
from contractvm.rules import contract_rules
from contractvm.transaction import Transaction, TxType
from contractvm.types import ZERO_HASH, Address, Hash
from state.codec import decode, encode

RULES = contract_rules()
ALICE, BOB = dev_accounts()[:2]


def h(text: str) -> Hash:
    """Bytes of hex."""
    return Hash(bytes.fromhex(text))


MAINNET_23535880 = Header(
    parent_hash=h("1fab238a9630a2e95c8b735ebc63bc2751bc6492f409ee16a7b5a532985196eb"),
    coinbase=Address(h("4838b106fce9647bdf1e7877bf73ce8b0bad5f97")),
    state_root=h("d3c86549e5d57f14bd0b28630b70cb68038ac3334251bd194c93a18d96492f39"),
    transactions_root=h("9da0226f723a9da4b8df8782930c0e83bd73c4a393069ee7861465188eed989b"),
    receipts_root=h("01d0a60dd8fd8de710a191aba91f82e2a437ac21a6e77b21b2f745809e7feadf"),
    logs_bloom=h(
        "3effc77fb16497fa74fffeb6ef65dfbd7b97f8dd7f198ff37abfcf5fdeb329e7bdbc9d8caffdf765f7b75df9e737eff7"
        "73fbf639ff9ffb376fb726a7ff2f68dffea0de7fafd3f7fbff8d5fdff57becf3e76f3f73fefc1ff9bbf9df7fb3fffff1"
        "3f577b7fdffeb7f7ffb8cd71ff93fff3bfffd7e3bfbe576daefdfff6fb5afedf8ffbbd7d7baf977f46fbffceebfbe86f"
        "c6ffb6f1eff3fbbfbeb9eefbf954ffe3fbff9d73b8f9ecfdcfdf7df3fdd9ff3bbfdfe9efe8ffee6ff7fe4a3ff7a5fefb"
        "fffffcffcd7f2bc04bdf7c52d3fdfeff3f7dfe7b4fefa9f46edb53c2de9ffb7f3ffdff6fefa67f64f6e7f7bff5af1dff"
        "ffeff9b99ff86fef589e3bbfffdfffb7"
    ),
    number=23_535_880,
    gas_limit=45_000_000,
    gas_used=30_531_630,
    timestamp=1_759_960_991,
    extra_data=b"Titan (titanbuilder.xyz)",
    prev_randao=h("15350a0cad9bc5cb1298b3710db038850f1df5d8ac00c4ca3b03fb64c7e8ab78"),
    base_fee=194_923_488,
    withdrawals_root=h("0740ba007069960b2d60f77b0ce2648cffa3573accd055d4803eb771e32903e7"),
    blob_gas_used=786_432,
    parent_beacon_root=h("2bd55d2f0e1a3d3e181659ebc21bb167527e517de88b39b0d7ebbeeb3e28eebc"),
)


def test_constants() -> None:
    assert keccak256(encode(b"")) == EMPTY_TRIE
    assert keccak256(encode([])) == EMPTY_OMMERS


def test_a_real_header() -> None:
    """A block of Ethereum's main chain: Prague appended one field, the requests hash, to Cancun's twenty."""
    fields = decode(MAINNET_23535880.encode())
    assert isinstance(fields, list) and len(fields) == 20
    requests = h("965c860907968cab126093a785436ad747495ae45b21dac1b6a92ae0f4866ce0")
    prague = keccak256(encode([*fields, requests]))
    assert prague == h("e38d4bb2060a54519508612f40ef737a09c5b20488c12b0bec2d4f5ea7073c15")


@given(st.integers(0, 2**64), st.integers(0, 2**64), st.binary(max_size=32))
def test_header_round_trip(number: int, gas: int, extra: bytes) -> None:
    header = replace(MAINNET_23535880, number=number, gas_used=gas, extra_data=extra)
    again = Header.decode(header.encode())
    assert again == header
    assert again.hash == header.hash == keccak256(header.encode())


@pytest.mark.parametrize("raw", [b"", b"\xc0", b"junk", MAINNET_23535880.encode()[:-1]])
def test_a_damaged_header_is_fatal(raw: bytes) -> None:
    with pytest.raises(Fatal, match="damaged"):
        Header.decode(raw)


def test_size_counts_every_byte_once() -> None:
    legacy = Transaction(type=TxType.LEGACY, max_fee=9, max_tip=9, gas_limit=21_000, to=BOB.address, chain_id=1)
    dynamic = Transaction(max_fee=9, max_tip=9, gas_limit=21_000, to=BOB.address, chain_id=1)
    txs = tuple(tx.sign(ALICE.secret) for tx in (legacy, dynamic))
    header = len(Header().encode())
    assert Block(Header()).size == header + 3 + 3
    body = len(txs[0].encode()) + len(encode(txs[1].encode()))
    assert Block(Header(), txs).size == header + 2 + body + 2 + 3


@pytest.mark.parametrize(
    ("fee", "used", "expected"),
    [
        (10**9, 15_000_000, 10**9),
        (10**9, 30_000_000, 1_125_000_000),
        (10**9, 0, 875_000_000),
        (7, 0, 7),
        (1, 30_000_000, 2),
        (10**9, 15_000_001, 10**9 + 8),
    ],
)
def test_base_fee(fee: int, used: int, expected: int) -> None:
    assert next_base_fee(replace(Header(), base_fee=fee, gas_used=used), RULES) == expected


# Receipts

PLAIN = Receipt(
    type=0,
    status=Status.OK,
    cumulative_gas=21_000,
    logs=(),
    transaction_hash=ZERO_HASH,
    sender=ALICE.address,
    to=BOB.address,
    created=None,
    gas_used=21_000,
    gas_price=10**9,
    index=0,
    log_index=0,
)


def test_receipt_roots_known_from_other_nodes() -> None:
    """The roots that geth gives for a block of one plain transfer: legacy, and dynamic fee."""
    legacy = indexed_root([PLAIN.encode(EMPTY_BLOOM)])
    assert legacy == h("056b23fbba480696b65fe5a59b8f2148a1299103c4f57df839233af2cf4ca2d2")
    dynamic = indexed_root([replace(PLAIN, type=2).encode(EMPTY_BLOOM)])
    assert dynamic == h("f78dfb743fbd92ade140711c8bbc542b5e307f0ab7984eff35d751969fe57efa")


def test_roots_of_blocks() -> None:
    assert indexed_root([]) == EMPTY_TRIE
    many = [b"item %d" % number for number in range(300)]
    assert indexed_root(many) != indexed_root(many[::-1])


TRANSFER = h("ddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef")


def test_bloom() -> None:
    log = Log(BOB.address, (TRANSFER, ALICE.address.rjust(32, b"\0")), b"data")
    bloom = logs_bloom([log])
    assert len(bloom) == 256
    for item in (BOB.address, TRANSFER, log.topics[1]):
        assert may_contain(bloom, item)
        digest = keccak256(item)
        for pair in (0, 2, 4):
            bit = (digest[pair] * 256 + digest[pair + 1]) % 2048
            assert bloom[255 - bit // 8] >> bit % 8 & 1
    assert not may_contain(bloom, ALICE.address)
    assert not may_contain(EMPTY_BLOOM, BOB.address)
    block = Bloom()
    for part in ([log], [], [Log(ALICE.address, (), b"")]):
        block.of(part)
    assert block.whole == int.from_bytes(bloom, "big") | int.from_bytes(
        logs_bloom([Log(ALICE.address, (), b"")]), "big"
    )


FULL = replace(
    PLAIN,
    status=Status.TRAP,
    logs=(Log(BOB.address, (TRANSFER,), b"\0data"), Log(ALICE.address, (), b"")),
    created=ALICE.address,
    to=None,
    output=b"why",
    trap=TrapReport.of(Trap(TrapCode.MEMORY_OUT_OF_BOUNDS, "so far", Place(0x1F, 3, "f"))),
    detail="détail",
    block_number=9,
    block_hash=TRANSFER,
)


@pytest.mark.parametrize(
    "receipt",
    [
        replace(PLAIN, block_number=9, block_hash=TRANSFER),
        FULL,
        replace(FULL, trap=TrapReport("unreachable", "", Place())),
        replace(FULL, trap=TrapReport("unreachable", "", Place(0, 0))),
    ],
)
def test_our_record_of_a_receipt(receipt: Receipt) -> None:
    assert Receipt.unpack(receipt.pack(), 9, TRANSFER) == receipt


def test_long_names_do_not_fill_the_disk() -> None:
    hostile = TrapReport.of(Trap(TrapCode.UNREACHABLE, "d" * 9_999, Place(1, 2, "n" * 9_999)))
    assert len(replace(FULL, trap=hostile).pack()) < 2_000


@pytest.mark.parametrize("record", [b"", b"\xc0", b"\xc2\xc0\xc0", FULL.pack()[:-1]])
def test_a_damaged_record_is_fatal(record: bytes) -> None:
    with pytest.raises(Fatal, match="damaged"):
        Receipt.unpack(record, 9, TRANSFER)


def test_a_trap_tells_its_place() -> None:
    assert str(FULL.trap) == "out of bounds memory access: so far (at function 3 (f), byte 0x1f)"
