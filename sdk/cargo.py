"""Compiles a Rust crate to a wasm module, with the Rust that is installed: rustup's, or Debian's without any download.

A crate that depends on nothing but `contractvm` is compiled by `rustc` alone, in a temporary folder, with the crate in
`sdk/rust`; one that has more (dependencies, features, a build script, a workspace) is cargo's. The output depends on
the sources and the compiler's version, not on where they are. The ABI is what the crate's macros left in `cvm.abi`.
Never: writes beside the source, but for cargo's own lock file.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from contractvm.dataclass import dataclass
from sdk import envelope, toolchain
from sdk.abi import ABIError
from sdk.errors import BuildError, ToolMissing
from sdk.interface import Interface

CRATE = Path(__file__).parent / "rust"
TARGET = "wasm32-unknown-unknown"
STACK_BYTES = 8192
SECTION = b"cvm.abi"
VERSIONS = frozenset({"0.1", "0.1.0", "*"})
"""Versions of the crate that a manifest may ask for."""
INSTALL = f"rustup target add {TARGET}, or on Debian: apt install rustc libstd-rust-dev-wasm32 lld"
CODE_FLAGS = ("-Copt-level=2", "-Cpanic=abort", "-Ccodegen-units=1", "-Ctarget-feature=+bulk-memory,+mutable-globals")
LINK_FLAGS = ("-Clto=fat", f"-Clink-arg=-zstack-size={STACK_BYTES}")
PLAIN = frozenset({"package", "lib", "dependencies"})
"""Tables of a manifest that need no cargo."""


@dataclass(frozen=True, slots=True)
class Compiled:
    """A linked module with function names, what it declares, and what the compiler warned of."""

    name: str
    module: bytes
    interface: Interface
    warnings: str
    compiler: str
    """The compiler and its version."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """What is used of a `Cargo.toml`."""

    path: Path
    name: str
    edition: str
    library: Path
    plain: bool
    """Whether `rustc` alone is enough."""

    @classmethod
    def read(cls, path: Path) -> Manifest:
        """Raises: BuildError, naming what is missing; OSError."""
        try:
            table = tomllib.loads(path.read_text(encoding="utf-8"))
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise BuildError(f"{path}: {error}") from None
        package, library = table.get("package", {}), table.get("lib", {})
        name = library.get("name", package.get("name"))
        if not isinstance(name, str):
            raise BuildError(f"{path}: it has no package.name; name the Cargo.toml of the contract's own crate")
        _check_version(path, table.get("dependencies", {}).get("contractvm"))
        plain = table.keys() <= PLAIN and table.get("dependencies", {}).keys() <= {"contractvm"}
        plain &= "build" not in package and not (path.parent / "build.rs").exists()
        edition = package.get("edition", "2015")
        source = path.parent / library.get("path", "src/lib.rs")
        return cls(path, name.replace("-", "_"), edition, source, plain and isinstance(edition, str))


def _check_version(path: Path, wanted: Any) -> None:
    """Refuse a version that would be somebody else's crate. Raises: BuildError."""
    version = wanted.get("version", "*") if isinstance(wanted, dict) else wanted
    if version is not None and version not in VERSIONS:
        raise BuildError(f'{path}: the crate contractvm that comes with this SDK is 0.1.0: contractvm = "0.1.0"')


def find_rustc() -> str | None:
    """The first compiler that has the wasm target: $RUSTC, the one on PATH, Debian's."""
    for candidate in (os.environ.get("RUSTC"), "rustc", "/usr/bin/rustc"):
        found = shutil.which(candidate) if candidate else None
        if found and _has_target(found):
            return found
    return None


def _has_target(rustc: str) -> bool:
    """Whether a compiler's core library for the target is there."""
    try:
        code, output, _ = toolchain.run([rustc, "--print", "target-libdir", "--target", TARGET], dict(os.environ))
    except (OSError, subprocess.TimeoutExpired):
        return False
    return code == 0 and any(Path(output).glob("libcore-*"))


def version_of(rustc: str) -> str:
    """A compiler's name and version, as it says them. Raises: OSError, subprocess.TimeoutExpired."""
    return toolchain.run([rustc, "--version"], dict(os.environ))[1]


def compile_crate(path: Path) -> Compiled:
    """Compile and link the crate of a `Cargo.toml`. Raises: ToolMissing, BuildError with the compiler's own message."""
    manifest = Manifest.read(path)
    rustc = find_rustc()
    if rustc is None:
        raise ToolMissing(f"{path}: compiling Rust", f"rustc with the target {TARGET}", INSTALL)
    with tempfile.TemporaryDirectory(prefix="contractvm-") as directory:
        steps = _by_rustc if manifest.plain else _by_cargo
        module, said = steps(rustc, manifest, Path(directory))
    lines = envelope.custom(module, SECTION).decode("utf-8", "replace").splitlines()
    try:
        interface = Interface().extended([line.removeprefix("function ") for line in lines])
    except ABIError as error:
        raise BuildError(f"{path}: {error}") from None
    return Compiled(manifest.name, module, interface, said, version_of(rustc))


def _by_rustc(rustc: str, manifest: Manifest, directory: Path) -> tuple[bytes, str]:
    """Compile the SDK's crate and the contract's, in this order."""
    crate, output = directory / "libcontractvm.rlib", directory / "module.wasm"
    common = (f"--target={TARGET}", "--color=never", *CODE_FLAGS)
    theirs, ours = manifest.library.resolve(), (CRATE / "src" / "lib.rs").resolve()
    first = ["--edition=2021", "--crate-type=rlib", "--crate-name=contractvm", "--cap-lints=allow"]
    first += [f"--remap-path-prefix={ours.parent}=contractvm", "-o", str(crate), str(ours)]
    _run(manifest, [rustc, *common, *first])
    then = [f"--edition={manifest.edition}", "--crate-type=cdylib", f"--crate-name={manifest.name}"]
    then += [f"--remap-path-prefix={theirs.parent}=src", f"--remap-path-prefix={directory}=build"]
    then += [f"--extern=contractvm={crate}", "-o", str(output), str(theirs)]
    said = _run(manifest, [rustc, *common, *LINK_FLAGS, *then])
    return output.read_bytes(), said


def _by_cargo(rustc: str, manifest: Manifest, directory: Path) -> tuple[bytes, str]:
    """Let cargo build the crate and its dependencies, in a target folder of ours."""
    # Debian's cargo goes with Debian's compiler: a newer one asks it what it does not know.
    cargo = shutil.which("cargo", path=str(Path(rustc).parent)) or shutil.which("cargo")
    if cargo is None:
        raise ToolMissing(f"{manifest.path}: a crate with more than the dependency contractvm", "cargo", INSTALL)
    path = manifest.path.resolve()
    flags = [*CODE_FLAGS, *LINK_FLAGS[1:], f"--remap-path-prefix={path.parent}=crate"]
    environment = {"RUSTC": rustc, "CARGO_ENCODED_RUSTFLAGS": "\x1f".join(flags)}
    settings = (
        f'patch.crates-io.contractvm.path="{CRATE.resolve().as_posix()}"',
        'profile.release.lto="fat"',
        'profile.release.panic="abort"',
    )
    options = [f"--target={TARGET}", f"--target-dir={directory}", f"--manifest-path={path}"]
    options += [f"--config={setting}" for setting in settings]
    command = [cargo, "build", "--release", "--lib", "--quiet", "--color=never", *options]
    try:
        # cargo asks the registry even for a crate that is patched: the network is tried where it is needed.
        said = _run(manifest, [*command, "--offline"], environment)
    except BuildError:
        said = _run(manifest, command, environment)
    found = sorted((directory / TARGET / "release").glob("*.wasm"))
    if not found:
        raise BuildError(f'{path}: cargo made no module; the crate needs [lib] crate-type = ["cdylib"]')
    return found[0].read_bytes(), said


def _run(manifest: Manifest, command: Sequence[str], environment: dict[str, str] | None = None) -> str:
    """Run one step; return its warnings. Raises: BuildError."""
    try:
        code, _, said = toolchain.run(command, os.environ | (environment or {}), manifest.path.parent)
    except subprocess.TimeoutExpired:
        raise BuildError(f"{manifest.path}: {command[0]} did not finish within {toolchain.SECONDS} seconds") from None
    except OSError as error:
        raise BuildError(f"{manifest.path}: {command[0]} cannot be started: {error.strerror or error}") from None
    if code:
        raise BuildError(f"{manifest.path}: it does not compile\n{said or f'{command[0]} ended with {code}'}")
    return said
