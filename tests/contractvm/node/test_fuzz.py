"""Every method asked for with what fits, what nearly fits and what does not: no bug, no hang, and the node goes on.

Parameters are drawn from the rows' own kinds. An internal error (-32603), an answer that is no JSON-RPC, or one that
does not come in time is a failure; so is a node that afterwards holds more filters or waits for more than it may.
"""

from __future__ import annotations

import json
import random
from typing import Any
from unittest.mock import patch

import pytest

from contractvm.devaccounts import dev_accounts
from contractvm.node.config import Config, Limits
from contractvm.node.fault import INTERNAL
from contractvm.node.rows import Method, Param
from contractvm.node.table import methods
from tests.contractvm.node.local import Local, local
from tests.contractvm.node.token import BOB, SUPPLY, TRANSFER, artifact, deploy, hexed, send

SECONDS = 30
"""For one answer, on a machine that does much else."""
ROUNDS, LONG = 6, 300
HUGE = [2**256, 2**64, -1, 10**400, "0x" + "f" * 64, "0x" + "f" * 65, "0x1" + "0" * 5_000, 1e400, 0.5]
JUNK: list[Any] = [
    None,
    True,
    "",
    "0x",
    "0xg",
    "latest",
    "\x00",
    "é" * 50,
    "a" * 10_000,
    [],
    {},
    [[[[]]]],
    {"a": {"b": {}}},
    {"from": 1},
    ["0x1", None],
    *HUGE,
]
TRACERS = ["callTracer", "prestateTracer", "flatCallTracer", "muxTracer", "4byteTracer", "nobody's", ""]


class Scene:
    """What there is to ask about: hashes, addresses and heights that exist, among others."""

    def __init__(self, node: Local, seed: int) -> None:
        self.random = random.Random(seed)
        token = deploy(node, artifact(), SUPPLY.to_bytes(32, "big"))
        sent = send(node, token, TRANSFER.encode(BOB.address, 5))
        failed = send(node, token, b"\xff\xff\xff\xff", who=3)
        block = node.rpc("eth_getBlockByNumber", "latest", False)
        self.addresses = ["0x" + account.address.hex() for account in dev_accounts()[:3]] + [
            hexed(token),
            "0x" + "0" * 40,
        ]
        self.hashes = [sent, failed, block["hash"], "0x" + "11" * 32]
        self.calldata = ["0x", hexed(TRANSFER.encode(BOB.address, 1)), "0xffffffff", "0x0061736d01000000"]

    def any(self, *options: Any) -> Any:
        """One of these."""
        return self.random.choice(options)

    def fitting(self, param: Param) -> Any:
        """A value that the parameter may well have."""
        match param.kind.name:
            case "quantity":
                return self.any("0x0", "0x1", 5, "7", hex(self.random.getrandbits(self.random.choice((4, 20, 60)))))
            case "data":
                return self.any(*self.calldata, *self.hashes)
            case "address":
                return self.any(*self.addresses)
            case "hash":
                return self.any(*self.hashes)
            case "boolean":
                return self.any(True, False)
            case "text":
                return self.any("newHeads", "logs", "newPendingTransactions", "0x1", "hello", *self.hashes)
            case "block":
                number = {"blockNumber": "0x1"}
                return self.any(
                    "latest", "pending", "earliest", "0x1", 2, number, {"blockHash": self.hashes[2]}, "0x99"
                )
            case "object":
                return self.object()
        return self.any(self.object(), *self.hashes, *self.addresses, 1, "0x1", [], [self.object()], None)

    def object(self) -> dict[str, Any]:
        """Fields that some object or other has."""
        fields: dict[str, Any] = {
            "from": self.any(*self.addresses),
            "to": self.any(*self.addresses, None),
            "data": self.any(*self.calldata),
            "value": self.any("0x0", "0x1"),
            "gas": self.any("0x5208", "0x186a0", "0x989680"),
            "gasPrice": "0x3b9aca00",
            "maxFeePerGas": "0x77359400",
            "nonce": self.any("0x0", "0x5"),
            "accessList": [{"address": self.addresses[0], "storageKeys": [self.hashes[0]]}],
            "fromBlock": self.any("earliest", "0x1", "latest"),
            "toBlock": self.any("latest", "0x2"),
            "address": self.any(*self.addresses, self.addresses),
            "topics": self.any([], [None], [self.hashes, None]),
            "tracer": self.any(*TRACERS),
            "tracerConfig": self.any({}, {"onlyTopCall": True, "withLog": True}, {"diffMode": True}),
            "limit": self.any(0, 1, 100),
            "blocks": self.any(1, "0x2"),
            "timestamp": 4_000_000_000,
            "blockStateCalls": [{"calls": [{"to": self.addresses[3], "data": self.calldata[1]}]}],
            "stateOverrides": {},
        }
        chosen = self.random.sample(sorted(fields), self.random.randrange(len(fields)))
        return {name: fields[name] for name in chosen}

    def broken(self, value: Any) -> Any:
        """The value with something about it that does not fit."""
        match value:
            case dict() if value:
                name = self.random.choice(sorted(value))
                return {**value, name: self.any(*JUNK)}
            case list() if value:
                return [*value[:-1], self.any(*JUNK)]
            case str() if len(value) > 2:
                return self.any(value[:-1], value + "0", value.upper(), value[2:], value * 2)
        return self.any(*JUNK)

    def parameters(self, method: Method) -> Any:
        """What one request gives."""
        values = [self.fitting(param) for param in method.params]
        how = self.random.randrange(8)
        if how < 3:
            return values
        if how == 3:
            return values[: self.random.randrange(len(values) + 1)]
        if how == 4:
            return [*values, self.any(*JUNK)]
        if how == 5:
            return self.any(*JUNK)
        if how == 6:
            return {param.name: value for param, value in zip(method.params, values, strict=True)}
        if values:
            place = self.random.randrange(len(values))
            values[place] = self.broken(values[place])
        return values


def fuzz(seed: int, rounds: int) -> int:
    """Ask every method so many times; how many answers were results."""
    limits = Limits(filter_items=50, subscriptions=20, call_gas=2_000_000, trace_steps=2_000)
    results = 0
    # Who asks for a receipt while nothing is mined would wait for half a minute, as it may.
    with patch("contractvm.node.arrival.SECONDS", 0.05), local(Config(limits=limits)) as node:
        scene = Scene(node, seed)
        for _ in range(rounds):
            for name in scene.random.sample(sorted(methods()), len(methods())):
                request = {"jsonrpc": "2.0", "id": 1, "method": name, "params": scene.parameters(methods()[name])}
                body = json.dumps(request).encode()
                where = f"seed {seed}: {body[:2_000].decode()}"
                try:
                    answer = json.loads(node.ask(body, SECONDS) or b"null")
                except TimeoutError:
                    raise AssertionError(f"{where} is not answered") from None
                assert answer is not None and answer["id"] in (1, None), where
                results += "result" in answer
                assert answer.get("error", {}).get("code") != INTERNAL, f"{where}: {answer}"
        assert node.rpc("eth_chainId")
        node.rpc("evm_setAutomine", True)
        node.rpc("evm_mine")
    return results


@pytest.mark.parametrize("seed", range(2))
def test_every_method(seed: int) -> None:
    assert fuzz(seed, ROUNDS) > ROUNDS * len(methods()) // 10


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(100, 104))
def test_every_method_many_times(seed: int) -> None:
    assert fuzz(seed, LONG) > LONG * len(methods()) // 10
