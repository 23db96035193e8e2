"""Values as people write them: exact, bounded, and refused with a reason."""

from __future__ import annotations

import click
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contractvm.cli import values
from contractvm.cli.literals import call_data
from contractvm.cli.problem import Problem


@pytest.mark.parametrize(
    ("text", "wei"),
    [
        ("0", 0),
        ("1000", 1000),
        ("0xff", 255),
        ("1ether", 10**18),
        ("1.5ether", 15 * 10**17),
        ("0.000000000000000001 eth", 1),
        ("5gwei", 5 * 10**9),
        ("1_000gwei", 10**12),
        ("1.50ETHER", 15 * 10**17),
        ("2.000wei", 2),
    ],
)
def test_amounts(text: str, wei: int) -> None:
    assert values.amount(text) == wei


@pytest.mark.parametrize(
    "text", ["", "ether", "-1", "1.5", "1.5wei", "1e18", "1 bitcoin", "0.0000000001gwei", "9" * 90, "1ether1", "0x"]
)
def test_amounts_refused(text: str) -> None:
    with pytest.raises(click.BadParameter):
        values.amount(text)


@given(st.integers(0, 2**256 - 1))
def test_ether_writes_what_amount_reads(wei: int) -> None:
    assert values.amount(values.ether(wei) + "ether") == wei


@given(st.integers(1, 64), st.data())
def test_a_number_and_its_bit_pattern(bits: int, data: st.DataObject) -> None:
    value = data.draw(st.integers(-(1 << bits - 1), (1 << bits) - 1))
    pattern = values.of_width(str(value), bits)
    assert 0 <= pattern < 1 << bits
    assert (pattern - value) % (1 << bits) == 0
    assert values.of_width(str(values.signed(pattern, bits)), bits) == pattern


@pytest.mark.parametrize("value", [1 << 32, -(1 << 31) - 1])
def test_beyond_the_width(value: int) -> None:
    with pytest.raises(click.BadParameter, match="does not fit i32"):
        values.of_width(str(value), 32)


@pytest.mark.parametrize("text", ["", "x", "1.0", "--1", "0x", "١", "1" * 300, "0b1", "1e3"])
def test_no_whole_number(text: str) -> None:
    with pytest.raises(click.BadParameter):
        values.integer(text)


@pytest.mark.parametrize(
    ("text", "said"), [("0xabc", "odd"), ("0xzz", "'z' at character 2"), ("g0", "'g' at character 0")]
)
def test_hex_refused(text: str, said: str) -> None:
    with pytest.raises(click.BadParameter, match=said):
        values.hex_bytes(text)


def test_addresses_and_checksums() -> None:
    """The examples of EIP-55."""
    for text in (
        "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed",
        "0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359",
        "0xdbF03B407c01E7cD3CBea99509d93f8DDDC8C6FB",
        "0xD1220A0cf47c7B9Be7A2E6BA89F429762e7b9aDb",
    ):
        assert values.checksum(values.address(text)) == text
        assert values.address(text.lower()) == values.address(text)
        with pytest.raises(click.BadParameter, match="checksum"):
            values.address(text.replace("b", "B"))
    with pytest.raises(click.BadParameter, match="19 bytes"):
        values.address("0x" + "11" * 19)


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("1", r"argument 1 of f\(address\), an address: '1' is a number; write 0x and 40 .* `contractvm accounts`"),
        ("0x70", r"'0x70' is 1 bytes"),
        ("bob", "'bob' is not hex"),
    ],
)
def test_an_address_is_written_out(word: str, said: str) -> None:
    with pytest.raises(Problem, match=said):
        call_data("f(address)", [word])
