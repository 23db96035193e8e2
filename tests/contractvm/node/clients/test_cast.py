"""cast: its commands on a node, as people type them."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from contractvm.devaccounts import dev_accounts
from tests.contractvm.node.clients.conftest import CAST, SECONDS, Built, installed
from tests.contractvm.node.process import NodeProcess

KEY = "0x" + dev_accounts()[0].secret.hex()
OTHER = "0x" + dev_accounts()[1].address.hex()
Cast = Callable[..., str]


@pytest.fixture
def cast(node: NodeProcess, tmp_path: Path) -> Cast:
    """Run a command of cast's against the node and return what it prints. Raises: CalledProcessError."""
    program = installed(CAST) / ".bin" / "cast"

    def run(*words: str) -> str:
        done = subprocess.run(
            [program, words[0], "--rpc-url", node.url, *words[1:]],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
            env={"HOME": str(tmp_path), "PATH": "/usr/bin:/bin:/usr/local/bin"},
        )
        if done.returncode or done.stderr.startswith("Error"):  # npm's wrapper loses the exit code
            raise subprocess.CalledProcessError(done.returncode, words, done.stdout, done.stderr)
        return done.stdout.strip()

    return run


@pytest.fixture
def deployed(cast: Cast, token: Built) -> str:
    """The token's address, deployed by `cast send --create`."""
    receipt = json.loads(
        cast("send", "--private-key", KEY, "--json", "--create", token.bytecode, "constructor(uint256)", "1000000")
    )
    assert receipt["status"] == "0x1"
    return str(receipt["contractAddress"])


def test_the_chain(cast: Cast) -> None:
    assert cast("chain-id") == "31337"
    assert cast("block-number") == "0"
    assert cast("client").startswith("contractvm/")
    assert cast("balance", "--ether", OTHER).startswith("10000")
    assert cast("nonce", OTHER) == "0"
    assert int(cast("gas-price")) > 0
    assert int(cast("base-fee")) > 0
    assert json.loads(cast("block", "--json"))["number"] == "0x0"
    assert cast("rpc", "eth_chainId") == '"0x7a69"'
    assert cast("code", OTHER) == "0x"


@pytest.mark.parametrize(
    "how", [["--private-key", KEY], ["--private-key", KEY, "--legacy"], ["--unlocked", "--from", OTHER]]
)
def test_a_payment(cast: Cast, how: list[str]) -> None:
    receiver = "0x" + "77" * 20
    receipt = json.loads(cast("send", *how, "--json", "--value", "1ether", receiver))
    assert receipt["status"] == "0x1"
    assert cast("balance", "--ether", receiver).startswith("1")
    digest = receipt["transactionHash"]
    assert json.loads(cast("receipt", "--json", digest))["transactionHash"] == digest
    assert json.loads(cast("tx", "--json", digest))["hash"] == digest


def test_the_token(cast: Cast, deployed: str) -> None:
    owner = "0x" + dev_accounts()[0].address.hex()
    assert cast("call", deployed, "balanceOf(address)(uint256)", owner).split()[0] == "1000000"
    assert cast("call", deployed, "decimals()(uint8)") == "18"
    assert int(cast("estimate", "--from", owner, deployed, "transfer(address,uint256)", OTHER, "5")) > 21_000
    cast("send", "--private-key", KEY, deployed, "transfer(address,uint256)", OTHER, "5")
    assert cast("call", deployed, "balanceOf(address)(uint256)", OTHER) == "5"
    assert cast("call", "--block", "1", deployed, "balanceOf(address)(uint256)", OTHER) == "0"
    logs = json.loads(
        cast("logs", "--json", "--from-block", "2", "--address", deployed, "Transfer(address,address,uint256)")
    )
    assert len(logs) == 1 and int(logs[0]["data"], 16) == 5
    assert cast("code", deployed).startswith("0x0061736d")
    assert json.loads(cast("proof", deployed))["address"].lower() == deployed.lower()


def test_a_revert(cast: Cast, deployed: str) -> None:
    for command in ("call", "estimate"):
        with pytest.raises(subprocess.CalledProcessError) as caught:
            cast(command, "--from", OTHER, deployed, "transfer(address,uint256)", OTHER, "5")
        assert "execution reverted" in caught.value.stderr
    with pytest.raises(subprocess.CalledProcessError) as caught:
        cast("send", "--unlocked", "--from", OTHER, deployed, "transfer(address,uint256)", OTHER, "5")
    assert "execution reverted" in caught.value.stderr


def test_nonces_and_funds(cast: Cast) -> None:
    with pytest.raises(subprocess.CalledProcessError) as caught:
        cast("send", "--private-key", "0x" + "11" * 32, "--value", "1ether", "--gas-limit", "21000", OTHER)
    assert "insufficient funds" in caught.value.stderr.lower()
    cast("send", "--private-key", KEY, "--value", "1", OTHER)
    with pytest.raises(subprocess.CalledProcessError) as caught:
        cast("send", "--private-key", KEY, "--nonce", "0", "--value", "1", OTHER)
    assert "nonce too low" in caught.value.stderr


def test_dev_methods_by_rpc(cast: Cast) -> None:
    name = json.loads(cast("rpc", "evm_snapshot"))
    cast("rpc", "anvil_setBalance", OTHER, "0x10")
    assert cast("balance", OTHER) == "16"
    cast("rpc", "anvil_mine", "0x5")
    assert int(cast("block-number")) >= 5
    assert cast("rpc", "evm_revert", name) == "true"
    assert cast("balance", "--ether", OTHER).startswith("10000")
