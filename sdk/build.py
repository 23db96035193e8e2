"""From a source to the bytes to deploy: `.c`, `.wat` and `.wasm` in, an `Artifact` out.

    artifact = build("contracts/token/token.c")
    chain.deploy(artifact, 10**27)

The same source, headers and tool versions give the same bytes, wherever and whenever they are built. Deployed code has
one custom section, `cvm` (see `envelope`); function names go to `Artifact.debug`, which begins with the deployed bytes.
Never: runs a contract, or writes a file that it was not told to.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from contractvm.errors import ModuleError
from contractvm.rules import contract_rules
from contractvm.wasm.decode import decode
from contractvm.wasm.machine import WasmMachine
from sdk import declarations, envelope
from sdk.clang import compile_c
from sdk.errors import BuildError
from sdk.interface import Interface
from sdk.tidy import tidy
from sdk.wat import assemble

SUFFIXES = (".c", ".wat", ".wasm")


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
    """Signatures declared in a C source; empty for the others."""
    warnings: tuple[str, ...]

    def write(self, directory: Path) -> tuple[Path, Path]:
        """Write `NAME.wasm` and `NAME.debug.wasm`; return their paths."""
        directory.mkdir(parents=True, exist_ok=True)
        code, debug = directory / f"{self.name}.wasm", directory / f"{self.name}.debug.wasm"
        code.write_bytes(self.code)
        debug.write_bytes(self.debug)
        return code, debug


def build(path: str | Path) -> Artifact:
    """Build a contract and check that a chain would take it.

    Raises: BuildError (ToolMissing when an extra is not installed), naming the file, the place and the way out.
    """
    path = Path(path)
    try:
        module, interface, warnings = _linked(path)
        code = envelope.seal(module)
        names = envelope.names(module)
        _check(code, code + names)
    except ModuleError as error:
        raise BuildError(f"{path}: {error}") from None
    pages = decode(code, contract_rules()).memories[0].minimum
    if pages > 1:
        warnings += (f"{path}: {pages} pages of memory, and every call pays for each: make its static data smaller",)
    return Artifact(path.stem, path, code, code + names, interface, warnings)


def compile_module(path: str | Path) -> bytes:
    """Build any module, contract or not, as it comes from its tool, with function names. Raises: BuildError."""
    path = Path(path)
    try:
        return _linked(path)[0]
    except ModuleError as error:
        raise BuildError(f"{path}: {error}") from None


def _linked(path: Path) -> tuple[bytes, Interface, tuple[str, ...]]:
    """The module in or made from `path`, function names included, what its source declares, and warnings."""
    if path.suffix not in SUFFIXES:
        raise BuildError(
            f"{path}: a contract is built from {', '.join(SUFFIXES)}, not from {path.suffix or 'no suffix'}"
        )
    try:
        if path.suffix == ".wasm":
            return path.read_bytes(), Interface(), ()
        if path.suffix == ".wat":
            return assemble(path), Interface(), ()
        interface = declarations.read(path)
    except OSError as error:
        raise BuildError(f"{path}: {error.strerror or error}") from None
    compiled = compile_c(path)
    warnings = (compiled.warnings,) if compiled.warnings else ()
    return tidy(compiled.module), interface, warnings


def _check(code: bytes, named: bytes) -> None:
    """Apply the chain's own check. Raises: ModuleError, as the code with names tells it if it can."""
    machine, rules = WasmMachine(background=False), contract_rules()
    try:
        machine.check(code, rules)
    except ModuleError:
        machine.check(named, rules)
        raise
