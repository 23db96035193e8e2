"""`cvm_*`: call trees with names and lines, profiles that add up, storage by field, differences of states, builds."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from contractvm.node import artifacts
from contractvm.node.config import Config
from sdk.abi import Error, Function
from tests.contractvm.node.deployed import ACCOUNTS, Contract, built, send
from tests.contractvm.node.local import Local, RpcError, local

ALICE, BOB = ACCOUNTS[0].address, ACCOUNTS[1].address
TOKEN, C_TOKEN = "token/token.py", "token/token.c"


def know(node: Local, path: str, contract: str | None = None) -> str:
    """Leave a build with the node."""
    return str(node.rpc("cvm_addArtifact", built(path, contract).document()))


@pytest.fixture
def pair(node: Local) -> tuple[Contract, Contract, Contract]:
    """Two tokens and a filled pair of them, all of them known."""
    know(node, TOKEN)
    know(node, "exchange/exchange.py", "Pair")
    tokens = sorted((Contract(node, built(TOKEN), 10**30) for _ in range(2)), key=lambda token: token.address)
    made = Contract(node, built("exchange/exchange.py", "Pair"), tokens[0].address, tokens[1].address)
    for token in tokens:
        token.send("approve(address,uint256)", made.address, 10**30)
    assert made.send("add(uint256,uint256,uint256)", 10**6, 4 * 10**6, 0)["status"] == "0x1"
    return tokens[0], tokens[1], made


def events(frame: dict[str, Any], kind: str) -> list[dict[str, Any]]:
    return [event for event in frame.get("events", ()) if event["kind"] == kind]


def values(document: dict[str, Any], what: str = "arguments") -> dict[str, Any]:
    return {argument["name"]: argument["value"] for argument in document[what]}


def line_of(path: str, text: str) -> int:
    """The line of a contract's source that has this text."""
    source = built(path).path.read_text(encoding="utf-8")
    return next(number for number, line in enumerate(source.splitlines(), 1) if text in line)


def test_the_tree_of_a_swap(node: Local, pair: tuple[Contract, Contract, Contract]) -> None:
    first, second, made = pair
    receipt = made.send("swap(address,uint256,uint256)", first.address, 1000, 0)
    trace = node.rpc("cvm_trace", receipt["transactionHash"])
    assert (trace["status"], trace["followed"], hex(trace["gasUsed"])) == ("ok", True, receipt["gasUsed"])
    top = trace["call"]
    assert (top["contract"], top["function"]) == ("Pair", "swap")
    assert values(top) == {"token": first.hex, "amount": "1000", "least": "0"}
    calls = events(top, "call")
    assert [(call["contract"], call["to"], call["function"]) for call in calls] == [
        ("Token", first.hex, "transferFrom"),
        ("Token", second.hex, "transfer"),
    ]
    assert all(call["returns"][0]["value"] is True for call in calls)
    assert values(calls[0])["value"] == "1000"
    assert "exchange.py" in calls[0]["place"]["file"] and "transfer_from" in calls[0]["place"]["code"]
    [swapped] = events(top, "log")
    assert (swapped["event"], values(swapped)["amountIn"]) == ("Swapped", "1000")
    reserves = [event for event in events(top, "storage") if event["field"].endswith("reserves")]
    assert (reserves[0]["path"], reserves[0]["from"], reserves[0]["to"]) == ([first.hex], "1000000", "1001000")
    assert top["ownGas"] + sum(call["gasUsed"] for call in calls) == top["gasUsed"]


@pytest.mark.parametrize("amount", [10**31])
def test_a_mined_revert_at_depth_has_its_line(
    node: Local, pair: tuple[Contract, Contract, Contract], amount: int
) -> None:
    first, _, made = pair
    receipt = made.send("swap(address,uint256,uint256)", first.address, amount, 0)
    assert receipt["status"] == "0x0" and "ERC20InsufficientAllowance" in receipt["error"]
    trace = node.rpc("cvm_trace", receipt["transactionHash"])
    assert (trace["status"], trace["failure"]["error"]) == ("revert", "ERC20InsufficientAllowance")
    assert values(trace["failure"])["needed"] == str(amount)
    assert [(step["contract"], step["line"]) for step in trace["backtrace"]] == [
        ("Pair", line_of("exchange/exchange.py", "assert token.transfer_from")),
        ("Token", line_of(TOKEN, "raise ERC20InsufficientAllowance")),
    ]
    assert trace["backtrace"][-1]["text"].startswith("token.py:")


def test_custom_errors_are_told_everywhere(node: Local) -> None:
    path = "escrow/escrow.py"
    artifact = built(path)
    assert artifact.interface.errors
    know(node, path)
    known = {Error.parse(text).text for text in node.node.known_errors()}
    assert {Error.parse(text).text for text in artifact.interface.errors} <= known


def test_a_constructor_s_arguments(node: Local) -> None:
    know(node, TOKEN)
    token = Contract(node, built(TOKEN), 10**20)
    top = node.rpc("cvm_trace", token.receipt["transactionHash"])["call"]
    assert (top["type"], top["contract"], values(top)) == ("CREATE", "Token", {"supply": str(10**20)})
    [born] = events(top, "log")
    assert values(born) == {"from": "0x" + "00" * 20, "to": "0x" + ALICE.hex(), "value": str(10**20)}


def test_what_nobody_built_is_told_by_its_bytes(node: Local) -> None:
    token = Contract(node, built(C_TOKEN), 10**20)
    receipt = token.send("transfer(address,uint256)", BOB, 5)
    top = node.rpc("cvm_trace", receipt["transactionHash"])["call"]
    assert top["selector"] == "0xa9059cbb" and "function" not in top and "contract" not in top
    assert all(event["place"]["text"].startswith("function ") for event in top["events"])
    know(node, C_TOKEN)
    top = node.rpc("cvm_trace", receipt["transactionHash"])["call"]
    assert top["function"] == "transfer" and events(top, "log")[0]["event"] == "Transfer"
    payment = send(node, BOB, b"", value=3)
    assert node.rpc("cvm_trace", payment["transactionHash"])["call"]["gasUsed"] == 21_000


def test_a_call_s_tree(node: Local) -> None:
    know(node, TOKEN)
    token = Contract(node, built(TOKEN), 10**20)
    data = "0x" + Function.parse("balanceOf(address)").encode(ALICE).hex()
    trace = node.rpc("cvm_traceCall", {"to": token.hex, "data": data})
    assert trace["call"]["returns"][0]["value"] == str(10**20)
    key = node.rpc("cvm_storage", token.hex, {"field": "balance_of"})["entries"][0]["key"]
    changed = {token.hex: {"stateDiff": {key: "0x07"}}}
    assert (
        node.rpc("cvm_traceCall", {"to": token.hex, "data": data}, None, changed)["call"]["returns"][0]["value"] == "7"
    )


def thousandths(gas: str) -> int:
    whole, _, rest = gas.partition(".")
    return int(whole) * 1000 + int(rest.ljust(3, "0") or 0)


@pytest.mark.parametrize("path", [TOKEN, C_TOKEN])
def test_a_profile_adds_up(node: Local, path: str) -> None:
    know(node, path)
    token = Contract(node, built(path), 10**20)
    for receipt in (
        token.receipt,
        token.send("transfer(address,uint256)", BOB, 5),
        token.send("transfer(address,uint256)", BOB, 10**21),
        token.send("transfer(address,uint256)", BOB, 6, gas=27_000),
        send(node, token.address, b"\1"),
    ):
        profile = node.rpc("cvm_profile", receipt["transactionHash"])
        parts = {name: thousandths(used) for name, used in profile["parts"].items()}
        assert sum(parts.values()) == 1000 * (int(receipt["gasUsed"], 16) + profile["gasRefund"])
        functions = profile["functions"]
        assert sum(thousandths(each["gas"]) for each in functions) == parts["entering"] + parts["running"]
        places = [*profile["lines"], *profile["instructions"]]
        assert sum(thousandths(each["gas"]) for each in places) == parts["running"]
        assert parts["other"] < 1000 or receipt is token.receipt
        whole = max(thousandths(each["gasWithCalls"]) for each in functions)
        assert whole <= parts["entering"] + parts["running"]
        folded = [line.rsplit(" ", 1) for line in profile["folded"].splitlines()]
        assert 0 < sum(int(used) for _, used in folded) * 1000 <= parts["entering"] + parts["running"]


def test_a_profile_across_contracts(node: Local, pair: tuple[Contract, Contract, Contract]) -> None:
    first, _, made = pair
    receipt = made.send("swap(address,uint256,uint256)", first.address, 1000, 0)
    profile = node.rpc("cvm_profile", receipt["transactionHash"])
    assert {each["contract"] for each in profile["functions"]} == {"Pair", "Token"}
    stacks = [line.rsplit(" ", 1)[0].split(";") for line in profile["folded"].splitlines()]
    assert any(stack[0].startswith("Pair.") and stack[-1].startswith("Token.") for stack in stacks)
    costly = {(Path(line["file"]).name, line["line"]) for line in profile["lines"][:8]}
    assert ("token.py", line_of(TOKEN, "self.balance_of[to] += value")) in costly
    assert thousandths(profile["lines"][0]["gas"]) > 4_000_000


def test_storage_by_field(node: Local) -> None:
    token = Contract(node, built(TOKEN), 10**20)
    raw = node.rpc("cvm_storage", token.hex)
    assert raw["contract"] is None and all("field" not in entry for entry in raw["entries"])
    with pytest.raises(RpcError, match="cvm_addArtifact"):
        node.rpc("cvm_storage", token.hex, {"field": "balance_of"})
    know(node, TOKEN)
    token.send("transfer(address,uint256)", BOB, 5)
    token.send("approve(address,uint256)", BOB, 70)
    balances = node.rpc("cvm_storage", token.hex, {"field": "balance_of"})["entries"]
    assert {entry["path"][0]: entry["decoded"] for entry in balances} == {
        "0x" + ALICE.hex(): str(10**20 - 5),
        "0x" + BOB.hex(): "5",
    }
    [allowed] = node.rpc("cvm_storage", token.hex, {"field": "Token.allowance"})["entries"]
    assert (allowed["path"], allowed["decoded"]) == (["0x" + ALICE.hex(), "0x" + BOB.hex()], "70")
    earlier = node.rpc("cvm_storage", token.hex, {"field": "balance_of"}, token.receipt["blockNumber"])
    assert [entry["decoded"] for entry in earlier["entries"]] == [str(10**20)]
    with pytest.raises(RpcError, match=r"no field 'nothing'; there are Token\."):
        node.rpc("cvm_storage", token.hex, {"field": "nothing"})


def test_storage_in_pages(node: Local) -> None:
    token = Contract(node, built(TOKEN), 10**20)
    for number in range(1, 8):
        token.send("transfer(address,uint256)", bytes([number]) * 20, number)
    whole = node.rpc("cvm_storage", token.hex)
    assert whole["next"] is None
    paged: list[Any] = []
    options: dict[str, Any] = {"limit": 3}
    while True:
        page = node.rpc("cvm_storage", token.hex, options)
        assert len(page["entries"]) <= 3
        paged += page["entries"]
        if page["next"] is None:
            break
        options["start"] = page["next"]
    assert paged == whole["entries"]
    keys = [entry["key"] for entry in whole["entries"]]
    part = node.rpc("cvm_storage", token.hex, {"start": keys[2], "end": keys[5]})
    assert [entry["key"] for entry in part["entries"]] == keys[2:5]
    chosen = node.rpc("cvm_storage", token.hex, {"keys": [keys[4], "0xffff"]})
    assert [entry["value"] for entry in chosen["entries"]] == [whole["entries"][4]["value"], "0x"]
    prefixed = node.rpc("cvm_storage", token.hex, {"prefix": keys[0][:6]})["entries"]
    assert [entry["key"] for entry in prefixed] == [key for key in keys if key.startswith(keys[0][:6])]


def whole_state(node: Local, height: int, addresses: list[bytes]) -> dict[Any, Any]:
    """Everything that some accounts have at a height."""
    world = node.node.chain.world(height)
    state: dict[Any, Any] = {}
    for address in addresses:
        state[address, "balance"], state[address, "nonce"] = world.balance(address), world.nonce(address)
        key = world.next_key(address, None, inclusive=True, stop=None)
        while key is not None:
            state[address, key] = world.storage(address, key)
            key = world.next_key(address, key, inclusive=False, stop=None)
    return state


def told_state(diff: dict[str, Any], side: str) -> dict[Any, Any]:
    state: dict[Any, Any] = {}
    for name, account in diff["accounts"].items():
        address = bytes.fromhex(name[2:])
        for what in ("balance", "nonce"):
            if what in account:
                state[address, what] = int(account[what][side])
        for entry in account.get("storage", ()):
            state[address, bytes.fromhex(entry["key"][2:])] = bytes.fromhex(entry[side][2:])
    return state


def check_difference(node: Local, diff: dict[str, Any], low: int, high: int, addresses: list[bytes]) -> None:
    """The difference told is that of the two states."""
    old, new = whole_state(node, low, addresses), whole_state(node, high, addresses)
    changed = {place for place in old.keys() | new.keys() if old.get(place) != new.get(place)}
    before, after = told_state(diff, "before"), told_state(diff, "after")
    assert before.keys() == after.keys() == changed
    for place in changed:
        empty = b"" if isinstance(place[1], bytes) else 0
        assert (before[place], after[place]) == (old.get(place, empty), new.get(place, empty))


def test_differences_are_those_of_the_states(node: Local, pair: tuple[Contract, Contract, Contract]) -> None:
    first, _, made = pair
    addresses = [ALICE, BOB, bytes(20), *(each.address for each in pair)]
    start = int(node.rpc("eth_blockNumber"), 16)
    receipts = [
        made.send("swap(address,uint256,uint256)", first.address, 1000, 0),
        made.send("swap(address,uint256,uint256)", first.address, 10**31, 0),
        made.send("remove(uint256)", 5000),
        first.send("transfer(address,uint256)", BOB, 3),
        first.send("transfer(address,uint256)", ALICE, 3, account=1),
    ]
    for receipt in receipts:
        number = int(receipt["blockNumber"], 16)
        diff = node.rpc("cvm_stateDiff", receipt["transactionHash"])
        check_difference(node, diff, number - 1, number, addresses)
        check_difference(node, node.rpc("cvm_stateDiff", hex(number - 1), hex(number)), number - 1, number, addresses)
    end = int(node.rpc("eth_blockNumber"), 16)
    assert end == start + 5
    whole = node.rpc("cvm_stateDiff", hex(start), hex(end))
    check_difference(node, whole, start, end, addresses)
    changed = whole["accounts"][first.hex]
    assert changed["contract"] == "Token" and any(entry["field"].endswith("balance_of") for entry in changed["storage"])
    assert node.rpc("cvm_stateDiff", hex(end), hex(end)) == {"accounts": {}}
    with pytest.raises(RpcError, match="earlier one first"):
        node.rpc("cvm_stateDiff", hex(end), hex(start))


def test_a_creation_s_difference(node: Local) -> None:
    token = Contract(node, built(TOKEN), 10**20)
    account = node.rpc("cvm_stateDiff", token.receipt["transactionHash"])["accounts"][token.hex]
    assert account["created"] is True
    assert account["codeHash"] == {"before": None, "after": "0x" + token.artifact.hash.hex()}


def test_a_contract(node: Local) -> None:
    token = Contract(node, built(TOKEN), 10**20)
    bare = node.rpc("cvm_contract", token.hex)
    assert (bare["kind"], bare["known"], bare["bytes"]) == ("wasm", False, len(token.artifact.code))
    assert "storage_get" in bare["imports"] and "call" in bare["exports"]
    assert know(node, TOKEN) == bare["codeHash"]
    found = node.rpc("cvm_contract", token.hex)
    assert (found["known"], found["name"], found["mapped"]) == (True, "Token", True)
    assert found["abi"] == token.artifact.interface.to_json()
    assert list(found["sources"]) == ["token.py"] and "class Token" in found["sources"]["token.py"]
    assert node.rpc("cvm_contract", bare["codeHash"])["name"] == "Token"
    assert node.rpc("cvm_contract", "0x" + BOB.hex()) is None
    assert node.rpc("cvm_contract", "0x" + "12" * 32) is None
    assert [build["name"] for build in node.rpc("cvm_artifacts")] == ["Token"]


def test_builds_are_there_after_a_restart(tmp_path: Path) -> None:
    config = Config(data=tmp_path / "chain")
    with local(config) as node:
        know(node, TOKEN)
        know(node, C_TOKEN)
        know(node, TOKEN)
    (tmp_path / "chain" / "artifacts" / ("00" * 32 + ".json")).write_text("{", encoding="utf-8")
    with local(config) as node:
        assert {build["name"] for build in node.rpc("cvm_artifacts")} == {"Token", "token"}
        assert "ERC20InvalidSpender(address spender)" in node.node.known_errors()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"codeHash": None}, "is no data"),
        ({"codeHash": "0x" + "12" * 32}, "debug is of code"),
        ({"abi": [{"type": "function", "name": 7}]}, "abi"),
        ({"abi": 7}, "abi"),
        ({"debug": "0x00"}, "debug"),
        ({"sources": {"a": 1}}, "sources"),
        ({"options": "x"}, "options"),
        ({"layout": {"fields": 7}}, "layout"),
        ({"layout": {"fields": [{"name": "a", "prefix": "0x00"}]}}, "encoding"),
        ({"layout": {"fields": [{"name": "a", "prefix": "0x00", "encoding": {"is": "int", "bits": 7}}]}}, "encoding"),
        ({"name": 7}, "text"),
        ({"sources": {"a": "x" * (7 << 20)}}, "at most"),
    ],
)
def test_what_is_no_build(node: Local, change: dict[str, Any], message: str) -> None:
    with pytest.raises(RpcError, match=message) as caught:
        node.rpc("cvm_addArtifact", {**built(TOKEN).document(), **change})
    assert caught.value.code == -32602


def test_an_array_without_end_is_refused(node: Local) -> None:
    encoding: dict[str, Any] = {"is": "bool"}
    for _ in range(6):
        encoding = {"is": "array", "item": encoding, "length": 1 << 20, "entry": True}
    layout = {"fields": [{"name": "a", "prefix": "0x0000", "encoding": encoding}]}
    with pytest.raises(RpcError, match="over 16384 words"):
        node.rpc("cvm_addArtifact", {**built(TOKEN).document(), "layout": layout})


def test_unknown_hashes_are_errors(node: Local) -> None:
    for method in ("cvm_trace", "cvm_profile", "cvm_stateDiff"):
        with pytest.raises(RpcError, match="transaction not found"):
            node.rpc(method, "0x" + "12" * 32)


def test_builds_that_came_first_go_first(node: Local, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(artifacts, "MOST", 2)
    with local(Config(data=tmp_path / "chain")) as kept:
        for number in range(4):
            kept.rpc("cvm_addArtifact", {"codeHash": "0x" + f"{number:02x}" * 32, "name": f"number {number}"})
        assert [build["name"] for build in kept.rpc("cvm_artifacts")] == ["number 2", "number 3"]
        assert len(list((tmp_path / "chain" / "artifacts").iterdir())) == 2


def test_a_damaged_map_is_an_error_of_its_own(tmp_path: Path) -> None:
    config = Config(data=tmp_path / "chain")
    with local(config) as node:
        know(node, TOKEN)
        digest = Contract(node, built(TOKEN), 10**20).receipt["transactionHash"]
    [file] = (tmp_path / "chain" / "artifacts").iterdir()
    document = json.loads(file.read_text(encoding="utf-8"))
    document["debug"] = document["debug"][:-40] + "00" * 20
    file.write_text(json.dumps(document), encoding="utf-8")
    with local(config) as node:
        with pytest.raises(RpcError, match="source map cannot be read") as caught:
            node.rpc("cvm_trace", digest)
        assert caught.value.code == -32000
        know(node, TOKEN)
        assert node.rpc("cvm_trace", digest)["call"]["contract"] == "Token"


@pytest.mark.parametrize(
    "encoding",
    [
        {"is": "array", "item": {"is": "tuple", "items": []}, "length": 1 << 31, "entry": True},
        {"is": "array", "item": {"is": "bytes", "size": 1 << 16}, "length": 1 << 12, "entry": True},
        {"is": "struct", "members": [{"name": "a", "type": {"is": "list", "item": {"is": "bytes", "size": 65536}}}]},
    ],
)
def test_what_would_take_for_ever_to_decode_is_refused(node: Local, encoding: dict[str, Any]) -> None:
    layout = {"fields": [{"name": "a", "prefix": "0x0000", "encoding": encoding}]}
    with pytest.raises(RpcError, match="over 16384 words"):
        node.rpc("cvm_addArtifact", {**built(TOKEN).document(), "layout": layout})
