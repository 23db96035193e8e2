"""The chain that a command is for, opened: a node where one is named, otherwise the data directory.

To write, a directory is made where there is none; to read, nothing is. Never: a server; a directory is held for as
long as the command runs, and the node that holds it is named to whoever finds it taken.
"""

from __future__ import annotations

import socket
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from contractvm.cli.chainlike import Chainlike
from contractvm.cli.facts import BlockId
from contractvm.cli.frame import Settings
from contractvm.cli.problem import USAGE, Problem, say
from contractvm.cli.tiers import AUTO, machines
from contractvm.cli.url import checked, chosen_url
from contractvm.cli.values import hex_bytes

if TYPE_CHECKING:
    from contractvm.cli.local import LocalChain

TAGS: Final = ("latest", "pending", "earliest", "safe", "finalized")
CONNECT_SECONDS: Final = 1.0
"""Longest look whether the node that wrote its URL is still there."""
URL_FILE: Final = "node.url"
"""In a data directory: where the node that holds it can be reached. `contractvm node` writes it."""


def to_write(settings: Settings, tier: str = AUTO) -> Chainlike:
    """Open the chain, made with the development accounts if there is none.

    Raises: StoreError, IncompatibleChain, Problem.
    """
    url = chosen_url(settings)
    if url is not None:
        return at_url(settings, url)
    fresh = not settings.data.exists()
    opened = on_directory(settings, tier, create=True)
    if fresh and not settings.quiet:
        say(f"new chain in {settings.data} (chain id {opened.chain_id})", label="note")
    return opened


def to_read(settings: Settings, tier: str = AUTO) -> Chainlike:
    """Open the chain; where there is none, its genesis in memory. Raises: StoreError, IncompatibleChain, Problem."""
    url = chosen_url(settings)
    if url is not None:
        return at_url(settings, url)
    if settings.data.exists():
        return on_directory(settings, tier, create=False)
    if not settings.quiet:
        say(
            f"no chain in {settings.data} yet; this is the genesis that the first deploy or send will write",
            label="note",
        )
    from contractvm.chain import Chain
    from contractvm.cli.local import LocalChain
    from state.store import MemoryStore

    return LocalChain(Chain(MemoryStore(), machines=machines(settings, tier)), settings.data)


def at_url(settings: Settings, url: str) -> Chainlike:
    """The node behind a URL. Raises: Problem."""
    from contractvm.cli.client import Client
    from contractvm.cli.remote import RemoteChain

    source = click.get_current_context().get_parameter_source("tier")
    if source is not None and source.name == "COMMANDLINE":
        raise Problem("the node runs the code, on a tier of its own", "leave --tier out", code=USAGE)
    return RemoteChain(Client(url, settings.timeout))


def on_directory(settings: Settings, tier: str, *, create: bool) -> LocalChain:
    """Open the chain that is there, or a new one where `create` allows it.

    Raises: StoreError, IncompatibleChain; Problem when the tier cannot be had or a node holds the directory.
    """
    from contractvm.chain import Chain
    from contractvm.cli.local import LocalChain
    from state.directory import open_store
    from state.errors import StoreLocked

    ready = machines(settings, tier)
    try:
        store = open_store(settings.data, create=create)
    except StoreLocked as locked:
        url = url_of_holder(settings.data)
        if url is None:
            raise
        raise Problem(f"{settings.data} is held by a node", f"ask the node: -r {url}") from locked
    try:
        return LocalChain(Chain(store, machines=ready), settings.data)
    except BaseException:
        store.close()
        raise


def url_of_holder(directory: Path) -> str | None:
    """Where the node that holds a directory can be reached; None when none is there (any more)."""
    try:
        url = (directory / URL_FILE).read_text(encoding="ascii").strip()
        parts = checked(url, URL_FILE)
        with socket.create_connection((parts.hostname or "", parts.port or 80), timeout=CONNECT_SECONDS):
            return url
    except (OSError, ValueError, Problem):
        return None


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
