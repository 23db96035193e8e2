"""What a contract declares, as text and JSON ABI."""

from __future__ import annotations

from sdk.compiler.interface import interface
from tests.sdk.compiler.back.sources import program_of

SOURCE = """
class Point(Struct):
    x_pos: u64
    inner: Array[bool, Literal[2]]

class Done(Event):
    by_whom: Indexed[Address]
    points: List[Point]

class Quiet(Event, anonymous=True):
    n: u8

class Failed(Error):
    why_not: String

class Kinds(Contract):
    owner: Public[Map[Address, Map[u8, i24]]]

    @payable
    def __init__(self, start_at: u256) -> None:
        pass

    @external
    def do_it(self, points: List[Point], from_: bytes4 = bytes4.fromhex("00000000")) -> Point:
        emit(Done(msg.sender, points))
        emit(Quiet(1))
        if len(points) == 0:
            raise Failed("empty")
        return points[0].copy()

    @external
    @view
    def two(self) -> tuple[u8, String]:
        return 1, "two"

    @external
    @payable
    def pay(self) -> None:
        pass

    @payable
    def receive(self) -> None:
        pass

    def fallback(self) -> None:
        pass
"""


def test_declarations() -> None:
    made = interface(program_of(SOURCE))
    point = "struct Point(uint64 xPos, bool[2] inner)"
    assert sorted(made.functions) == [
        f"doIt({point}[] points) returns ({point})",
        f"doIt({point}[] points, bytes4 from) returns ({point})",
        "owner(address, uint8) view returns (int24)",
        "pay() payable",
        "two() pure returns (uint8, string)",
    ]
    assert sorted(made.events) == [
        f"event Done(address indexed byWhom, {point}[] points)",
        "event Quiet(uint8 n) anonymous",
    ]
    assert made.errors == ("error Failed(string whyNot)",)
    assert made.constructor == "constructor(uint256 startAt) payable"
    assert (made.fallback, made.receive) == ("fallback()", "receive() payable")


def test_json() -> None:
    entries = {(entry["type"], entry.get("name", "")): entry for entry in interface(program_of(SOURCE)).to_json()}
    assert entries["constructor", ""]["inputs"][0]["name"] == "startAt"
    assert entries["function", "two"]["stateMutability"] == "pure"
    output = entries["function", "doIt"]["outputs"][0]
    assert (output["type"], output["internalType"]) == ("tuple", "struct Point")
    assert [part["name"] for part in output["components"]] == ["xPos", "inner"]
    assert entries["event", "Quiet"]["anonymous"] is True
    assert entries["event", "Done"]["inputs"][0]["indexed"] is True
    assert entries["receive", ""]["stateMutability"] == "payable"
