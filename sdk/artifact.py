"""A contract that was built: its bytes, what is known of it, and the files that say so.

Beside NAME.wasm, which is exactly what is deployed, lie NAME.debug.wasm (the same with names and, of Python, the source
map), NAME.abi.json (Solidity's JSON ABI), NAME.gas.json, NAME.build.json (compiler, options, hash: for `contractvm
verify`) and, of Python, NAME.layout.json (the storage layout: for `contractvm upgrade-check`).
Never: builds, or writes anything but these files.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from contractvm.crypto import keccak256
from contractvm.dataclass import dataclass
from contractvm.rules import contract_rules
from contractvm.wasm.decode import decode
from contractvm.wasm.sections import plan, prices
from sdk.interface import Interface
from sdk.sources import source_texts

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

    def document(self) -> dict[str, object]:
        """All of it for a node to know, as `cvm_addArtifact` takes it; sources are read now, from where they lie."""
        return {
            **self.record(),
            "abi": self.interface.to_json(),
            "layout": None if self.layout is None else dict(self.layout),
            "debug": "0x" + self.debug.hex(),
            "sources": source_texts(self.path, self.debug),
        }

    def files(self) -> dict[str, bytes]:
        """Contents by what follows the name: `.wasm`, `.abi.json` ..."""
        documents: dict[str, object] = {
            ".abi.json": self.interface.to_json(),
            ".gas.json": gas(self.debug, self.interface.functions),
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


def gas(module: bytes, functions: Sequence[str]) -> dict[str, object]:
    """`functions`: of each ABI function and the constructor the least gas of a call (`least_gas`), null where the code
    does not tell; `code`: each function of the module, thousandths of gas if every instruction ran once.
    """
    rules = contract_rules()
    decoded = decode(module, rules)
    per_instruction = prices(rules)
    code = {}
    for index in range(decoded.imported_functions, decoded.imported_functions + len(decoded.functions)):
        body = decoded.functions[index - decoded.imported_functions]
        runs = plan(decoded, index, per_instruction).runs
        code[decoded.function_name(index)] = {
            "milligas": sum(run.cost for run in runs),
            "instructions": len(body.code.ops),
            "bytes": body.size,
        }
    from sdk.least_gas import least_gas  # only who builds asks for gas

    least = {text: {"least": found} for text, found in least_gas(module, functions).items()}
    return {"functions": least, "code": code}
