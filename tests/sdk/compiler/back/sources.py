"""Contracts as source text, compiled and deployed, and what they keep in storage."""

from __future__ import annotations

import tempfile
from functools import cache
from pathlib import Path
from textwrap import dedent
from typing import Any

from contractvm.types import Address
from sdk.build import Artifact
from sdk.compiler import compile_file
from sdk.compiler.checking import checked
from sdk.compiler.diagnostics import Reporter
from sdk.compiler.layout import Layout
from sdk.compiler.layout_decode import decode_entry
from sdk.compiler.tree import Program
from sdk.testing import Deployed, MockChain


def program_of(text: str, contract: str | None = None) -> Program:
    """Check the contract of a source."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "source.py"
        path.write_text("from sdk import *\n" + dedent(text))
        return checked(path, contract, Reporter())[1]


@cache
def artifact_of(text: str, contract: str | None = None) -> tuple[Artifact, Layout]:
    """Compile the contract of a source; and its storage layout."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "source.py"
        path.write_text("from sdk import *\n" + dedent(text))
        made = compile_file(path, contract)
        return Artifact(made.name, path, made.module, made.debug, made.interface, ()), made.layout


def deployed(chain: MockChain, text: str, *arguments: Any, **options: Any) -> Deployed:
    return chain.deploy(artifact_of(text)[0], *arguments, **options)


def raw_entries(chain: MockChain, address: Address) -> dict[bytes, bytes]:
    """Everything a contract keeps, in order of keys."""
    world = chain.ledger.world
    found = {}
    key = world.next_key(address, None, inclusive=True, stop=None)
    while key is not None:
        found[key] = world.storage(address, key)
        key = world.next_key(address, key, inclusive=False, stop=None)
    return found


def entries(chain: MockChain, address: Address, layout_: Layout) -> dict[tuple[Any, ...], Any]:
    """(field, key, ...) -> value of everything a contract keeps; a list's length has `len` behind its keys."""
    found = {}
    for key, value in raw_entries(chain, address).items():
        stored = decode_entry(layout_, key, value)
        assert stored is not None, key.hex()
        where = (stored.field, *stored.path, *(("len",) if stored.is_length else ()))
        found[where] = stored.value
    return found
