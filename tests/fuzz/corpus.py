"""Cases kept as files: what once failed, and some that are worth replaying. `NAME.wasm` beside `NAME.json`.

Never: overwrites another case; the name holds a digest of the module and its calls.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path

from tests.fuzz.generate import Case

FOLDER = Path(__file__).parent / "corpus"


def save(case: Case, note: str, folder: Path = FOLDER) -> Path:
    """Write a case with a note on what it showed; the path of its module."""
    calls = [[name, *arguments] for name, arguments in case.calls]
    digest = hashlib.sha256(case.wasm + json.dumps(calls).encode()).hexdigest()[:8]
    path = folder / f"seed{case.seed}-{digest}.wasm"
    folder.mkdir(exist_ok=True)
    path.write_bytes(case.wasm)
    about = {"note": note, "seed": case.seed, "gas": case.gas, "contract": case.contract, "calls": calls}
    more = {"limits": case.limits or None, "stack_weight": case.stack_weight, "slice": case.slice}
    text = json.dumps(about | {name: value for name, value in more.items() if value is not None}, indent=2)
    path.with_suffix(".json").write_text(text + "\n")
    return path


def read(path: Path) -> Case:
    """The case of a module's path."""
    about = json.loads(path.with_suffix(".json").read_text())
    calls = tuple((name, tuple(arguments)) for name, *arguments in about["calls"])
    limits = tuple(about.get("limits", ()))
    return Case(
        about["seed"],
        path.read_bytes(),
        calls,
        about["gas"],
        about.get("contract", False),
        limits,
        about.get("stack_weight"),
        about.get("slice"),
    )


def paths(folder: Path = FOLDER) -> Iterator[Path]:
    """The modules of all kept cases, by name."""
    return iter(sorted(folder.glob("*.wasm")))
