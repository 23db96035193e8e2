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

FOLDER: Final = "artifacts"
"""Where builds lie in a data directory."""


def trace(chain: Chain, digest: Hash, directory: Path) -> dict[str, Any]:
    """As `cvm_trace`. Raises: Fault; ValueError for calls too deep to be read back."""
    document = telling.trace(replay.mined(chain, digest), Artifacts(directory / FOLDER))
    # What stands deep is encoded already, and plain again after the way through bytes.
    read: dict[str, Any] = orjson.loads(orjson.dumps(document))
    return read


def remember(artifact: Mapping[str, Any], directory: Path) -> None:
    """As `cvm_addArtifact`. Raises: Fault."""
    Artifacts(directory / FOLDER).add(artifact)
