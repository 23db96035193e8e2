"""The two nodes that are compared, each with its ERC-20 token: anvil with Solidity's, ours with the one in Python.

Each is a process of its own on a free port of this machine. Both tokens give the whole supply to the first development
account. Never: a node that was there before.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from contractvm.devaccounts import DevAccount, dev_accounts
from contractvm.transaction import Transaction
from contractvm.types import ZERO_ADDRESS, Address
from sdk.abi import Function
from sdk.build import build
from tests.anvil import Peer, anvil
from tests.bench import evm
from tests.bench.compile import BenchError
from tests.bench.wire import Wire, post, request
from tests.contractvm.node.process import NodeProcess

TOKEN = Path(__file__).parents[2] / "contracts" / "token" / "token.py"
SUPPLY = 10**27
TRANSFER = Function.parse("transfer(address,uint256)")
BALANCE = Function.parse("balanceOf(address)(uint256)")
GAS = 120_000
"""Limit of a transfer: enough for both."""
FEE = 10**12
CHAIN = 31_337
START_SECONDS = 30.0


@dataclass(slots=True)
class Bench:
    """A node and its token; `nonces` are the next ones of the development accounts."""

    name: str
    port: int
    pid: int
    token: Address = ZERO_ADDRESS
    nonces: dict[bytes, int] = field(default_factory=dict)

    @property
    def resident(self) -> int:
        """Bytes of memory that its process holds."""
        status = Path(f"/proc/{self.pid}/statm").read_text()
        return int(status.split()[1]) * os.sysconf("SC_PAGE_SIZE")

    def signed(self, sender: DevAccount, data: bytes, to: Address | None = None, gas: int = GAS) -> bytes:
        """A transaction of the sender's next nonce, to the token unless `to` says otherwise."""
        nonce = self.nonces.get(sender.address, 0)
        self.nonces[sender.address] = nonce + 1
        tx = Transaction(nonce=nonce, max_fee=FEE, gas_limit=gas, to=to or self.token, data=data, chain_id=CHAIN)
        return tx.sign(sender.secret).encode()

    def transfers(self, count: int, senders: Sequence[DevAccount], receivers: Sequence[bytes]) -> list[bytes]:
        """Signed transfers of one unit, senders and receivers in turn."""
        return [
            self.signed(senders[i % len(senders)], TRANSFER.encode(receivers[i % len(receivers)], 1))
            for i in range(count)
        ]

    def deploy(self, code: bytes) -> None:
        """Deploy the token from the first account. Raises: BenchError."""
        owner = dev_accounts()[0]
        nonce = self.nonces.get(owner.address, 0)
        self.nonces[owner.address] = nonce + 1
        tx = Transaction(nonce=nonce, max_fee=FEE, gas_limit=5_000_000, data=code, chain_id=CHAIN)
        with Wire(self.port) as wire:
            digest = wire.call("eth_sendRawTransaction", "0x" + tx.sign(owner.secret).encode().hex())
            wire.call("evm_mine")
            receipt = waited(wire, digest)
        if receipt["status"] != "0x1":
            raise BenchError(f"{self.name}: the token was not deployed: {receipt}")
        self.token = Address(bytes.fromhex(receipt["contractAddress"][2:]))


def waited(wire: Wire, digest: str) -> dict[str, str]:
    """A receipt, asked for until it is there. Raises: BenchError."""
    until = time.monotonic() + START_SECONDS
    while (receipt := wire.call("eth_getTransactionReceipt", digest)) is None:
        if time.monotonic() > until:
            raise BenchError(f"{digest} is not mined")
    found: dict[str, str] = receipt
    return found


def raw(transaction: bytes) -> bytes:
    """The HTTP request that sends it."""
    return post("eth_sendRawTransaction", "0x" + transaction.hex())


def item(transaction: bytes) -> dict[str, object]:
    """The same within a batch."""
    return request("eth_sendRawTransaction", "0x" + transaction.hex())


@contextmanager
def ours(*options: str, warm: bool = True) -> Iterator[Bench]:
    """A fresh node of this project with its token, compiled: `warm` waits until it runs natively."""
    with NodeProcess("--quiet", *options, tier="auto") as process:
        peer = Peer(process.ready().url)
        node = Bench("contractvm", peer.port, process.process.pid)
        node.deploy(build(TOKEN).code + SUPPLY.to_bytes(32, "big"))
        if warm:
            time.sleep(1.0)  # the token is compiled in the background, or found compiled
        yield node
        process.end()


@contextmanager
def anvils(*options: str) -> Iterator[Bench]:
    """A fresh anvil with its token. Raises: BenchError without npm."""
    tools = evm.folder()
    with anvil(tools, "--base-fee", "1000000000", *options) as peer:
        node = Bench("anvil", peer.port, peer.pid or 0)
        node.deploy(evm.compile_token(tools) + SUPPLY.to_bytes(32, "big"))
        yield node
