"""What only a development node does to its chain: changes out of nowhere, each a block that takes no time.

Source: anvil's and Hardhat's node methods. Never: reads JSON; `methods` do.
"""

from __future__ import annotations

from collections.abc import Callable

from contractvm.node.node import Node
from state.world import World


def also(name: str, *others: str) -> list[str]:
    """Other names of `anvil_<name>`: with Hardhat's prefix, and those given whole."""
    return [f"hardhat_{name}", *others]


async def change(node: Node, write: Callable[[World], None]) -> None:
    """Change the state in a block of its own; what waits may be able to run then."""
    await node.miner.edit(lambda: node.chain.edit(write, timeless=True))
    stir(node)


def stir(node: Node) -> None:
    """With automining, try what waits again, after something changed that may have held it up."""
    if node.miner.automine and len(node.chain.pool):
        node.miner.wake()
