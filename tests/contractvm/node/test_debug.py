"""`debug_trace*` on contracts in Python and C: gas as receipts say, frames in each other, states that differ."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest

from contractvm.node.config import Config, Limits
from sdk.abi import Function
from tests.contractvm.node.deployed import ACCOUNTS, Contract, built, send
from tests.contractvm.node.local import Local, RpcError, local

ALICE, BOB = ACCOUNTS[0].address, ACCOUNTS[1].address


def exchange(node: Local) -> tuple[Contract, Contract, Contract]:
    """Two tokens and a filled pair of them."""
    tokens = [Contract(node, built("token/token.py"), 10**30) for _ in range(2)]
    first, second = sorted(tokens, key=lambda token: token.address)
    pair = Contract(node, built("exchange/exchange.py", "Pair"), first.address, second.address)
    for token in (first, second):
        assert token.send("approve(address,uint256)", pair.address, 10**30)["status"] == "0x1"
    assert pair.send("add(uint256,uint256,uint256)", 10**6, 4 * 10**6, 0)["status"] == "0x1"
    return first, second, pair


def every_frame(frame: dict[str, Any]) -> list[dict[str, Any]]:
    return [frame, *(inner for call in frame.get("calls", ()) for inner in every_frame(call))]


@pytest.mark.parametrize("path", ["token/token.py", "token/token.c"])
def test_gas_of_every_trace_is_the_receipt_s(node: Local, path: str) -> None:
    token = Contract(node, built(path), 10**20)
    receipts = [
        token.receipt,
        token.send("transfer(address,uint256)", BOB, 7),
        token.send("approve(address,uint256)", BOB, 100),
        token.send("transferFrom(address,address,uint256)", ALICE, BOB, 40, account=1),
        token.send("transferFrom(address,address,uint256)", ALICE, BOB, 400, account=1),
        token.send("transfer(address,uint256)", BOB, 10**21),
        token.send("transfer(address,uint256)", BOB, 1, gas=25_000),
        token.send("transfer(address,uint256)", ALICE, 47, account=1),
        send(node, BOB, b"", value=5),
        send(node, token.address, b"\1\2\3\4"),
    ]
    assert {receipt["status"] for receipt in receipts} == {"0x0", "0x1"}
    for receipt in receipts:
        digest = receipt["transactionHash"]
        steps = node.rpc("debug_traceTransaction", digest)
        frames = node.rpc("debug_traceTransaction", digest, {"tracer": "callTracer"})
        assert hex(steps["gas"]) == frames["gasUsed"] == receipt["gasUsed"]
        assert steps["failed"] == ("error" in frames) == (receipt["status"] == "0x0")
        assert "truncated" not in steps


def test_steps_add_up_to_what_was_used(node: Local) -> None:
    token = Contract(node, built("token/token.py"), 10**20)
    receipt = token.send("transfer(address,uint256)", BOB, 7)
    trace = node.rpc("debug_traceTransaction", receipt["transactionHash"])
    steps = trace["structLogs"]
    assert {"pc", "op", "gas", "gasCost", "depth", "stack", "function"} <= steps[0].keys()
    assert all(before["gas"] - before["gasCost"] == after["gas"] for before, after in pairwise(steps))
    assert steps[0]["gas"] - (steps[-1]["gas"] - steps[-1]["gasCost"]) <= trace["gas"]
    written = [step for step in steps if step.get("storage") and step["gasCost"] >= 2_900]
    assert written and all(step["op"] == "call" for step in written)
    bare = node.rpc(
        "debug_traceTransaction", receipt["transactionHash"], {"disableStack": True, "disableStorage": True}
    )
    assert not any("stack" in step or "storage" in step for step in bare["structLogs"])
    assert len(bare["structLogs"]) == len(steps)


def test_nested_calls_are_deeper_steps(node: Local) -> None:
    first, _, pair = exchange(node)
    receipt = pair.send("swap(address,uint256,uint256)", first.address, 1000, 0)
    steps = node.rpc("debug_traceTransaction", receipt["transactionHash"])["structLogs"]
    assert {step["depth"] for step in steps} == {1, 2}
    outer = [step for step in steps if step["depth"] == 1]
    assert all(before["gas"] - before["gasCost"] == after["gas"] for before, after in pairwise(outer))


def test_a_long_trace_is_cut_and_says_so() -> None:
    with local(Config(limits=Limits(trace_steps=500))) as node:
        token = Contract(node, built("token/token.py"), 10**20)
        receipt = token.send("transfer(address,uint256)", BOB, 7)
        trace = node.rpc("debug_traceTransaction", receipt["transactionHash"])
        assert len(trace["structLogs"]) == 500 and trace["truncated"] is True
        assert hex(trace["gas"]) == receipt["gasUsed"] and trace["failed"] is False
        assert int(trace["returnValue"], 16) == 1
        few = node.rpc("debug_traceTransaction", receipt["transactionHash"], {"limit": 3})
        assert len(few["structLogs"]) == 3
        block = node.rpc("debug_traceBlockByNumber", receipt["blockNumber"])
        assert len(block[0]["result"]["structLogs"]) == 500


def test_frames_of_a_swap(node: Local) -> None:
    first, second, pair = exchange(node)
    receipt = pair.send("swap(address,uint256,uint256)", first.address, 1000, 0)
    options = {"tracer": "callTracer", "tracerConfig": {"withLog": True}}
    top = node.rpc("debug_traceTransaction", receipt["transactionHash"], options)
    assert (top["type"], top["from"], top["to"]) == ("CALL", "0x" + ALICE.hex(), pair.hex)
    assert [(call["type"], call["to"]) for call in top["calls"]] == [("CALL", first.hex), ("CALL", second.hex)]
    assert [call["input"][:10] for call in top["calls"]] == ["0x23b872dd", "0xa9059cbb"]
    assert all(int(call["output"], 16) == 1 for call in top["calls"])
    logs = sorted((log for frame in every_frame(top) for log in frame.get("logs", ())), key=lambda log: log["index"])
    assert [(log["address"], log["topics"], log["data"]) for log in logs] == [
        (log["address"], log["topics"], log["data"]) for log in receipt["logs"]
    ]
    assert top["logs"][0]["position"] == "0x2"
    only = node.rpc(
        "debug_traceTransaction",
        receipt["transactionHash"],
        {"tracer": "callTracer", "tracerConfig": {"onlyTopCall": True}},
    )
    assert "calls" not in only and only["gasUsed"] == top["gasUsed"]


def test_a_revert_at_depth(node: Local) -> None:
    first, _, pair = exchange(node)
    receipt = pair.send("swap(address,uint256,uint256)", first.address, 10**31, 0)
    assert receipt["status"] == "0x0"
    options = {"tracer": "callTracer", "tracerConfig": {"withLog": True}}
    top = node.rpc("debug_traceTransaction", receipt["transactionHash"], options)
    inner = top["calls"][0]
    assert top["error"] == inner["error"] == "execution reverted"
    assert "ERC20InsufficientAllowance" in inner["revertReason"]
    assert not any("logs" in frame for frame in every_frame(top))


def test_a_creation(node: Local) -> None:
    token = Contract(node, built("token/token.py"), 10**20)
    top = node.rpc("debug_traceTransaction", token.receipt["transactionHash"], {"tracer": "callTracer"})
    assert (top["type"], top["to"]) == ("CREATE", token.hex)
    assert bytes.fromhex(top["output"][2:]) == token.artifact.code
    assert top["input"].startswith("0x" + token.artifact.code.hex())
    assert node.rpc("debug_traceTransaction", token.receipt["transactionHash"])["returnValue"] == top["output"]


def test_a_contract_makes_a_contract(node: Local) -> None:
    factory = Contract(node, built("exchange/exchange.py", "Factory"))
    low, high = sorted([ALICE, BOB])
    receipt = factory.send("make(address,address)", low, high)
    assert receipt["status"] == "0x1"
    top = node.rpc("debug_traceTransaction", receipt["transactionHash"], {"tracer": "callTracer"})
    [made] = top["calls"]
    assert made["type"] == "CREATE2" and made["to"] == "0x" + top["output"][-40:]
    assert made["output"] == node.rpc("eth_getCode", made["to"])


def test_later_transactions_of_a_block_stand_on_earlier_ones() -> None:
    with local(Config(mining=False)) as node:
        payees = [bytes([n]) * 20 for n in range(1, 4)]
        from contractvm.transaction import Transaction

        digests = []
        for nonce, payee in enumerate(payees):
            tx = Transaction(nonce=nonce, max_fee=10**10, gas_limit=21_000, to=payee, value=9, chain_id=31_337)  # type: ignore[arg-type]
            digests.append(node.rpc("eth_sendRawTransaction", "0x" + tx.sign(ACCOUNTS[0].secret).encode().hex()))
        with pytest.raises(RpcError, match="waits in the pool"):
            node.rpc("debug_traceTransaction", digests[0])
        node.on_loop(node.node.miner.mine())
        traces = node.rpc("debug_traceBlockByNumber", "latest", {"tracer": "prestateTracer"})
        assert [trace["txHash"] for trace in traces] == digests
        sender = "0x" + ALICE.hex()
        assert [trace["result"][sender].get("nonce", 0) for trace in traces] == [0, 1, 2]
        header = node.rpc("eth_getBlockByNumber", "latest")["hash"]
        assert node.rpc("debug_traceBlockByHash", header, {"tracer": "prestateTracer"}) == traces
        last = node.rpc("debug_traceTransaction", digests[2], {"tracer": "prestateTracer"})
        assert last == traces[2]["result"]


def test_the_state_before_and_its_difference(node: Local) -> None:
    token = Contract(node, built("token/token.py"), 10**20)
    receipt = token.send("transfer(address,uint256)", BOB, 7)
    number = int(receipt["blockNumber"], 16)
    options = {"tracer": "prestateTracer"}
    before = node.rpc("debug_traceTransaction", receipt["transactionHash"], options)
    assert before[token.hex]["code"] == node.rpc("eth_getCode", token.hex)
    worlds = [node.node.chain.world(number + step) for step in (-1, 0)]
    for key, value in before[token.hex]["storage"].items():
        assert worlds[0].storage(token.address, bytes.fromhex(key[2:])).hex() == value[2:]
    options["tracerConfig"] = {"diffMode": True}  # type: ignore[assignment]
    change = node.rpc("debug_traceTransaction", receipt["transactionHash"], options)
    for world, state in zip(worlds, (change["pre"], change["post"]), strict=True):
        slots = state[token.hex].get("storage", {})
        for key, value in slots.items():
            assert world.storage(token.address, bytes.fromhex(key[2:])).hex() == value[2:]
    assert len(change["post"][token.hex]["storage"]) == 2
    payer = "0x" + ALICE.hex()
    assert int(change["post"][payer]["balance"], 16) == worlds[1].balance(ALICE)
    assert change["post"][payer]["nonce"] == change["pre"][payer]["nonce"] + 1


def test_a_call_that_nobody_sent(node: Local) -> None:
    token = Contract(node, built("token/token.py"), 10**20)
    call = {"from": "0x" + ALICE.hex(), "to": token.hex, "data": "0x18160ddd"}
    top = node.rpc("debug_traceCall", call, "latest", {"tracer": "callTracer"})
    assert int(top["output"], 16) == 10**20
    assert node.rpc("debug_traceCall", call)["structLogs"]
    earlier = node.rpc("debug_traceCall", call, hex(0), {"tracer": "callTracer"})
    assert "output" not in earlier


def test_an_unknown_hash_is_an_error(node: Local) -> None:
    with pytest.raises(RpcError, match="transaction not found: 0x1212") as caught:
        node.rpc("debug_traceTransaction", "0x" + "12" * 32)
    assert caught.value.code == -32000


def test_unknown_tracers_and_memory(node: Local) -> None:
    with pytest.raises(RpcError, match="callTracer and prestateTracer"):
        node.rpc("debug_traceTransaction", "0x" + "12" * 32, {"tracer": "fourByteTracer"})
    with pytest.raises(RpcError, match="memory"):
        node.rpc("debug_traceTransaction", "0x" + "12" * 32, {"enableMemory": True})
    assert node.rpc("debug_traceBlockByNumber", "0x0") == []
    with pytest.raises(RpcError, match="no block 9"):
        node.rpc("debug_traceBlockByNumber", "0x9")


def test_frames_in_a_list(node: Local) -> None:
    first, second, pair = exchange(node)
    receipt = pair.send("swap(address,uint256,uint256)", first.address, 1000, 0)
    traces = node.rpc("trace_transaction", receipt["transactionHash"])
    assert [(trace["traceAddress"], trace["action"]["to"]) for trace in traces] == [
        ([], pair.hex),
        ([0], first.hex),
        ([1], second.hex),
    ]
    assert traces[0]["subtraces"] == 2 and traces[0]["transactionHash"] == receipt["transactionHash"]
    assert node.rpc("trace_block", receipt["blockNumber"]) == traces
    [born] = node.rpc("trace_transaction", first.receipt["transactionHash"])
    assert (born["type"], born["result"]["address"]) == ("create", first.hex)
    used = int(born["result"]["gasUsed"], 16)
    assert int(first.receipt["gasUsed"], 16) - used == int(
        node.rpc("cvm_profile", first.receipt["transactionHash"])["parts"]["intrinsic"]
    )
    failed = pair.send("swap(address,uint256,uint256)", first.address, 10**31, 0)
    assert [trace["error"] for trace in node.rpc("trace_transaction", failed["transactionHash"])] == ["Reverted"] * 2


def test_a_call_on_what_waits(node: Local) -> None:
    token = Contract(node, built("token/token.py"), 10**20)
    node.rpc("evm_setAutomine", False)
    sent = {"from": "0x" + ALICE.hex(), "to": token.hex, "gas": hex(10**6)}
    sent["data"] = "0x" + Function.parse("transfer(address,uint256)").encode(BOB, 9).hex()
    node.rpc("eth_sendTransaction", sent)
    call = {"to": token.hex, "data": "0x" + Function.parse("balanceOf(address)").encode(BOB).hex()}
    found = {tag: node.rpc("debug_traceCall", call, tag, {"tracer": "callTracer"}) for tag in ("latest", "pending")}
    assert {tag: int(top["output"], 16) for tag, top in found.items()} == {"latest": 0, "pending": 9}


def test_a_creation_that_is_refused(node: Local) -> None:
    receipt = send(node, None, b"\0asm\1\0\0\0\xff")
    assert receipt["status"] == "0x0"
    top = node.rpc("debug_traceTransaction", receipt["transactionHash"], {"tracer": "callTracer"})
    assert (top["type"], top["gasUsed"]) == ("CREATE", receipt["gasUsed"])
    assert "code refused" in top["error"]
    assert len(bytes.fromhex(top["to"][2:])) == 20 and int(top["to"], 16)


def test_what_was_sent_without_a_key(node: Local) -> None:
    token = Contract(node, built("token/token.py"), 10**20)
    node.rpc("anvil_setBalance", token.hex, hex(10**20))
    node.rpc("anvil_impersonateAccount", token.hex)
    data = "0x" + Function.parse("transfer(address,uint256)").encode(BOB, 0).hex()
    digest = node.rpc("eth_sendTransaction", {"from": token.hex, "to": token.hex, "data": data})
    top = node.rpc("debug_traceTransaction", digest, {"tracer": "callTracer"})
    assert (top["from"], top["to"], int(top["output"], 16)) == (token.hex, token.hex, 1)
