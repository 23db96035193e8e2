"""What development tools ask a node about itself, in the shapes that anvil and Hardhat answer with."""

from __future__ import annotations

import os
from typing import Any

from contractvm import __version__
from contractvm.crypto import keccak256
from contractvm.node.dev import also
from contractvm.node.fault import bad_params
from contractvm.node.methods.about import CLIENT
from contractvm.node.node import Node
from contractvm.node.remote import whole
from contractvm.node.rows import Param, Rows
from contractvm.node.values import BOOLEAN, U64
from contractvm.url import origin

rows = Rows()


@rows.method("anvil_nodeInfo", result="node")
def node_info(node: Node) -> dict[str, Any]:
    """The head, the next block's numbers, and what the node goes by."""
    chain = node.chain
    head = chain.head
    return {
        "currentBlockNumber": hex(head.number),
        "currentBlockTimestamp": head.timestamp,
        "currentBlockHash": "0x" + head.hash.hex(),
        "hardFork": "Cancun",
        "transactionOrder": "fees",
        "environment": {
            "baseFee": hex(chain.next_base_fee),
            "chainId": chain.chain_id,
            "gasLimit": hex(chain.gas_limit),
            "gasPrice": hex(node.fees.gas_price),
        },
        "forkConfig": {
            "forkUrl": None if node.config.fork_url is None else origin(whole(node.config.fork_url)),
            "forkBlockNumber": node.config.fork_block,
            "forkRetryBackoff": None,
        },
    }


@rows.method("anvil_metadata", result="node", aliases=also("metadata"))
def metadata(node: Node) -> dict[str, Any]:
    """Name and version of the node, its chain and its snapshots."""
    chain = node.chain
    head = chain.head
    return {
        "clientVersion": CLIENT,
        "clientSemver": __version__,
        "clientCommitSha": None,
        "chainId": chain.chain_id,
        "instanceId": "0x" + keccak256(f"{os.getpid()} {node.started!r}".encode()).hex(),
        "latestBlockNumber": head.number,
        "latestBlockHash": "0x" + head.hash.hex(),
        "forkedNetwork": None,
        "snapshots": {
            hex(number): [kept.height, "0x" + kept.block_hash.hex()] for number, kept in chain.snapshots.items()
        },
    }


@rows.method("anvil_getGenesisTime", result="number")
def genesis_time(node: Node) -> int:
    """Seconds since 1970 of the first block."""
    return node.chain.header(0).timestamp


@rows.method("anvil_setChainId", Param("chainId", U64), result="null")
def set_chain_id(node: Node, chain_id: int) -> None:
    """Refused, unless it is the chain's id already."""
    if chain_id != node.chain.chain_id:
        raise bad_params(
            f"the chain id is part of the chain's identity and stays {node.chain.chain_id}; "
            f"start a node with --chain-id {chain_id}"
        )


@rows.method("anvil_setLoggingEnabled", Param("enabled", BOOLEAN), result="null", aliases=also("setLoggingEnabled"))
def set_logging(node: Node, enabled: bool) -> None:
    """Say something of each block on the terminal, or nothing."""
    node.talkative = enabled
