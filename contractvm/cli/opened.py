"""The chain in the data directory, opened for a command: to write, or to read without making anything.

Never: a server; the directory is held for as long as the command runs.
"""

from __future__ import annotations

from contractvm.chain import BlockId, Chain
from contractvm.cli.frame import Settings
from contractvm.cli.problem import Problem, say
from contractvm.cli.tiers import AUTO, machines
from contractvm.cli.values import hex_bytes
from contractvm.types import Address
from state.directory import open_store
from state.store import MemoryStore

TAGS = ("latest", "pending", "earliest", "safe", "finalized")


def to_write(settings: Settings, tier: str = AUTO) -> Chain:
    """Open the chain, made with the development accounts if there is none. Raises: StoreError, IncompatibleChain."""
    fresh = not settings.data.exists()
    chain = on_directory(settings, tier, create=True)
    if fresh and not settings.quiet:
        say(f"new chain in {settings.data} (chain id {chain.chain_id})", label="note")
    return chain


def to_read(settings: Settings, tier: str = AUTO) -> Chain:
    """Open the chain; where there is none, its genesis in memory. Raises: StoreError, IncompatibleChain."""
    if settings.data.exists():
        return on_directory(settings, tier, create=False)
    if not settings.quiet:
        say(
            f"no chain in {settings.data} yet; this is the genesis that the first deploy or send will write",
            label="note",
        )
    return Chain(MemoryStore(), machines=machines(settings, tier))


def on_directory(settings: Settings, tier: str, *, create: bool) -> Chain:
    """Open the chain that is there, or a new one where `create` allows it.

    Raises: StoreError, IncompatibleChain; Problem when the tier cannot be had.
    """
    ready = machines(settings, tier)
    store = open_store(settings.data, create=create)
    try:
        return Chain(store, machines=ready)
    except BaseException:
        store.close()
        raise


def debug_line(contract: Address, text: bytes) -> None:
    """Show what a contract said by `debug_print`; for `Chain.debug`."""
    say(f"0x{contract.hex()[:8]}: {text.decode('utf-8', errors='backslashreplace')}", label="debug")


def block_id(text: str) -> BlockId:
    """A tag, a height in decimal or hex, or a block's hash. Raises: Problem."""
    word = text.lower()
    if word in TAGS:
        return word
    if word.startswith("0x") and len(word) == 66:
        return hex_bytes(word)
    try:
        return int(word, 0)
    except ValueError:
        raise Problem(f"{text!r} is no block", f"give a number, a hash, or one of {', '.join(TAGS)}") from None
