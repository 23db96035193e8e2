"""Contracts of `contracts/` on a node, deployed and called by signed transactions."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from contractvm.devaccounts import dev_accounts
from contractvm.transaction import Transaction
from contractvm.types import Address
from sdk.abi import Constructor, Function
from sdk.artifact import Artifact
from sdk.build import build
from tests.contractvm.node.local import Local

ROOT = Path(__file__).parents[3]
ACCOUNTS = dev_accounts()
GAS = 20_000_000


@cache
def built(path: str, contract: str | None = None) -> Artifact:
    """A contract's artifact, made once."""
    return build(ROOT / "contracts" / path, contract)


def send(node: Local, to: Address | None, data: bytes, *, account: int = 0, value: int = 0, gas: int = GAS) -> Any:
    """The receipt of a transaction of a development account."""
    sender = ACCOUNTS[account]
    nonce = int(node.rpc("eth_getTransactionCount", "0x" + sender.address.hex(), "pending"), 16)
    tx = Transaction(nonce=nonce, max_fee=10**10, gas_limit=gas, to=to, value=value, data=data, chain_id=31_337).sign(
        sender.secret
    )
    return node.rpc("eth_getTransactionReceipt", node.rpc("eth_sendRawTransaction", "0x" + tx.encode().hex()))


class Contract:
    """A deployed contract; `send("f(uint256)", 5)` gives the receipt."""

    def __init__(self, node: Local, artifact: Artifact, *arguments: Any, gas: int = GAS) -> None:
        constructor = artifact.interface.constructor
        tail = Constructor.parse(constructor).encode(*arguments) if constructor else b""
        self.node = node
        self.artifact = artifact
        self.receipt = send(node, None, artifact.code + tail, gas=gas)
        assert self.receipt["status"] == "0x1", self.receipt
        self.hex: str = self.receipt["contractAddress"]
        self.address = Address(bytes.fromhex(self.hex[2:]))

    def send(self, signature: str, *arguments: Any, account: int = 0, gas: int = GAS, value: int = 0) -> Any:
        """The receipt of a call."""
        data = Function.parse(signature).encode(*arguments)
        return send(self.node, self.address, data, account=account, gas=gas, value=value)
