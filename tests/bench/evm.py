"""The same contract in Solidity, compiled by solc and run by anvil, both from npm: what its transfer costs on the EVM.

The packages are installed once, into a folder of the user's cache; without npm the peer is left out, which is said.
Never: an EVM of our own.
"""

from __future__ import annotations

import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests import npm
from tests.anvil import ANVIL, Peer, anvil
from tests.bench.compile import BenchError

SOURCE = Path(__file__).parent / "programs" / "Token.sol"
PACKAGES = ("solc@0.8.37", ANVIL)
RUNS = 200
MINED_SECONDS = 20.0
STORAGE_AND_LOGS = ("SLOAD", "SSTORE", "LOG")


@dataclass(frozen=True, slots=True)
class Solidity:
    """`size` of the deployed code in bytes; gas of a transfer between holders, whole, and beyond storage and logs."""

    size: int
    transfer: int
    beyond: int


def folder() -> Path:
    """Where the packages' commands are, installed if they are not. Raises: BenchError without npm."""
    try:
        return npm.packages(*PACKAGES) / ".bin"
    except npm.Missing as error:
        raise BenchError(str(error)) from None


def compile_token(tools: Path) -> bytes:
    """The token's creation code. Raises: BenchError."""
    with tempfile.TemporaryDirectory() as out:
        command = [str(tools / "solcjs"), "--optimize", "--optimize-runs", str(RUNS), "--bin", "-o", out, SOURCE.name]
        done = subprocess.run(command, cwd=SOURCE.parent, capture_output=True, text=True, check=False)
        binary = next(Path(out).glob("*Token.bin"), None)
        if binary is None:
            raise BenchError(f"solc: {done.stdout}{done.stderr}")
        return bytes.fromhex(binary.read_text())


@dataclass(frozen=True, slots=True)
class Node:
    """JSON-RPC to a local anvil, results alone."""

    peer: Peer

    def __call__(self, method: str, *params: object) -> Any:
        answer = self.peer.ask(method, params)
        if "error" in answer:
            raise BenchError(f"anvil: {method}: {answer['error']['message']}")
        return answer["result"]

    def send(self, **fields: str) -> tuple[str, dict[str, Any]]:
        """A mined transaction: hash and receipt."""
        digest = self("eth_sendTransaction", fields)
        until = time.monotonic() + MINED_SECONDS
        while (receipt := self("eth_getTransactionReceipt", digest)) is None:
            if time.monotonic() > until:
                raise BenchError(f"anvil does not mine {digest}")
            time.sleep(0.01)
        return digest, receipt


def word(value: int) -> str:
    return f"{value:064x}"


def measure(supply: int, amount: int) -> Solidity:
    """Deploy the token, transfer twice to the same holder, and take the second apart. Raises: BenchError."""
    tools = folder()
    creation = compile_token(tools)
    with anvil(tools, "--steps-tracing") as peer:
        node = Node(peer)
        owner, other = node("eth_accounts")[:2]
        gas = hex(3_000_000)
        _, deployed = node.send(**{"from": owner, "data": "0x" + creation.hex() + word(supply), "gas": gas})
        token = deployed["contractAddress"]
        data = "0xa9059cbb" + word(int(other, 16)) + word(amount)
        for _ in range(2):
            digest, receipt = node.send(**{"from": owner, "to": token, "data": data, "gas": gas})
        steps = node("debug_traceTransaction", digest, {})["structLogs"]
        size = len(node("eth_getCode", token, "latest")) // 2 - 1
    beyond = sum(step["gasCost"] for step in steps if not step["op"].startswith(STORAGE_AND_LOGS))
    return Solidity(size, int(receipt["gasUsed"], 16), beyond)
