"""THE TABLE of methods: every name that the node answers to, aliases included."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from contractvm.node.methods import (
    about,
    blocks,
    calls,
    cvm,
    debug,
    dev,
    discover,
    fees,
    filters,
    info,
    logs,
    mining,
    send,
    sign,
    snapshots,
    source,
    state,
    txpool,
)
from contractvm.node.rows import Method

MODULES = (
    about,
    discover,
    state,
    blocks,
    calls,
    logs,
    filters,
    fees,
    txpool,
    send,
    sign,
    dev,
    mining,
    snapshots,
    info,
    debug,
    cvm,
    source,
)


@cache
def methods() -> Mapping[str, Method]:
    """Each method under each of its names. Raises: ValueError when two rows want one name."""
    table: dict[str, Method] = {}
    for module in MODULES:
        for method in module.rows.methods:
            for name in (method.name, *method.aliases):
                if name in table:
                    raise ValueError(f"two methods are called {name}")
                table[name] = method
    return table
