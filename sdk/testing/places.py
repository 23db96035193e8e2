"""From a place in code to a line of a source: names from the debug module, lines from its source map.

Never: guesses; without a map a place is the function's name and a byte.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from contractvm.errors import Place
from contractvm.rules import contract_rules
from contractvm.wasm.decode import decode
from sdk.testing.source import Source


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a source; `text` without what it is indented by."""

    file: Path
    number: int
    text: str

    def __str__(self) -> str:
        return f"{self.file.name}:{self.number}: {self.text}"


class Map:
    """What is known of one contract's code."""

    def __init__(self, source: Source) -> None:
        self._source = source

    @cached_property
    def _names(self) -> Mapping[int, str]:
        return decode(self._source.debug or self._source.code, contract_rules()).names

    def line(self, place: Place) -> Line | None:
        """The line of a source that a place belongs to."""
        return None

    def tell(self, place: Place | None) -> str:
        """A place as people read it, "" when it is not known."""
        if place is None or place.function is None:
            return ""
        line = self.line(place)
        if line is not None:
            return str(line)
        name = self._names.get(place.function)
        return f"{name or f'function {place.function}'} at byte {place.offset:#x}" if place.offset is not None else ""
