"""What the builds beside us say of contracts: custom errors and events, by their JSON ABIs. And what a node is told.

Looked for in `build/` and here, where `contractvm build` writes them. Never: trusts them with more than words.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from sdk.artifact import Artifact
    from sdk.interface import Interface

FOLDERS: Final = ("build", ".")
SUFFIX: Final = ".abi.json"
MOST_FILES: Final = 200
LARGEST: Final = 4 << 20
"""Bytes of a file."""


def artifact_document(artifact: Artifact) -> dict[str, object]:
    """A build as `cvm_addArtifact` takes it."""
    from sdk.sources import source_texts

    return {
        "codeHash": "0x" + artifact.hash.hex(),
        "name": artifact.name,
        "abi": artifact.interface.to_json(),
        "layout": None if artifact.layout is None else dict(artifact.layout),
        "debug": "0x" + artifact.debug.hex(),
        "sources": source_texts(artifact.path, artifact.debug),
        "compiler": artifact.compiler,
        "options": list(artifact.options),
    }


def known_errors() -> tuple[str, ...]:
    """Signatures of custom errors."""
    return tuple(dict.fromkeys(text for interface in interfaces() for text in interface.errors))


def known_events() -> tuple[str, ...]:
    """Declarations of events."""
    return tuple(dict.fromkeys(text for interface in interfaces() for text in interface.events))


def interfaces() -> tuple[Interface, ...]:
    """What the builds in the working directory declare."""
    from sdk.abi import ABIError
    from sdk.interface import Interface

    found = []
    for path in _files():
        try:
            if path.stat().st_size <= LARGEST:
                found.append(Interface.from_json(json.loads(path.read_text(encoding="utf-8"))))
        except (OSError, ValueError, RecursionError, ABIError):
            continue  # somebody else's file, or one that is being written
    return tuple(found)


def _files() -> Iterator[Path]:
    for folder in FOLDERS:
        yield from sorted(Path(folder).glob(f"*{SUFFIX}"))[:MOST_FILES]
