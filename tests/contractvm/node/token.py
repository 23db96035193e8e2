"""The example token on a node under test, driven as a client drives it: by signed transactions."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from contractvm.crypto import keccak256
from contractvm.devaccounts import dev_accounts
from contractvm.transaction import Transaction
from sdk.abi import Constructor, Function
from sdk.artifact import Artifact
from sdk.build import build
from tests.contractvm.node.local import Local

TOKEN = Path(__file__).parents[3] / "contracts" / "token" / "token.py"
SUPPLY = 10**24
ALICE, BOB, CAROL = dev_accounts()[:3]
CHAIN_ID = 31_337
TRANSFERRED = "0x" + keccak256(b"Transfer(address,address,uint256)").hex()
TRANSFER = Function.parse("transfer(address,uint256)(bool)")
BALANCE = Function.parse("balanceOf(address)(uint256)")


@cache
def artifact(path: Path = TOKEN) -> Artifact:
    """A contract, built once."""
    return build(path)


def hexed(content: bytes) -> str:
    return "0x" + content.hex()


def signed(nonce: int, to: bytes | None, data: bytes = b"", who: int = 0, **fields: Any) -> str:
    """The bytes of a transaction by a development account."""
    values: dict[str, Any] = {"max_fee": 3 * 10**9, "max_tip": 10**9, "gas_limit": 1_000_000, **fields}
    tx = Transaction(nonce=nonce, to=to, data=data, chain_id=CHAIN_ID, **values)  # type: ignore[arg-type]
    return hexed(tx.sign(dev_accounts()[who].secret).encode())


def send(node: Local, to: bytes | None, data: bytes = b"", who: int = 0, **fields: Any) -> str:
    """Send with the next nonce; the hash."""
    nonce = int(node.rpc("eth_getTransactionCount", hexed(dev_accounts()[who].address), "pending"), 16)
    digest: str = node.rpc("eth_sendRawTransaction", signed(nonce, to, data, who, **fields))
    return digest


def deploy(node: Local, built: Artifact, arguments: bytes = b"") -> bytes:
    """Deploy a contract; its address."""
    digest = send(node, None, built.code + arguments, gas_limit=20_000_000)
    receipt = node.rpc("eth_getTransactionReceipt", digest)
    assert receipt["status"] == "0x1", receipt
    return bytes.fromhex(receipt["contractAddress"][2:])


class Token:
    """A token that Alice deployed."""

    def __init__(self, node: Local) -> None:
        self.node = node
        supply = Constructor.parse("constructor(uint256)").encode(SUPPLY)
        self.address = deploy(node, artifact(), supply)
        self.hex = hexed(self.address)

    def transfer(self, to: bytes, amount: int, **fields: Any) -> str:
        """Send tokens; the transaction's hash."""
        return send(self.node, self.address, TRANSFER.encode(to, amount), **fields)

    def message(self, amount: int = 1, to: bytes = BOB.address, sender: bytes = ALICE.address) -> dict[str, str]:
        """A transfer as a call object."""
        return {"from": hexed(sender), "to": self.hex, "data": hexed(TRANSFER.encode(to, amount))}

    def asking(self, who: bytes) -> dict[str, str]:
        """A question for a balance as a call object."""
        return {"to": self.hex, "data": hexed(BALANCE.encode(who))}

    def balance(self, who: bytes, *more: Any) -> int:
        """A balance, by `eth_call`."""
        return int(self.node.rpc("eth_call", self.asking(who), *more), 16)
