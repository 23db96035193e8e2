"""`X.debug.wasm`: the module that is deployed, byte for byte, and behind it names of functions and a map to the source.

The map is a custom section, `contractvm.source`: JSON, deflated. Offsets are bytes in the deployed module, as traps,
traces and profiles give them. `spans` says from which offset on code belongs to which place (or to none: runtime);
`branches` which `br_if` and `if` decide which test of the source.
Source: WebAssembly core specification, sections 5.5.3 and 7.4.1 (name section). Never: changes what is deployed.
"""

from __future__ import annotations

import json
import zlib
from bisect import bisect_right
from pathlib import Path
from typing import Any, Final

from contractvm.dataclass import dataclass
from contractvm.errors import Malformed
from contractvm.wasm.encode import custom
from contractvm.wasm.module import Custom
from sdk.compiler.back.link import Linked
from sdk.compiler.symbols import Span
from sdk.envelope import MARK_BYTES, custom_name, leb, seal, sections

SECTION: Final = "contractvm.source"
VERSION: Final = 1
MOST_BYTES: Final = 32 << 20
"""Bytes of a map when it is read; the rest of a larger one is not, so that it is refused."""


@dataclass(frozen=True, slots=True)
class Branch:
    """A `br_if` or an `if` at a byte of the module; an i32 other than 0 means that the test is `when`."""

    offset: int
    span: Span
    when: bool


@dataclass(frozen=True, slots=True)
class SourceMap:
    """Where in the source code comes from. Spans' files are indices into `files`."""

    files: tuple[Path, ...]
    offsets: tuple[int, ...]
    """Where each of `spans` begins, rising."""
    spans: tuple[Span | None, ...]
    branches: tuple[Branch, ...]

    def at(self, offset: int) -> Span | None:
        """The place that the instruction at a byte of the module is from; None for the runtime's own."""
        index = bisect_right(self.offsets, offset) - 1
        return self.spans[index] if index >= 0 else None

    def lines(self) -> frozenset[tuple[int, int]]:
        """Every (file, line) that some code begins at: what coverage counts."""
        return frozenset((span.file, span.line) for span in self.spans if span is not None)


def debug_module(linked: Linked, files: tuple[Path, ...]) -> bytes:
    """The sealed module with its names and its map."""
    places: dict[Span, int] = {}

    def number(span: Span | None) -> int:
        return -1 if span is None else places.setdefault(span, len(places))

    spans = [[offset + MARK_BYTES, number(span)] for offset, span in linked.spans]
    branches = [[offset + MARK_BYTES, number(span), int(when)] for offset, span, when in linked.branches]
    content: dict[str, Any] = {
        "version": VERSION,
        "files": [str(file) for file in files],
        "places": [[place.file, place.line, place.column, place.end_line, place.end_column] for place in places],
        "spans": spans,
        "branches": branches,
    }
    packed = zlib.compress(json.dumps(content, separators=(",", ":")).encode(), 9)
    return seal(linked.module) + custom(linked.names) + custom(Custom(SECTION, packed))


def read_map(debug: bytes) -> SourceMap | None:
    """The map of a debug module; None when it has none. Raises: Malformed for one that is not as written here."""
    for kind, section in sections(debug):
        if kind == 0 and custom_name(section) == SECTION.encode():
            _, at = leb(section, 1)
            return _read(section[at + 1 + len(SECTION) :])
    return None


def _read(packed: bytes) -> SourceMap:
    try:
        inflate = zlib.decompressobj()
        content = json.loads(inflate.decompress(packed, MOST_BYTES))
        if content["version"] != VERSION:
            raise Malformed(f"the source map has version {content['version']}, this reads {VERSION}: build it again")
        places = [Span(*numbers) for numbers in content["places"]]
        return SourceMap(
            tuple(map(Path, content["files"])),
            tuple(offset for offset, _ in content["spans"]),
            tuple(None if number < 0 else places[number] for _, number in content["spans"]),
            tuple(Branch(offset, places[number], bool(when)) for offset, number, when in content["branches"]),
        )
    except (zlib.error, ValueError, KeyError, TypeError, IndexError) as wrong:
        raise Malformed(f"the source map cannot be read: {wrong}") from None
