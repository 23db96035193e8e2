"""JSON ABIs: Solidity's own example, every kind of entry there and back, and entries that are none."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sdk.abi import ABIError, Constructor, Event, Function
from sdk.abi_text import LOCATIONS
from sdk.interface import Interface
from tests.sdk.abi_values import elementary_types

RESERVED = {*LOCATIONS, "indexed"}
"""Words that cannot be a parameter's name."""

# Solidity, "Contract ABI Specification", sections "JSON" and "Handling tuple types".
SPECIFICATION = [
    {
        "type": "error",
        "inputs": [{"name": "available", "type": "uint256"}, {"name": "required", "type": "uint256"}],
        "name": "InsufficientBalance",
    },
    {
        "type": "event",
        "inputs": [
            {"name": "a", "type": "uint256", "indexed": True},
            {"name": "b", "type": "bytes32", "indexed": False},
        ],
        "name": "Event",
    },
    {"type": "function", "inputs": [{"name": "a", "type": "uint256"}], "name": "foo", "outputs": []},
    {
        "name": "f",
        "type": "function",
        "inputs": [
            {
                "name": "s",
                "type": "tuple",
                "components": [
                    {"name": "a", "type": "uint256"},
                    {"name": "b", "type": "uint256[]"},
                    {
                        "name": "c",
                        "type": "tuple[]",
                        "components": [{"name": "x", "type": "uint256"}, {"name": "y", "type": "uint256"}],
                    },
                ],
            },
            {
                "name": "t",
                "type": "tuple",
                "components": [{"name": "x", "type": "uint256"}, {"name": "y", "type": "uint256"}],
            },
            {"name": "a", "type": "uint256"},
        ],
        "outputs": [],
    },
]

DECLARED = (
    "constructor(uint256 supply) payable",
    "f(struct Point(int64 x, int64 y)[2][] ps, (uint8, bytes a) q) payable returns (bool ok, string)",
    "total() view returns (uint256)",
    "pi() pure returns (uint256 value)",
    "set(address who)",
    "event Moved(struct Point(int64 x, int64 y) indexed from, address[] to)",
    "event Silent(uint256 indexed a, uint256 indexed b, uint256 indexed c, uint256 indexed d) anonymous",
    "error Bad(address who)",
    "fallback() payable",
    "receive() payable",
)


def test_the_specifications_example() -> None:
    read = Interface.from_json(SPECIFICATION)
    assert [Function.parse(text).text for text in read.functions] == [
        "foo(uint256)",
        "f((uint256,uint256[],(uint256,uint256)[]),(uint256,uint256),uint256)",
    ]
    assert read.errors == ("InsufficientBalance(uint256 available, uint256 required)",)
    assert Event.parse(read.events[0]).text == "Event(uint256,bytes32)"
    assert [p.name for p in Function.parse(read.functions[1]).inputs[0].components] == ["a", "b", "c"]


def test_every_kind_goes_there_and_back() -> None:
    interface = Interface().extended(DECLARED)
    entries = interface.to_json()
    kinds = ["constructor", *["function"] * 4, *["event"] * 2, "error", "fallback", "receive"]
    assert [entry["type"] for entry in entries] == kinds
    again = Interface.from_json(entries)
    assert again.to_json() == entries
    assert (again.functions, again.constructor) == (interface.functions, interface.constructor)
    assert Interface.from_json({"abi": entries, "bytecode": "0x"}) == again
    assert Interface().extended(interface.declarations) == interface
    assert Interface().extended(again.declarations).to_json() == entries


def test_structs_and_arrays_keep_their_names() -> None:
    (entry,) = Interface().extended([DECLARED[1]]).to_json()
    points, pair = entry["inputs"]
    assert (points["type"], points["internalType"], points["name"]) == ("tuple[2][]", "struct Point[2][]", "ps")
    assert [part["name"] for part in points["components"]] == ["x", "y"]
    assert (pair["type"], [part["name"] for part in pair["components"]]) == ("tuple", ["", "a"])
    assert entry["stateMutability"] == "payable"
    assert [output["type"] for output in entry["outputs"]] == ["bool", "string"]


def test_a_namespace_of_a_struct_is_left_out() -> None:
    entry = {
        "type": "function",
        "name": "f",
        "stateMutability": "view",
        "inputs": [
            {
                "name": "p",
                "type": "tuple[]",
                "internalType": "struct Shapes.Point[]",
                "components": [{"name": "x", "type": "int8", "internalType": "int8"}],
            }
        ],
    }
    assert Interface.from_json([entry]).functions == ("f(struct Point(int8 x)[] p) view",)


def test_solidity_before_0_6_said_it_by_flags() -> None:
    def declared(**flags: bool) -> str:
        return Interface.from_json([{"type": "function", "name": "f", "inputs": [], **flags}]).functions[0]

    assert declared(constant=True, payable=False) == "f() view"
    assert declared(constant=False, payable=True) == "f() payable"
    assert declared() == "f()"


@pytest.mark.parametrize(
    ("entries", "reason"),
    [
        ("[]", "a list of objects, not str"),
        ({}, "under 'abi'"),
        ([5], "ABI entry 0: an object expected"),
        ([{"type": "function"}], "ABI entry 0: a function has a name"),
        ([{"type": "modifier", "name": "m"}], "no kind of entry is called 'modifier'"),
        ([{"type": "function", "name": "f", "inputs": 3}], r"entry 0 \(function f\): a list of parameters expected"),
        ([{"type": "function", "name": "f", "inputs": [{"name": "x"}]}], "parameter 0: an object with a type"),
        ([{"type": "function", "name": "f", "inputs": [{"type": "uint7"}]}], "parameter 0: no ABI type 'uint7'"),
        ([{"type": "function", "name": "f", "inputs": [{"type": "tuple"}]}], "a tuple has components"),
        ([{"type": "function", "name": "f", "inputs": [{"type": "bool", "name": 5}]}], "a name is text"),
        ([{"type": "function", "name": "f", "inputs": [{"type": "bool", "name": "a b"}]}], "parameter 0: "),
        ([{"type": "function", "name": "f", "inputs": [{"type": "bool", "name": "memory"}]}], "cannot be a parameter"),
        ([{"type": "function", "name": "f", "stateMutability": "wild"}], "stateMutability is one of pure, view"),
        ([{"type": "constructor"}, {"type": "constructor"}], "2 entries of the kind 'constructor'"),
        (
            [{"type": "event", "name": "E", "inputs": [{"type": "bool", "indexed": True}] * 4}],
            "more than three indexed",
        ),
    ],
)
def test_entries_that_are_none(entries: object, reason: str) -> None:
    with pytest.raises(ABIError, match=reason):
        Interface.from_json(entries)


def test_hostile_nesting_ends() -> None:
    entry: dict[str, object] = {"type": "bool"}
    for _ in range(500):
        entry = {"type": "tuple", "components": [entry]}
    with pytest.raises(ABIError, match="inside one another"):
        Interface.from_json([{"type": "function", "name": "f", "inputs": [entry]}])


def test_constructors_encode_what_follows_the_code() -> None:
    declared = Constructor.parse("constructor(uint256 supply, bool open) payable")
    assert declared.payable
    assert declared.encode(5, True) == (5).to_bytes(32, "big") + (1).to_bytes(32, "big")
    with pytest.raises(ABIError, match=r"constructor arguments: 2 wanted \(uint256, bool\), 1 given"):
        declared.encode(5)
    with pytest.raises(ABIError, match="only one of pure, view"):
        Function.parse("f() view payable")


def test_logs_there_and_back() -> None:
    moved = Event.parse("Moved(address indexed who, string indexed where, uint256 amount, string why)")
    topics, data = moved.encode_log(bytes(20), "here", 7, "because")
    assert topics[0] == moved.hash
    assert moved.decode_log(topics, data) == (bytes(20), topics[2], 7, "because")
    silent = Event.parse("Silent(uint8 indexed a, uint8 b) anonymous")
    assert silent.encode_log(1, 2) == (((1).to_bytes(32, "big"),), (2).to_bytes(32, "big"))
    assert silent.decode_log(*silent.encode_log(1, 2)) == (1, 2)


def test_indexed_composites_are_hashed_in_place() -> None:
    from contractvm.crypto import keccak256

    event = Event.parse("E(uint16[] indexed a, (uint8 x, string s) indexed b, bytes indexed c)")
    topics, data = event.encode_log([1, 2], (3, "ab"), b"raw")
    word = [number.to_bytes(32, "big") for number in (1, 2, 3)]
    assert topics[1:] == (
        keccak256(word[0] + word[1]),
        keccak256(word[2] + b"ab".ljust(32, b"\0")),
        keccak256(b"raw"),
    )
    assert data == b""


NAMES = st.from_regex(r"[a-z][a-zA-Z0-9]{0,5}", fullmatch=True).filter(lambda name: name not in RESERVED)


@st.composite
def parameters(draw: st.DrawFn, depth: int = 0) -> str:
    """A list of parameters as text: named and nameless, structs, arrays of them."""
    items = []
    for _ in range(draw(st.integers(0 if depth == 0 else 1, 3))):
        if depth < 2 and draw(st.booleans()):
            start = draw(st.sampled_from(["", "struct Point "]))
            type_ = f"{start.strip()}{draw(parameters(depth + 1))}"
        else:
            type_ = draw(elementary_types()).name
        brackets = "".join(draw(st.lists(st.sampled_from(["[]", "[3]"]), max_size=2)))
        items.append(" ".join(filter(None, [type_ + brackets, draw(st.just("") | NAMES)])))
    return f"({', '.join(items)})"


@given(parameters(), parameters(), st.sampled_from(["", " view", " pure", " payable"]))
@settings(max_examples=400, deadline=None)
def test_any_function_goes_there_and_back(inputs: str, outputs: str, word: str) -> None:
    text = f"f{inputs}{word}{'' if outputs == '()' else f' returns {outputs}'}"
    interface = Interface().extended([text])
    function = Function.parse(text)
    assert function.declaration == text
    entries = json.loads(json.dumps(interface.to_json()))
    assert Interface.from_json(entries).functions == (text,)
    assert Function.parse(f"f({','.join(type_.name for type_ in function.types)})").selector == function.selector
