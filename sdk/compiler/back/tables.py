"""How every node of the typed tree is written: the parts' tables in one.

Never: writes code itself; each part knows its own nodes.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from sdk.compiler.back import (
    abi_nodes,
    arith,
    builtins,
    bytes,
    calls,
    control,
    convert,
    events,
    functions,
    logic,
    making,
    storage,
)
from sdk.compiler.back.writer import Tables, Write


def _merged(*tables: Mapping[type, Write]) -> Mapping[type, Write]:
    """One table. Raises: ValueError when two say how to write the same."""
    merged: dict[type, Write] = {}
    for table in tables:
        for node, write in table.items():
            if node in merged:
                raise ValueError(f"two parts write {node.__name__}")
            merged[node] = write
    return MappingProxyType(merged)


TABLES: Final = Tables(
    _merged(
        abi_nodes.EXPRESSIONS,
        arith.EXPRESSIONS,
        builtins.EXPRESSIONS,
        bytes.EXPRESSIONS,
        calls.EXPRESSIONS,
        control.EXPRESSIONS,
        convert.EXPRESSIONS,
        functions.EXPRESSIONS,
        logic.EXPRESSIONS,
        making.EXPRESSIONS,
    ),
    _merged(control.STATEMENTS, events.STATEMENTS, making.STATEMENTS, storage.STATEMENTS),
    storage.STORAGE,
)
