"""Fetches the C source of a real library for the bench: a source package of PyPI, checked against its hash, kept.

Nothing of it is built or imported here, and nothing of it is part of this tree. `pip` fetches, so that its settings
hold. Never: takes a file whose hash differs.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tarfile
import tempfile
from dataclasses import dataclass
from pathlib import Path

from tests.bench.compile import BenchError

LINES = 3
"""Of what pip says when it fails."""


@dataclass(frozen=True, slots=True)
class Package:
    """A source package and the files wanted of it."""

    name: str
    version: str
    sha256: str
    files: tuple[str, ...]


MONOCYPHER = Package(
    "pymonocypher",
    "4.0.3.4",
    "5e56e3d3eb770a53e0b9f6274146663c11a11f3d0de5cd48e3be0428d1b07a4a",
    ("monocypher.c", "monocypher.h"),
)


def cache() -> Path:
    """Where fetched sources are kept between runs; not where the object cache wants to be alone."""
    root = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(root) / "contractvm-bench"


def folder_of(package: Package) -> Path:
    """The folder with the package's files, fetched if need be. Raises: BenchError saying why it cannot be had."""
    folder = cache() / f"{package.name}-{package.version}-{package.sha256[:16]}"
    if not all((folder / name).is_file() for name in package.files):
        try:
            folder.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory() as scratch:
                unpack(fetch(package, Path(scratch)), package, folder)
        except OSError as error:
            raise BenchError(f"{package.name} {package.version} cannot be kept: {error}") from error
    return folder


def fetch(package: Package, scratch: Path) -> Path:
    """Let pip fetch the source package and check its hash. Raises: BenchError with pip's words."""
    wanted = scratch / "wanted.txt"
    wanted.write_text(f"{package.name}=={package.version} --hash=sha256:{package.sha256}\n")
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]
    command += ["--no-binary", package.name, "--require-hashes", "--dest", str(scratch), "--requirement", str(wanted)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
    found = list(scratch.glob("*.tar.gz"))
    if done.returncode != 0 or not found:
        words = " ".join(done.stderr.split("\n")[:LINES]).strip()
        raise BenchError(f"{package.name} {package.version} cannot be fetched: {words or 'no source package came'}")
    return found[0]


def unpack(archive: Path, package: Package, folder: Path) -> None:
    """Copy the wanted files, and no others, out of the archive's folder. Raises: BenchError when one is missing."""
    with tarfile.open(archive) as content:
        by_name = {member.name: member for member in content.getmembers() if member.isfile()}
        for name in package.files:
            member = by_name.get(f"{package.name}-{package.version}/{name}")
            stream = None if member is None else content.extractfile(member)
            if stream is None:
                raise BenchError(f"{archive.name} has no file {name}")
            (folder / name).write_bytes(stream.read())
