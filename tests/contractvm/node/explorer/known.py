"""Artifacts as `contractvm deploy -r` tells a node of them, and contracts that are deployed with theirs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sdk.artifact import Artifact
from sdk.compiler.back.debug import read_map
from tests.contractvm.node.deployed import Contract, built
from tests.contractvm.node.local import Local


def document(artifact: Artifact, **changes: Any) -> dict[str, Any]:
    """What is told of a build."""
    places = read_map(artifact.debug)
    files = places.files if places is not None else ()
    return {
        "codeHash": "0x" + artifact.hash.hex(),
        "name": artifact.name,
        "abi": artifact.interface.to_json(),
        "layout": artifact.layout,
        "sources": {str(file): Path(file).read_text(encoding="utf-8") for file in files},
        "debug": "0x" + artifact.debug.hex(),
        "compiler": artifact.compiler,
        "options": list(artifact.options),
        **changes,
    }


def deploy(node: Local, path: str, contract: str | None, *arguments: Any, **changes: Any) -> Contract:
    """A contract of `contracts/` that the node was told of; `changes` are to what it was told."""
    artifact = built(path, contract)
    node.rpc("cvm_addArtifact", document(artifact, **changes))
    return Contract(node, artifact, *arguments)
