"""What a node says of builds and traces, on a chain that no node serves: for the command line on a data directory.

Never: a server or a loop; whoever calls has the chain open and waits.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import orjson

from contractvm.chain import BlockId, Chain
from contractvm.execute import Message
from contractvm.nesting import RaisedRecursionLimit
from contractvm.node import replay, telling
from contractvm.node.artifacts import Artifacts, read_artifact
from contractvm.node.words import entry_words
from contractvm.types import Hash
from sdk.interface import Interface

FOLDER: Final = "artifacts"
"""Where builds lie in a data directory."""


class Builds:
    """The builds in a data directory, read once."""

    def __init__(self, directory: Path) -> None:
        self._artifacts = Artifacts(directory / FOLDER)

    def trace(self, chain: Chain, digest: Hash) -> dict[str, Any]:
        """As `cvm_trace`. Raises: Fault."""
        return self._told(replay.mined(chain, digest))

    def trace_call(self, chain: Chain, message: Message, at: BlockId) -> dict[str, Any]:
        """As `cvm_traceCall`. Raises: as `trace`."""
        context = replace(chain.context(at), debug=None)
        return self._told(replay.Subject(chain, chain.world(at), context, message=message))

    def _told(self, subject: replay.Subject) -> dict[str, Any]:
        # What stands deep is encoded already, and plain again after the way through bytes. Not by orjson, whose
        # bound is lower than the deepest calls.
        encoded = orjson.dumps(telling.trace(subject, self._artifacts))
        with RaisedRecursionLimit():
            read: dict[str, Any] = json.loads(encoded)
        return read

    def add(self, artifact: Mapping[str, Any]) -> None:
        """As `cvm_addArtifact`. Raises: Fault."""
        self._artifacts.add(*read_artifact(artifact))

    def known(self, code_hash: bytes) -> tuple[str, Interface] | None:
        """Name and interface of a contract."""
        found = self._artifacts.get(code_hash)
        return None if found is None else (found.name, found.interface)

    def words(self, code_hash: bytes, key: bytes, value: bytes) -> Mapping[str, object]:
        """What an entry of storage is, as `cvm_storage` says it."""
        return entry_words(self._artifacts.get(code_hash), key, value)
