"""Functions, events and errors as people write them, and revert data as people read it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sdk.abi import ABIError, Error, Event, Function, explain
from sdk.abi_types import Value, encode


@pytest.mark.parametrize(
    "text",
    [
        "transfer(address,uint256)",
        "transfer(address,uint256)(bool)",
        "transfer(address to, uint256 amount)(bool ok)",
        " transfer ( address , uint ) ( bool ) ",
        "function transfer(address to, uint256 amount) external payable returns (bool)",
        "function transfer(address payable to, uint256 amount) public virtual override returns (bool)",
    ],
)
def test_one_function_in_many_words(text: str) -> None:
    function = Function.parse(text)
    assert function.text == "transfer(address,uint256)"
    assert function.selector.hex() == "a9059cbb"


def test_locations_names_and_tuples() -> None:
    text = (
        "function swap((address from, uint256[] path)[2] memory orders, tuple(bool) calldata x) returns (bytes memory)"
    )
    function = Function.parse(text)
    assert function.text == "swap((address,uint256[])[2],(bool))"
    assert [parameter.name for parameter in function.inputs] == ["orders", "x"]
    assert [parameter.type.name for parameter in function.outputs] == ["bytes"]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("transfer", r"'\(' expected at its end"),
        ("(uint256)", "a name expected"),
        ("f(uint256,)", "a name expected before"),
        ("f(uint256 a b)", "',' expected before 'b'"),
        ("f(uint256) returns", None),
        ("f(uint256) when", "nothing more expected before 'when'"),
        ("f(uint256)(bool)(bool)", "nothing more expected"),
        ("f(uint256); drop table", "unexpected ';' at character 11"),
        ("", "a name expected"),
    ],
)
def test_functions_that_are_none(text: str, reason: str | None) -> None:
    if reason is None:
        assert Function.parse(text).outputs == ()
        return
    with pytest.raises(ABIError, match=reason):
        Function.parse(text)


@given(st.text(max_size=40))
def test_any_text_is_parsed_or_refused(text: str) -> None:
    for parse in (Function.parse, Event.parse, Error.parse):
        try:
            parse(text)
        except ABIError as error:
            assert str(error)


def test_outputs() -> None:
    one, two = Function.parse("f()(uint256)"), Function.parse("f()(uint256,bool)")
    assert Function.parse("f()").decode_output(b"anything") is None
    assert one.decode_output(encode([one.outputs[0].type], [7])) == 7
    assert two.decode_output((7).to_bytes(32, "big") + (1).to_bytes(32, "big")) == (7, True)
    with pytest.raises(ABIError, match="f output"):
        one.decode_output(b"")


def test_input_of_another_function() -> None:
    with pytest.raises(ABIError, match="starts with deadbeef"):
        Function.parse("f(uint256)").decode_input(bytes.fromhex("deadbeef"))


TRANSFER = Event.parse("event Transfer(address indexed from, address indexed to, uint256 value)")


def test_events() -> None:
    assert TRANSFER.hash.hex() == "ddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef"
    a, b = b"\x0a" * 20, b"\x0b" * 20
    topics = [TRANSFER.hash, a.rjust(32, b"\0"), b.rjust(32, b"\0")]
    assert TRANSFER.decode_log(topics, (5).to_bytes(32, "big")) == (a, b, 5)
    for wrong, reason in (([], "another event"), (topics[:2], "3 topics wanted"), ([bytes(32)], "another event")):
        with pytest.raises(ABIError, match=reason):
            TRANSFER.decode_log(wrong, (5).to_bytes(32, "big"))


def test_indexed_dynamic_values_are_their_hash() -> None:
    event = Event.parse("Named(string indexed name, string text)")
    digest = b"\x77" * 32
    assert event.decode_log([event.hash, digest], encode([event.inputs[1].type], ["hi"])) == (digest, "hi")


def test_an_event_has_three_indexed_values_at_most() -> None:
    Event.parse("E(bool indexed a, bool indexed b, bool indexed c, bool d)")
    with pytest.raises(ABIError, match="more than three"):
        Event.parse("E(bool indexed a, bool indexed b, bool indexed c, bool indexed d)")


def error_data(text: str, *values: Value) -> bytes:
    return Error.parse(text).encode(*values)


@pytest.mark.parametrize(
    ("data", "name", "text"),
    [
        (b"", "", "reverted without a reason"),
        (error_data("Error(string)", "no"), "Error", "no"),
        (error_data("Panic(uint256)", 0x12), "Panic", "panic 0x12: division or modulo by zero"),
        (error_data("Panic(uint256)", 0x99), "Panic", "panic 0x99: unknown code"),
        (error_data("Insufficient(uint256,uint256)", 1, 2), "Insufficient", "Insufficient(1, 2)"),
        (error_data("Nobody(address,bool)", b"\1" * 20, True), "Nobody", f"Nobody(0x{'01' * 20}, true)"),
        (
            error_data("ERC20InvalidReceiver(address)", bytes(20)),
            "ERC20InvalidReceiver",
            f"ERC20InvalidReceiver(0x{'00' * 20})",
        ),
        (b"\xde\xad\xbe\xef", "", "reverted with 0xdeadbeef"),
        (b"\x08\xc3", "", "reverted with 0x08c3"),
        (error_data("Error(string)", "no")[:40], "", None),
        (b"\xff" * 200, "", f"reverted with 0x{'ff' * 100}..."),
    ],
)
def test_reasons(data: bytes, name: str, text: str | None) -> None:
    refusal = explain(data, ["Insufficient(uint256 have, uint256 want)", "error Nobody(address who, bool known)"])
    assert refusal.name == name
    assert refusal.text == text or (text is None and refusal.text.startswith("reverted with 0x08c379a0"))


@given(st.binary(max_size=200))
def test_no_revert_data_is_too_strange(data: bytes) -> None:
    assert explain(b"\x08\xc3\x79\xa0" + data).text
    assert explain(data).text
