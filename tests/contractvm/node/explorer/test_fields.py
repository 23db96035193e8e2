"""What people write in forms, read as values; and numbers, amounts and strangers' text as people read them."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contractvm.node.explorer import text
from contractvm.node.explorer.fields import arguments, number, value_of
from contractvm.node.explorer.request import Wrong
from sdk.abi import Function, parse_type

A = "0x" + "aB" * 20


@pytest.mark.parametrize(
    ("type_", "written", "value"),
    [
        ("uint256", "1_000", 1000),
        ("uint256", " 1,000 ", 1000),
        ("uint256", "0xFf", 255),
        ("uint256", "1.5 ether", 15 * 10**17),
        ("uint256", "2gwei", 2 * 10**9),
        ("int8", "-3", -3),
        ("bool", "true", True),
        ("address", A, bytes.fromhex("ab" * 20)),
        ("bytes4", "0x01020304", b"\1\2\3\4"),
        ("bytes", "0x", b""),
        ("string", "  as it is ", "  as it is "),
        ("string", "", ""),
        ("uint8[]", "[1, \"2\", 3]", [1, 2, 3]),
        ("uint256[]", "[100000000000000000000000000001]", [10**29 + 1]),
        ("(address,bool)[]", f'[["{A}", true]]', [(bytes.fromhex("ab" * 20), True)]),
        ("string[2]", '["a", "b"]', ["a", "b"]),
    ],
)  # fmt: skip
def test_what_is_written(type_: str, written: str, value: Any) -> None:
    read = value_of(parse_type(type_), written)
    assert read == value and type(read) is type(value)


@pytest.mark.parametrize(
    ("type_", "written", "words"),
    [
        ("uint256", "", "nothing is written"),
        ("uint256", "1.5", "not a whole number"),
        ("uint256", "1e18", "is no number"),
        ("uint256", "1.0000000000000000001 ether", "not a whole number of wei"),
        ("uint256", "9" * 121, "too long"),
        ("uint256", "1 dollar", "is no number"),
        ("bool", "1", "true or false"),
        ("address", "0x12", "20 bytes are wanted, 1 given"),
        ("address", "bob", "even number of hex digits"),
        ("bytes", "0x1", "even number of hex digits"),
        ("bytes4", "0x", "4 bytes are wanted, 0 given"),
        ("uint8[]", "1", "a list in JSON is wanted"),
        ("uint8[]", "[1", "written as JSON"),
        ("uint8[]", "[1.5]", "not a whole number"),
        ("uint8[]", "[true]", "a number is wanted"),
        ("uint8[2]", "[1]", "2 items are wanted"),
        ("(uint8,bool)", "[1]", "2 parts are wanted"),
        ("string[]", "[1]", "a text is wanted"),
        ("uint8[]", "[" * 100_000, "lists inside one another"),
        ("uint8[]", '{"a": 1}', "a list in JSON is wanted"),
        ("uint8[]", "[NaN]", "is no number"),
    ],
)
def test_what_cannot_be_read(type_: str, written: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        value_of(parse_type(type_), written)


def test_an_argument_is_named() -> None:
    function = Function.parse("f(uint8 much, address)")
    with pytest.raises(Wrong, match=r"^much \(uint8\): "):
        arguments(function.inputs, {"0": "x"})
    with pytest.raises(Wrong, match=r"^argument 2 \(address\): nothing"):
        arguments(function.inputs, {"0": "1"})


@given(st.text(max_size=200))
def test_numbers_are_read_or_refused(written: str) -> None:
    try:
        assert isinstance(number(written), int)
    except ValueError as error:
        assert str(error)


@given(st.integers(-(2**255), 2**256))
def test_amounts_are_exact_and_read_again(wei: int) -> None:
    assert number(text.ether(wei) + " ether") == wei
    assert number(text.gwei(wei) + " gwei") == wei
    assert number(text.commas(wei)) == wei


@pytest.mark.parametrize(
    ("wei", "words"),
    [(0, "0"), (1, "<0.000001"), (-1, "-<0.000001"), (10**18, "1"), (1_234_567_890_123_456_789, "1.234567…"),
     (10**22, "10,000"), (10**12, "0.000001"), (10**18 + 1, "1…")],
)  # fmt: skip
def test_amounts_in_lists(wei: int, words: str) -> None:
    assert text.about(wei) == words


@given(st.text())
def test_text_of_strangers_has_nothing_hidden_in_it(given: str) -> None:
    tamed = text.tame(given)
    assert all(c.isprintable() or c in "\n\t" or c.isspace() for c in tamed)
    assert not set(tamed) & set("\0\u202e\u2066\u200b\ufeff\ud800")


def test_times() -> None:
    assert [text.ago(s) for s in (-5, 0, 59, 60, 7_200, 200_000)] == [
        "5 s ahead", "now", "59 s ago", "1 min ago", "2 h ago", "2 d ago",
    ]  # fmt: skip
    assert text.when(0) == "1970-01-01 00:00:00" and text.when(2**63) == f"{2**63} s"


def test_addresses_have_their_checksum() -> None:
    """Source: EIP-55's test cases."""
    for name in ("0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed", "0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359"):
        assert text.checksum(bytes.fromhex(name[2:])) == name
