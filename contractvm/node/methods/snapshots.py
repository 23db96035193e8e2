"""Moments to come back to: snapshots, steps back, the very beginning, and states taken out and put in whole.

What was told to filters and subscribers stays told: they hear of blocks as these are made, again at the same heights.
Source: anvil's and Hardhat's methods of these names.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from contractvm.chain import UnknownBlock
from contractvm.node.dev import also, change, stir
from contractvm.node.fault import SERVER, Fault, bad_params
from contractvm.node.node import Node
from contractvm.node.rows import Param, Rows
from contractvm.node.states import dumped, loaded
from contractvm.node.values import BOOLEAN, DATA, OBJECT, QUANTITY, U64, data_hex, shown, text, u64
from state.database import HeightError

rows = Rows()

MOST_BYTES: Final = 256 << 20
"""Bytes of a state to be loaded, unpacked: it is in memory until its block is made."""


@rows.method("evm_snapshot", result="number", aliases=["anvil_snapshot"])
async def snapshot(node: Node) -> str:
    """Remember this moment; the number is for evm_revert."""
    return hex(await node.miner.write(node.chain.snapshot))


@rows.method(
    "evm_revert", Param("snapshot", QUANTITY), result="whether there was such a snapshot", aliases=["anvil_revert"]
)
async def revert(node: Node, number: int) -> bool:
    """Go back to a snapshot, which is then used up together with those taken after it."""
    try:
        await node.miner.write(lambda: node.chain.revert(number))
    except KeyError:
        return False
    stir(node)
    return True


@rows.method("anvil_rollback", Param("depth", U64, 1), result="null")
async def rollback(node: Node, depth: int) -> None:
    """Undo the last blocks."""

    def back() -> None:
        height = node.chain.head.number - depth
        if height < 0:
            raise bad_params(
                f"Rollback depth must not exceed current chain height: height {node.chain.head.number}, depth {depth}"
            )
        node.chain.rewind(height)

    await node.miner.write(back)
    stir(node)


@rows.method("anvil_reset", Param("options", OBJECT, None), result="null", aliases=also("reset"))
async def reset(node: Node, options: Mapping[str, Any] | None) -> None:
    """Go back to the first block, or fork another node as `forking` says; what waits and snapshots are forgotten."""
    fork = forking(node, options)
    try:
        await node.miner.write(lambda: node.restart(fork))
    except (HeightError, UnknownBlock) as error:
        raise Fault(SERVER, f"the first block's state is not kept any more: {error}") from None
    except ValueError as error:
        raise Fault(SERVER, str(error)) from None


def forking(node: Node, options: Mapping[str, Any] | None) -> tuple[str, int | None] | None:
    """The other node's URL and a block there, as `forking` names jsonRpcUrl and blockNumber. Raises: Fault."""
    named = (options or {}).get("forking") or {}
    if not isinstance(named, dict):
        raise bad_params(f"forking: {shown(named)} is no object of jsonRpcUrl and blockNumber")
    url, block = named.get("jsonRpcUrl"), named.get("blockNumber")
    if url is None and block is None:
        return None
    url = node.config.fork_url if url is None else text(url)
    if url is None:
        raise bad_params("Forking not enabled and RPC URL not provided to start forking; give jsonRpcUrl")
    return url, None if block is None else u64(block)


@rows.method(
    "anvil_dumpState", Param("historical", BOOLEAN, False), result="state file's bytes", aliases=also("dumpState")
)
async def dump_state(node: Node, historical: bool) -> str:
    """All accounts at the head, as `--state` writes them; what went before is no part of it."""
    return data_hex(await node.pace.elsewhere(lambda: dumped(node.chain)))


@rows.method("anvil_loadState", Param("state", DATA), result="true", aliases=also("loadState"))
async def load_state(node: Node, content: bytes) -> bool:
    """Set the accounts of a state that was dumped, in a block of its own; others stay as they are."""
    await change(node, await node.pace.elsewhere(lambda: loaded(node.chain, content, MOST_BYTES)))
    return True
