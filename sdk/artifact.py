"""A contract that was built: its bytes, what is known of it, and the files that say so.

Beside NAME.wasm, which is exactly what is deployed, lie NAME.debug.wasm (the same with names and, of Python, the source
map), NAME.abi.json (Solidity's JSON ABI), NAME.gas.json, NAME.build.json (compiler, options, hash: for `contractvm
verify`) and, of Python, NAME.layout.json (the storage layout: for `contractvm upgrade-check`).
Never: builds, or writes anything but these files.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from contractvm.crypto import keccak256
from contractvm.dataclass import dataclass
from contractvm.rules import contract_rules
from contractvm.wasm.decode import decode
from contractvm.wasm.sections import plan, prices
from sdk.interface import Interface

RECORD = ".build.json"


@dataclass(frozen=True, slots=True)
class Artifact:
    """A contract that was built and would be accepted for deployment."""

    name: str
    path: Path
    code: bytes
    """What is deployed; constructor arguments follow it."""
    debug: bytes
    """The same bytes, then function names: for people's tools, never for the chain."""
    interface: Interface
    """What the source declares; empty where it cannot declare anything."""
    warnings: tuple[str, ...]
    layout: Mapping[str, Any] | None = None
    """Where each field of a Python contract is stored."""
    compiler: str = ""
    """What made the module, with its version."""
    options: tuple[str, ...] = ()

    @property
    def hash(self) -> bytes:
        """Keccak-256 of the code: what the chain's `code_hash` says of a contract deployed from it."""
        return keccak256(self.code)

    def record(self) -> dict[str, object]:
        """What has to be the same for the same bytes to come out again."""
        return {
            "name": self.name,
            "source": self.path.name,
            "compiler": self.compiler,
            "options": list(self.options),
            "codeHash": "0x" + self.hash.hex(),
            "bytes": len(self.code),
        }

    def files(self) -> dict[str, bytes]:
        """Contents by what follows the name: `.wasm`, `.abi.json` ..."""
        documents: dict[str, object] = {
            ".abi.json": self.interface.to_json(),
            ".gas.json": gas_by_function(self.debug),
            RECORD: self.record(),
        }
        if self.layout is not None:
            documents[".layout.json"] = dict(self.layout)
        texts = {suffix: (json.dumps(document, indent=2) + "\n").encode() for suffix, document in documents.items()}
        return {".wasm": self.code, ".debug.wasm": self.debug, **texts}

    def write(self, directory: Path, name: str = "") -> tuple[Path, ...]:
        """Write the files, under the contract's name or another; return their paths, the code's first.

        Raises: OSError.
        """
        directory.mkdir(parents=True, exist_ok=True)
        paths = []
        for suffix, content in self.files().items():
            path = directory / f"{name or self.name}{suffix}"
            path.write_bytes(content)
            paths.append(path)
        return tuple(paths)


def gas_by_function(module: bytes) -> dict[str, object]:
    """What deploying the code costs beyond the transaction, and each function's gas if every instruction ran once.

    Gas of functions is in thousandths; host functions, frames, storage and calls of other functions come on top.
    """
    rules = contract_rules()
    decoded = decode(module, rules)
    per_instruction = prices(rules)
    functions = {}
    for index in range(decoded.imported_functions, decoded.imported_functions + len(decoded.functions)):
        body = decoded.functions[index - decoded.imported_functions]
        runs = plan(decoded, index, per_instruction).runs
        functions[decoded.function_name(index)] = {
            "milligas": sum(run.cost for run in runs),
            "instructions": len(body.code.ops),
            "bytes": body.size,
        }
    return {"functions": functions}
