"""Who answers here: `web3_*`, `net_*`, `rpc_modules`, and the chain's own numbers."""

from __future__ import annotations

import platform

from contractvm import __version__
from contractvm.crypto import keccak256
from contractvm.node.node import Node
from contractvm.node.rows import Param, Rows
from contractvm.node.values import DATA

rows = Rows()

CLIENT = f"contractvm/{__version__}/{platform.system().lower()}/python{platform.python_version()}"


@rows.method("web3_clientVersion", result="text")
def client_version(node: Node) -> str:
    """Name and version of this node."""
    return CLIENT


@rows.method("web3_sha3", Param("data", DATA), result="hash")
def sha3(node: Node, content: bytes) -> str:
    """Keccak-256 of some bytes."""
    return "0x" + keccak256(content).hex()


@rows.method("net_version", result="text")
def net_version(node: Node) -> str:
    """The chain id in decimal."""
    return str(node.chain.chain_id)


@rows.method("net_listening", result="boolean")
def listening(node: Node) -> bool:
    """Whether the node can be reached: it can."""
    return True


@rows.method("net_peerCount", result="quantity")
def peer_count(node: Node) -> str:
    """Other nodes connected: a local chain has none."""
    return "0x0"


@rows.method("eth_protocolVersion", result="quantity")
def protocol_version(node: Node) -> str:
    """Version of the wire protocol; nothing speaks it here."""
    return "0x41"


@rows.method("eth_chainId", result="quantity")
def chain_id(node: Node) -> str:
    """EIP-155's number."""
    return hex(node.chain.chain_id)


@rows.method("eth_syncing", result="boolean")
def syncing(node: Node) -> bool:
    """Whether the node is behind: never."""
    return False


@rows.method("eth_mining", result="boolean")
def mining(node: Node) -> bool:
    """Whether blocks are made by themselves."""
    return node.miner.automine or node.miner.interval is not None


@rows.method("eth_hashrate", result="quantity")
def hashrate(node: Node) -> str:
    """Nothing is hashed for a block here."""
    return "0x0"


@rows.method("eth_coinbase", result="address")
def coinbase(node: Node) -> str:
    """Who gets the tips of new blocks."""
    return "0x" + node.chain.coinbase.hex()


@rows.method("eth_blockNumber", result="quantity")
def block_number(node: Node) -> str:
    """Height of the last block."""
    return hex(node.chain.head.number)


@rows.method("eth_accounts", result="list of addresses", aliases=["eth_requestAccounts"])
def accounts(node: Node) -> list[str]:
    """Accounts that this node signs for, and those that may send without a key."""
    return ["0x" + address.hex() for address in (*node.keys, *sorted(node.impersonated - node.keys.keys()))]
