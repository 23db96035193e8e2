"""ethers and viem: programs that use their ordinary API, run by node.js."""

from __future__ import annotations

from pathlib import Path

from tests.contractvm.node.clients.conftest import ETHERS, VIEM, Built, installed, run_script
from tests.contractvm.node.process import NodeProcess

HERE = Path(__file__).parent


def test_ethers(node: NodeProcess, token: Built, tmp_path: Path) -> None:
    assert run_script(HERE / "ethers.mjs", installed(ETHERS, VIEM), tmp_path, node.url, token) == [
        "network",
        "deploy",
        "transfer",
        "events",
        "query",
        "estimate",
        "revert",
        "wallet",
        "legacy",
        "blocks",
        "signing",
        "impersonation",
        "time",
        "websocket",
    ]


def test_viem(node: NodeProcess, token: Built, tmp_path: Path) -> None:
    assert run_script(HERE / "viem.mjs", installed(ETHERS, VIEM), tmp_path, node.url, token) == [
        "network",
        "deploy",
        "transfer",
        "events",
        "query",
        "revert",
        "fees",
        "impersonation",
        "time",
        "pool",
        "reads",
        "signing",
        "websocket",
    ]
