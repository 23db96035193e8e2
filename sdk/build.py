"""From a source to the bytes to deploy: `.py`, `.c`, `Cargo.toml`, `.wat` and `.wasm` in, an `Artifact` out.

    artifact = build("contracts/token/token.c")
    chain.deploy(artifact, 10**27)

The same source, headers and tool versions give the same bytes, wherever and whenever they are built. Deployed code has
one custom section, `cvm` (see `envelope`); function names go to `Artifact.debug`, which begins with the deployed bytes.
Never: runs a contract, or writes a file that it was not told to.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import field
from pathlib import Path
from types import MappingProxyType

from contractvm.dataclass import dataclass
from contractvm.errors import ModuleError
from contractvm.rules import contract_rules
from contractvm.wasm.decode import decode
from contractvm.wasm.machine import WasmMachine
from sdk import envelope
from sdk.artifact import Artifact
from sdk.errors import BuildError
from sdk.interface import Interface

__all__ = ["SOURCES", "Artifact", "build", "compile_module"]

MANIFEST = "Cargo.toml"


@dataclass(frozen=True, slots=True)
class Linked:
    """A module as its tool made it, function names included, and what is known of its source."""

    name: str
    module: bytes
    interface: Interface = field(default_factory=Interface)
    warnings: tuple[str, ...] = ()
    compiler: str = ""
    options: tuple[str, ...] = ()


def build(path: str | Path, contract: str | None = None) -> Artifact:
    """Build a contract and check that a chain would take it.

    `contract` names one of several that a Python file has. A folder with a `Cargo.toml` is that crate.
    Raises: BuildError (ToolMissing when an extra is not installed), naming the file, the place and the way out;
    CompileError for Python, with all that is wrong in the file.
    """
    path = Path(path)
    if path.suffix == ".py":
        return _build_python(path, contract)
    if contract is not None:
        raise BuildError(f"{path}: only a Python file has several contracts; leave {contract!r} out")
    try:
        linked = _linked(path)
        code = envelope.seal(linked.module)
        names = envelope.names(linked.module)
        _check(code, code + names)
    except ModuleError as error:
        raise BuildError(f"{path}: {error}") from None
    warnings = linked.warnings
    pages = decode(code, contract_rules()).memories[0].minimum
    if pages > 1:
        warnings += (f"{path}: {pages} pages of memory, and every call pays for each: make its static data smaller",)
    return Artifact(
        linked.name,
        path,
        code,
        code + names,
        linked.interface,
        warnings,
        compiler=linked.compiler,
        options=linked.options,
    )


def compile_module(path: str | Path) -> bytes:
    """Build any module, contract or not, as it comes from its tool, with function names. Raises: BuildError."""
    path = Path(path)
    if path.suffix == ".py":
        return _build_python(path, None).debug
    try:
        return _linked(path).module
    except ModuleError as error:
        raise BuildError(f"{path}: {error}") from None


def _build_python(path: Path, contract: str | None) -> Artifact:
    """Compile a contract in Python. Raises: CompileError, BuildError."""
    from sdk import compiler  # the largest part of the SDK, which the other languages do not need

    compiled = compiler.compile_file(path, contract)
    try:
        _check(compiled.module, compiled.debug)
    except ModuleError as error:
        raise BuildError(f"{path}: {error}") from None
    return Artifact(
        compiled.name,
        path,
        compiled.module,
        compiled.debug,
        compiled.interface,
        tuple(map(str, compiled.warnings)),
        layout=compiled.layout,
        compiler=_package("contractvm"),
    )


def _linked(path: Path) -> Linked:
    """The module in or made from `path`. Raises: BuildError, ModuleError."""
    if (path / MANIFEST).is_file():
        path = path / MANIFEST
    tool = _cargo if path.name == MANIFEST else SOURCES.get(path.suffix)
    if tool is None:
        known = ", ".join([".py", ".c", MANIFEST, ".wat", ".wasm"])
        raise BuildError(f"{path}: a contract is built from {known}, not from {path.suffix or 'no suffix'}")
    try:
        return tool(path)
    except OSError as error:
        raise BuildError(f"{path}: {error.strerror or error}") from None


def _wasm(path: Path) -> Linked:
    return Linked(path.stem, path.read_bytes())


# Each language has a tool, and most builds are of one: what knows of the others is not imported.


def _wat(path: Path) -> Linked:
    from sdk import wat

    return Linked(path.stem, wat.assemble(path), compiler=_package("wasmtime"))


def _c(path: Path) -> Linked:
    from sdk import clang, declarations
    from sdk.tidy import tidy

    interface = declarations.read(path)
    compiled = clang.compile_c(path)
    warnings = (compiled.warnings,) if compiled.warnings else ()
    options = tuple(flag for flag in clang.FLAGS if not flag.startswith("-I"))
    return Linked(path.stem, tidy(compiled.module), interface, warnings, _package("ziglang"), options)


def _cargo(path: Path) -> Linked:
    from sdk import cargo
    from sdk.tidy import tidy

    compiled = cargo.compile_crate(path)
    warnings = (compiled.warnings,) if compiled.warnings else ()
    options = (*cargo.CODE_FLAGS, *cargo.LINK_FLAGS)
    return Linked(compiled.name, tidy(compiled.module), compiled.interface, warnings, compiled.compiler, options)


SOURCES: Mapping[str, Callable[[Path], Linked]] = MappingProxyType({".c": _c, ".wat": _wat, ".wasm": _wasm})
"""What makes a module of a file, by its suffix."""


def _package(name: str) -> str:
    """A Python package and its version."""
    from importlib.metadata import PackageNotFoundError, version

    try:
        return f"{name} {version(name)}"
    except PackageNotFoundError:
        return name


def _check(code: bytes, named: bytes) -> None:
    """Apply the chain's own check. Raises: ModuleError, as the code with names tells it if it can."""
    machine, rules = WasmMachine(background=False), contract_rules()
    try:
        machine.check(code, rules)
    except ModuleError:
        machine.check(named, rules)
        raise
