"""The ABI against the specification's own examples, against itself on random types, and against hostile data."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sdk.abi import ABIError, Function, decode, encode, parse_type, parse_types
from sdk.abi_types import NESTING, AddressType, Bytes, Type, Value
from tests.sdk.abi_values import TYPES, values_of


def words(text: str) -> bytes:
    """Hex digits with any white space."""
    return bytes.fromhex("".join(text.split()))


# Solidity, "Contract ABI Specification", sections "Examples" and "Use of Dynamic Types".
SPECIFICATION = [
    (
        "baz(uint32,bool)",
        (69, True),
        """cdcd77c0
        0000000000000000000000000000000000000000000000000000000000000045
        0000000000000000000000000000000000000000000000000000000000000001""",
    ),
    (
        "bar(bytes3[2])",
        ([b"abc", b"def"],),
        """fce353f6
        6162630000000000000000000000000000000000000000000000000000000000
        6465660000000000000000000000000000000000000000000000000000000000""",
    ),
    (
        "sam(bytes,bool,uint256[])",
        (b"dave", True, [1, 2, 3]),
        """a5643bf2
        0000000000000000000000000000000000000000000000000000000000000060
        0000000000000000000000000000000000000000000000000000000000000001
        00000000000000000000000000000000000000000000000000000000000000a0
        0000000000000000000000000000000000000000000000000000000000000004
        6461766500000000000000000000000000000000000000000000000000000000
        0000000000000000000000000000000000000000000000000000000000000003
        0000000000000000000000000000000000000000000000000000000000000001
        0000000000000000000000000000000000000000000000000000000000000002
        0000000000000000000000000000000000000000000000000000000000000003""",
    ),
    (
        "f(uint256,uint32[],bytes10,bytes)",
        (0x123, [0x456, 0x789], b"1234567890", b"Hello, world!"),
        """8be65246
        0000000000000000000000000000000000000000000000000000000000000123
        0000000000000000000000000000000000000000000000000000000000000080
        3132333435363738393000000000000000000000000000000000000000000000
        00000000000000000000000000000000000000000000000000000000000000e0
        0000000000000000000000000000000000000000000000000000000000000002
        0000000000000000000000000000000000000000000000000000000000000456
        0000000000000000000000000000000000000000000000000000000000000789
        000000000000000000000000000000000000000000000000000000000000000d
        48656c6c6f2c20776f726c642100000000000000000000000000000000000000""",
    ),
    (
        "g(uint256[][],string[])",
        ([[1, 2], [3]], ["one", "two", "three"]),
        """2289b18c
        0000000000000000000000000000000000000000000000000000000000000040
        0000000000000000000000000000000000000000000000000000000000000140
        0000000000000000000000000000000000000000000000000000000000000002
        0000000000000000000000000000000000000000000000000000000000000040
        00000000000000000000000000000000000000000000000000000000000000a0
        0000000000000000000000000000000000000000000000000000000000000002
        0000000000000000000000000000000000000000000000000000000000000001
        0000000000000000000000000000000000000000000000000000000000000002
        0000000000000000000000000000000000000000000000000000000000000001
        0000000000000000000000000000000000000000000000000000000000000003
        0000000000000000000000000000000000000000000000000000000000000003
        0000000000000000000000000000000000000000000000000000000000000060
        00000000000000000000000000000000000000000000000000000000000000a0
        00000000000000000000000000000000000000000000000000000000000000e0
        0000000000000000000000000000000000000000000000000000000000000003
        6f6e650000000000000000000000000000000000000000000000000000000000
        0000000000000000000000000000000000000000000000000000000000000003
        74776f0000000000000000000000000000000000000000000000000000000000
        0000000000000000000000000000000000000000000000000000000000000005
        7468726565000000000000000000000000000000000000000000000000000000""",
    ),
]


@pytest.mark.parametrize(("signature", "values", "data"), SPECIFICATION, ids=[case[0] for case in SPECIFICATION])
def test_the_specifications_examples(signature: str, values: tuple[Value, ...], data: str) -> None:
    function = Function.parse(signature)
    assert function.encode(*values) == words(data)
    assert function.decode_input(words(data)) == values


@given(st.data())
@settings(max_examples=300, deadline=None)
def test_round_trip_of_any_type(data: st.DataObject) -> None:
    types = data.draw(st.lists(TYPES, max_size=3))
    values = tuple(data.draw(values_of(type_)) for type_ in types)
    encoded = encode(types, values)
    assert len(encoded) % 32 == 0
    assert decode(types, encoded) == values
    assert decode(types, encoded + b"more") == values
    for type_ in types:
        assert parse_type(type_.name) == type_
    for cut in {0, len(encoded) // 2} if encoded else ():
        with pytest.raises(ABIError):
            decode(types, encoded[:cut])


@given(TYPES, st.binary(max_size=600))
@settings(max_examples=300, deadline=None)
def test_hostile_data_is_refused_or_read(type_: Type, data: bytes) -> None:
    try:
        values = decode([type_], data)
    except ABIError:
        return
    assert decode([type_], encode([type_], values)) == values


@given(st.lists(st.sampled_from([0, 1, 2, 3, 31, 32, 33, 64, 96, 2**64, 2**255, 2**256 - 1]), max_size=40), TYPES)
@settings(max_examples=300, deadline=None)
def test_hostile_offsets_are_refused_or_read(numbers: list[int], type_: Type) -> None:
    data = b"".join(number.to_bytes(32, "big") for number in numbers)
    try:
        decode([type_], data)
    except ABIError as error:
        assert str(error).startswith("value")


def test_offsets_that_all_point_to_the_same_data_end_soon() -> None:
    # Each level holds 30 offsets to the next: 30 ** 8 items, if one went to look at all of them.
    level = (30).to_bytes(32, "big") + (30 * 32).to_bytes(32, "big") * 30
    data = (32).to_bytes(32, "big") + level * 8
    with pytest.raises(ABIError, match="overlap"):
        decode([parse_type("uint256[][][][][][][][]")], data)


@pytest.mark.parametrize(
    ("type_", "word", "reason"),
    [
        ("bool", 2, "is no bool"),
        ("uint8", 256, "is no uint8"),
        ("int8", 128, "is no int8"),
        ("int8", 2**256 - 129, "is no int8"),
        ("address", 1 << 160, "must be zero"),
        ("bytes31", 1, "must be zero"),
        ("bytes", 2**256 - 1, "more than"),
        ("uint256[1000000]", 0, "do not fit"),
    ],
)
def test_words_out_of_range(type_: str, word: int, reason: str) -> None:
    with pytest.raises(ABIError, match=reason):
        decode([parse_type(type_)], word.to_bytes(32, "big"))


def test_padding_must_be_zero() -> None:
    data = encode([Bytes(False)], [b"abc"])
    assert decode([Bytes(False)], data) == (b"abc",)
    with pytest.raises(ABIError, match="padding"):
        decode([Bytes(False)], data[:-1] + b"\1")


@pytest.mark.parametrize(
    ("type_", "value", "reason"),
    [
        ("uint8", 256, "does not fit uint8"),
        ("uint8", -1, "does not fit uint8"),
        ("int8", -129, "does not fit int8"),
        ("uint256", 1.0, "takes an int, not float"),
        ("uint256", True, "takes an int, not bool"),
        ("bool", 1, "takes True or False"),
        ("address", b"\0" * 19, "20 bytes, not 19"),
        ("address", "vitalik.eth", "hex digits"),
        ("bytes4", b"abc", "4 bytes, not 3"),
        ("bytes", "text", "hex digits"),
        ("bytes", "0xabc", "hex digits"),
        ("string", b"bytes", "takes a str"),
        ("uint8[2]", [1], "takes 2 items, not 1"),
        ("uint8[]", 5, "takes a list"),
        ("(uint8,bool)", (1,), "takes 2 values, not 1"),
        ("(uint8[],bool)", ([1, 999], True), r"argument\[0\]\[0\]\[1\]: 999 does not fit"),
    ],
)
def test_values_that_do_not_fit(type_: str, value: Value, reason: str) -> None:
    with pytest.raises(ABIError, match=reason):
        encode([parse_type(type_)], [value])


def test_wrong_number_of_arguments_names_what_is_wanted() -> None:
    with pytest.raises(ABIError, match=r"2 wanted \(address, uint256\), 1 given"):
        Function.parse("transfer(address,uint256)").encode(bytes(20))


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("uint7", "no ABI type 'uint7'"),
        ("uint264", "no ABI type"),
        ("bytes33", "no ABI type"),
        ("bytes0", "no ABI type"),
        ("float", "no ABI type"),
        ("uint256[0]", "1 to 999999999"),
        ("uint256[9999999999]", "1 to 999999999"),
        ("uint256[" + "9" * 5000 + "]", "1 to 999999999"),
        ("uint256[", "unexpected '\\['"),
        ("()[]", "empty tuples"),
        ("(uint256", "expected at its end"),
        ("uint256)", "nothing more expected"),
        ("", "a name expected"),
        ("(" * (NESTING + 2) + ")" * (NESTING + 2), "inside one another"),
        ("uint8" + "[]" * (NESTING + 1), "inside one another"),
    ],
)
def test_types_that_are_none(text: str, reason: str) -> None:
    with pytest.raises(ABIError, match=reason):
        parse_type(text)


def test_addresses_come_in_several_forms() -> None:
    class Holder:
        address = b"\x11" * 20

    forms: list[Value] = [b"\x11" * 20, "0x" + "11" * 20, "0X" + "11" * 20, bytearray(b"\x11" * 20), Holder()]
    assert {encode([AddressType()], [form]) for form in forms} == {bytes(12) + b"\x11" * 20}


def test_a_string_that_is_not_utf_8_survives() -> None:
    data = encode([Bytes(False)], [b"\xff\xfe"])
    (text,) = decode([Bytes(True)], data)
    assert encode([Bytes(True)], [text]) == data


def test_lists_of_types() -> None:
    names = [[type_.name for type_ in parse_types(text)] for text in ("constructor(uint256 x)", "(address, (bool)[2])")]
    assert names == [["uint256"], ["address", "(bool)[2]"]]
