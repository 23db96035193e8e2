"""Every ABI type in and out of a compiled contract, compared with `sdk.abi`; and what is not well-formed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import Phase, given, reject, settings
from hypothesis import strategies as st

from sdk.abi import ABIError, decode, encode, encode_packed, parse_type
from sdk.abi_types import Array, Bytes, Reader, Tuple
from sdk.testing import Deployed, MockChain, Reverted, reverts
from tests.sdk.compiler.back.sources import deployed
from tests.sdk.compiler.back.test_storage_values import BYTES20, HEAD, POINT, SHAPE, TEXT, plain

U256 = st.integers(0, 2**256 - 1)
TYPES: dict[str, tuple[str, st.SearchStrategy[Any]]] = {
    **{f"u{bits}": (f"uint{bits}", st.integers(0, 2**bits - 1)) for bits in (8, 24, 64, 72, 128, 136, 256)},
    **{
        f"i{bits}": (f"int{bits}", st.integers(-(2 ** (bits - 1)), 2 ** (bits - 1) - 1))
        for bits in (8, 24, 64, 72, 128, 136, 256)
    },
    "bool": ("bool", st.booleans()),
    "Address": ("address", BYTES20),
    "bytes1": ("bytes1", st.binary(min_size=1, max_size=1)),
    "bytes8": ("bytes8", st.binary(min_size=8, max_size=8)),
    "bytes20": ("bytes20", st.binary(min_size=20, max_size=20)),
    "bytes32": ("bytes32", st.binary(min_size=32, max_size=32)),
    "Bytes": ("bytes", st.binary(max_size=100)),
    "String": ("string", TEXT),
    "Color": ("uint8", st.sampled_from([0, 1, 7])),
    "Point": ("(uint64,int24)", POINT),
    "Shape": ("(string,(uint64,int24)[],uint8,uint256,bytes)", SHAPE),
    "List[u256]": ("uint256[]", st.lists(U256, max_size=4)),
    "List[bool]": ("bool[]", st.lists(st.booleans(), max_size=4)),
    "List[String]": ("string[]", st.lists(TEXT, max_size=4)),
    "List[List[u8]]": ("uint8[][]", st.lists(st.lists(st.integers(0, 255), max_size=3), max_size=3)),
    "List[Shape]": ("(string,(uint64,int24)[],uint8,uint256,bytes)[]", st.lists(SHAPE, max_size=2)),
    "Array[u16, Literal[3]]": ("uint16[3]", st.lists(st.integers(0, 65535), min_size=3, max_size=3)),
    "Array[Bytes, Literal[2]]": ("bytes[2]", st.lists(st.binary(max_size=40), min_size=2, max_size=2)),
    "List[Array[u8, Literal[2]]]": (
        "uint8[2][]",
        st.lists(st.lists(st.integers(0, 255), min_size=2, max_size=2), max_size=3),
    ),
    "Array[List[Address], Literal[2]]": (
        "address[][2]",
        st.lists(st.lists(BYTES20, max_size=2), min_size=2, max_size=2),
    ),
}
SHARED = ("Point", "Shape", "List", "Array")


def copied(type_: str) -> str:
    return ".copy()" if type_.startswith(SHARED) else ""


def source(type_: str) -> str:
    copy = copied(type_)
    return f"""{HEAD}
class Echo(Contract):
    @external
    @view
    def one(self, value: {type_}) -> {type_}:
        return value{copy}

    @external
    @view
    def three(self, text: String, value: {type_}, flag: bool) -> tuple[bool, {type_}, String]:
        return flag, value{copy}, text

    @external
    @view
    def encoded(self, value: {type_}, n: u8) -> Bytes:
        return abi_encode(n, value, "text")

    @external
    @view
    def decoded(self, data: Bytes) -> {type_}:
        n, value, text = abi_decode(data, tuple[u8, {type_}, String])
        return value
"""


@pytest.fixture(scope="module", params=TYPES)
def echo(request: pytest.FixtureRequest) -> tuple[str, Deployed]:
    return request.param, deployed(MockChain(tier="portable"), source(request.param))


def test_values_pass_as_they_are(echo: tuple[str, Deployed]) -> None:
    name, contract = echo
    abi, strategy = TYPES[name]
    types = [parse_type(abi) for abi in ("uint8", abi, "string")]

    @settings(max_examples=12, deadline=None)
    @given(strategy, TEXT, st.booleans(), st.integers(0, 255))
    def tried(value: Any, text: str, flag: bool, n: int) -> None:
        assert plain(contract.one(value)) == value
        assert plain(contract.three(text, value, flag)) == (flag, value, text)
        made = contract.encoded(value, n)
        assert made == encode(types, [n, value, "text"])
        assert plain(contract.decoded(made)) == value

    tried()


def test_the_decoder_takes_what_is_well_formed_and_nothing_else(echo: tuple[str, Deployed]) -> None:
    """Bytes changed anywhere: the contract gives what `sdk.abi` decodes, or reverts where that refuses."""
    name, contract = echo
    abi, strategy = TYPES[name]
    types = [parse_type(abi) for abi in ("uint8", abi, "string")]

    @settings(max_examples=20, deadline=None, phases=[Phase.generate])
    @given(strategy, st.data())
    def tried(value: Any, data: st.DataObject) -> None:
        made = bytearray(encode(types, [3, value, "text"]))
        for _ in range(data.draw(st.integers(1, 2))):
            at = data.draw(st.integers(0, len(made) - 1))
            made[at] = data.draw(st.one_of(st.sampled_from([0, 1, 0x20, 0x40, 0x60, 0xFF]), st.integers(0, 255)))
        cut = data.draw(st.sampled_from([0, 0, 0, 1, 31, 32, 33]))
        given_ = bytes(made[: len(made) - cut])
        fits = well_formed(types, given_)
        try:
            found = plain(contract.decoded(given_))
        except Reverted as error:
            assert not fits or (error.refusal.name == "Panic" and name in ENUMS)
        except ABIError:
            assert fits  # the answer is a text that is not UTF-8, which only people's tools mind
        else:
            assert fits, "the contract took what is not well-formed"
            if "string" not in abi and "bytes" not in abi:
                assert found == plain(decode(types[:2], given_)[1])

    tried()


ENUMS = ("Color", "Shape", "List[Shape]")


@dataclass(frozen=True)
class Loose:
    """Bytes and texts as Solidity's decoder takes them: any content, and any padding."""

    name: str = "bytes"
    head: int = 32
    dynamic: bool = True

    def encode(self, value: Any, at: str) -> bytes:
        raise NotImplementedError

    def decode(self, data: Reader, offset: int, at: str) -> bytes:
        return data.take(offset + 32, data.size(offset, at), at)


def loose(type_: Any) -> Any:
    match type_:
        case Bytes():
            return Loose()
        case Array(item, length):
            return Array(loose(item), length)
        case Tuple(items):
            return Tuple(tuple(map(loose, items)))
    return type_


def well_formed(types: list[Any], data: bytes) -> bool:
    """Whether `sdk.abi` takes it. Where parts overlap it refuses what contracts may take: nothing is said of that."""
    try:
        decode([loose(type_) for type_ in types], data)
    except ABIError as error:
        if "overlap" in str(error):
            reject()
        return False
    return True


PACKED = {
    "u8": "uint8",
    "u24": "uint24",
    "u64": "uint64",
    "u128": "uint128",
    "u256": "uint256",
    "i16": "int16",
    "i72": "int72",
    "bool": "bool",
    "Address": "address",
    "bytes3": "bytes3",
    "bytes32": "bytes32",
    "Bytes": "bytes",
    "String": "string",
    "List[u16]": "uint16[]",
    "Array[bool, Literal[2]]": "bool[2]",
}


def test_packed() -> None:
    parameters = ", ".join(f"p{i}: {type_}" for i, type_ in enumerate(PACKED))
    text = f"""
class Packs(Contract):
    @external
    @view
    def packed(self, {parameters}) -> Bytes:
        return encode_packed({", ".join(f"p{i}" for i in range(len(PACKED)))})
"""
    contract = deployed(MockChain(tier="reference"), text)
    types = [parse_type(abi) for abi in PACKED.values()]
    values: list[Any] = [255, 1, 2**64 - 2, 2**127, 2**255 + 7, -2, -(2**70), True, b"\7" * 20, b"abc", b"\1" * 32]
    values += [b"raw", "text", [1, 2, 65535], [True, False]]
    assert contract.packed(*values) == encode_packed(types, values)
    small: list[Any] = [0, 0, 0, 0, 0, 0, 0, False, bytes(20), bytes(3), bytes(32), b"", "", [], [False, False]]
    assert contract.packed(*small) == encode_packed(types, small)


def test_members_of_enums() -> None:
    contract = deployed(MockChain(tier="reference"), source("Color"))
    assert contract.one(7) == 7
    for value in (2, 6, 8, 255):
        with reverts("Panic", code=0x21):
            contract.one(value)
