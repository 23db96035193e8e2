"""What builds leave with the node: names, ABIs, layouts, sources and maps of contracts, by the hash of their code.

The chain knows nothing of them; calls, logs, reverts and storage are told in words with their help. On a durable chain
they lie beside it, a file each, and are there again after a restart. There is room for so many; the ones that were
added first go first. Never: trusted with more than words.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any, Final

import orjson

from contractvm.crypto import keccak256
from contractvm.errors import ModuleError
from contractvm.node.fault import SERVER, Fault, bad_params
from contractvm.node.layouts import checked_layout
from contractvm.node.values import data, hash32, mapping, text
from contractvm.types import Hash
from contractvm.wasm.machine import WasmMachine
from sdk.abi import ABIError
from sdk.interface import Interface
from sdk.places import Map

log: Final = logging.getLogger("contractvm.node")

MOST: Final = 1_000
"""Artifacts that are known at a time."""
MOST_BYTES: Final = 64 << 20
"""Bytes of all of them together, as they are kept."""
LARGEST: Final = 6 << 20
"""Bytes of one."""
MOST_ERRORS: Final = 900
"""Custom errors that reverts are compared with: as many as stay parsed."""
SUFFIX: Final = ".json"
NEW: Final = ".new"


@dataclass(frozen=True, slots=True)
class Known:
    """A contract's build. `sources` are texts by the names that the map has for files."""

    code_hash: Hash
    name: str
    interface: Interface
    layout: Mapping[str, Any] | None
    sources: Mapping[str, str]
    compiler: str
    options: tuple[str, ...]
    abi: list[Any] = field(repr=False)
    """The JSON ABI as it came."""
    map: Map = field(repr=False)
    """From places in code to lines, from entries of storage to fields."""
    short: Mapping[str, str] = field(repr=False)
    """What sources are called where they are shown, by their names."""

    def shown_sources(self) -> dict[str, str]:
        """Sources by names without the folder that all of them lie in."""
        return {self.short[name]: content for name, content in self.sources.items()}

    def shown_file(self, file: Path) -> str:
        """What a file of the map is called there."""
        return self.short.get(str(file), file.name)


def short_names(names: Iterable[str]) -> list[str]:
    """File names without the folder that all of them lie in."""
    paths = [Path(name) for name in names]
    if not paths:
        return []
    common = os.path.commonpath([path.parent for path in paths]) if len({p.is_absolute() for p in paths}) == 1 else ""
    return [str(path.relative_to(common)) if common else str(path) for path in paths]


def known_of(document: Mapping[str, Any], *, again: bool = False) -> Known:
    """Read an artifact. Raises: Fault, naming what is wrong with it.

    `again`: it was read before, so that its debug module needs no other look than those who use it take.
    """
    code_hash = hash32(document.get("codeHash"))
    abi = document.get("abi") or []
    try:
        interface = Interface.from_json(abi)
    except ABIError as error:
        raise bad_params(f"abi: {error}") from None
    sources = mapping(document.get("sources") or {})
    if not all(isinstance(content, str) for content in sources.values()):
        raise bad_params("sources: texts by file name are expected")
    layout = checked_layout(document.get("layout"))
    debug = data(document["debug"]) if document.get("debug") else b""
    options = document.get("options") or []
    if not isinstance(options, list) or not all(isinstance(option, str) for option in options):
        raise bad_params("options: a list of texts is expected")
    names = Map(b"", debug, layout, lambda file: sources.get(str(file), ""))
    if debug and not again:
        _check_debug(debug, code_hash, names)
    return Known(
        code_hash=code_hash,
        name=text(document.get("name") or "contract")[:200],
        interface=interface,
        layout=layout,
        sources=sources,
        compiler=text(document.get("compiler") or "")[:200],
        options=tuple(options),
        abi=abi if isinstance(abi, list) else interface.to_json(),
        map=names,
        short=dict(zip(sources, short_names(sources), strict=True)),
    )


def _check_debug(debug: bytes, code_hash: Hash, names: Map) -> None:
    """Raises: Fault when a debug module cannot be read, or does not begin with the code that is deployed."""
    try:
        code, _ = WasmMachine(background=False).split(debug)
        if keccak256(code) != code_hash:
            raise bad_params(f"debug is of code 0x{keccak256(code).hex()}, codeHash is 0x{code_hash.hex()}")
        _ = names.lines, names.names
    except ModuleError as error:
        raise bad_params(f"debug: {error}") from None


def read_artifact(document: Mapping[str, Any]) -> tuple[Known, bytes]:
    """An artifact, and its bytes to keep; takes a while for large ones. Raises: Fault."""
    try:
        encoded = orjson.dumps(document)
    except orjson.JSONEncodeError as error:
        raise bad_params(f"the artifact cannot be written: {error}") from None
    if len(encoded) > LARGEST:
        raise bad_params(f"the artifact has {len(encoded)} bytes, at most {LARGEST} are kept; leave sources out")
    return known_of(document), encoded


class Artifacts:
    """The artifacts that are known. Added to on the event loop's thread; any thread looks."""

    def __init__(self, directory: Path | None = None) -> None:
        """Read those in a directory, which need not exist; None: they are kept in memory alone."""
        self._directory = directory
        self._known: dict[bytes, Known] = {}
        self._sizes: dict[bytes, int] = {}
        self.errors: tuple[str, ...] = ()
        """Signatures of custom errors, those of the latest builds first."""
        if directory is not None and directory.is_dir():
            self._load(directory)

    def get(self, code_hash: bytes) -> Known | None:
        """What is known of code."""
        return self._known.get(code_hash)

    def all(self) -> list[Known]:
        """All of them, in the order in which they were added."""
        return list(self._known.values())

    def add(self, known: Known, encoded: bytes) -> None:
        """Know an artifact from now on, in place of an earlier one of the same code. Raises: Fault."""
        if self._directory is not None:
            self._write(self._directory, known.code_hash, encoded)
        self._put(known, len(encoded))
        self._list_errors()

    def _put(self, known: Known, size: int) -> None:
        self._known.pop(known.code_hash, None)
        self._known[known.code_hash] = known
        self._sizes[known.code_hash] = size
        while len(self._known) > MOST or sum(self._sizes.values()) > MOST_BYTES:
            self._forget(next(iter(self._known)))

    def _list_errors(self) -> None:
        latest = reversed(self._known.values())
        errors = dict.fromkeys(error for each in latest for error in each.interface.errors)
        self.errors = tuple(islice(errors, MOST_ERRORS))

    def _forget(self, code_hash: bytes) -> None:
        gone = self._known.pop(code_hash)
        del self._sizes[code_hash]
        log.info("the artifact of %s is forgotten: there are too many", gone.name)
        if self._directory is not None:
            with suppress(OSError):
                self._file(self._directory, code_hash).unlink(missing_ok=True)

    def _file(self, directory: Path, code_hash: bytes) -> Path:
        return directory / f"{code_hash.hex()}{SUFFIX}"

    def _write(self, directory: Path, code_hash: bytes, encoded: bytes) -> None:
        """Replace a file, whole. Raises: Fault when the disk does not take it."""
        path = self._file(directory, code_hash)
        aside = path.with_suffix(NEW)
        try:
            directory.mkdir(exist_ok=True)
            aside.write_bytes(encoded)
            aside.replace(path)
        except OSError as error:
            raise Fault(SERVER, f"the artifact cannot be kept: {error.strerror}") from error

    def _load(self, directory: Path) -> None:
        files = [path for path in directory.iterdir() if path.suffix == SUFFIX]
        for path in sorted(files, key=lambda path: path.stat().st_mtime_ns):
            try:
                encoded = path.read_bytes()
                self._put(known_of(mapping(orjson.loads(encoded)), again=True), len(encoded))
            except (OSError, orjson.JSONDecodeError, Fault) as error:
                log.warning("the artifact in %s cannot be read, and is passed over: %s", path.name, error)
        self._list_errors()


class Authored:
    """Whether the author of a contract wrote what is at a byte of its code; asked for every instruction of a run."""

    __slots__ = ("_artifacts", "_found")

    def __init__(self, artifacts: Artifacts) -> None:
        self._artifacts = artifacts
        self._found: dict[tuple[bytes, int], bool] = {}

    def __call__(self, code_hash: bytes, offset: int) -> bool:
        """Of code that is not known, everything. Raises: Fault for a damaged map: no run may take that for its own."""
        found = self._found.get((code_hash, offset))
        if found is None:
            known = self._artifacts.get(code_hash)
            try:
                found = self._found[code_hash, offset] = known is None or known.map.authored(offset)
            except ModuleError as error:
                name = "" if known is None else known.name
                raise Fault(SERVER, f"the artifact of {name} is damaged, add it again: {error}") from error
        return found
