"""What a node says of builds and traces, on a chain that no node serves: for the command line on a data directory.

Never: a server or a loop; whoever calls has the chain open and waits.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import orjson

from contractvm.chain import Chain
from contractvm.node import replay, telling
from contractvm.node.artifacts import Artifacts
from contractvm.types import Hash
from sdk.interface import Interface

FOLDER: Final = "artifacts"
"""Where builds lie in a data directory."""


class Builds:
    """The builds in a data directory, read once."""

    def __init__(self, directory: Path) -> None:
        self._artifacts = Artifacts(directory / FOLDER)

    def trace(self, chain: Chain, digest: Hash) -> dict[str, Any]:
        """As `cvm_trace`. Raises: Fault; ValueError for calls too deep to be read back."""
        document = telling.trace(replay.mined(chain, digest), self._artifacts)
        # What stands deep is encoded already, and plain again after the way through bytes.
        read: dict[str, Any] = orjson.loads(orjson.dumps(document))
        return read

    def add(self, artifact: Mapping[str, Any]) -> None:
        """As `cvm_addArtifact`. Raises: Fault."""
        self._artifacts.add(artifact)

    def known(self, code_hash: bytes) -> tuple[str, Interface] | None:
        """Name and interface of a contract."""
        found = self._artifacts.get(code_hash)
        return None if found is None else (found.name, found.interface)
