"""From a place in code to a line of a source, and from a slot to a field: what the debug module and the layout know.

Never: guesses; without a map a place is the function's name and a byte, without a layout a slot is its key.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from contractvm.dataclass import dataclass
from contractvm.errors import Place
from contractvm.rules import contract_rules
from contractvm.wasm.decode import decode

if TYPE_CHECKING:
    from sdk.compiler.back.debug import SourceMap
    from sdk.compiler.layout_decode import Stored


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a source; `text` without what it is indented by."""

    file: Path
    number: int
    text: str

    def __str__(self) -> str:
        return f"{self.file.name}:{self.number}: {self.text}" if self.text else f"{self.file.name}:{self.number}"


@dataclass(frozen=True, slots=True)
class Changed:
    """A slot before and after; None where it had no value. `entry` is one of the two: it says which field."""

    entry: Stored
    before: Stored | None
    after: Stored | None


def text_on_disk(file: Path) -> str:
    """A source as it is now; nothing when it is gone."""
    return file.read_text(encoding="utf-8") if file.exists() else ""


class Map:
    """What is known of one contract's code."""

    def __init__(
        self,
        code: bytes,
        debug: bytes = b"",
        layout: Mapping[str, Any] | None = None,
        text: Callable[[Path], str] = text_on_disk,
    ) -> None:
        """`debug` is the code with names and, of Python, a map; `text` gives a source that the map names."""
        self._code = code
        self._debug = debug
        self._layout = None if layout is None else dict(layout)
        self._text = text
        self._texts: dict[Path, list[str]] = {}

    @cached_property
    def lines(self) -> SourceMap | None:
        """Where code comes from; None when there is no map. Raises: Malformed."""
        if not self._debug:
            return None
        from sdk.compiler.back.debug import read_map  # the compiler is imported where there is something of its making

        return read_map(self._debug)

    @cached_property
    def names(self) -> Mapping[int, str]:
        """Names of functions by their index. Raises: Malformed."""
        module = self._debug or self._code
        return decode(module, contract_rules()).names if module else {}

    def function(self, index: int) -> str:
        """A function's name, made up from its index where it has none."""
        return self.names.get(index) or f"function {index}"

    def authored(self, offset: int) -> bool:
        """Whether the author wrote what is at a byte of the module: code of the runtime has no line."""
        return self.lines is None or self.lines.at(offset) is not None

    def line(self, place: Place) -> Line | None:
        """The line of a source that a place belongs to."""
        span = self.lines.at(place.offset) if self.lines is not None and place.offset is not None else None
        if span is None or self.lines is None:
            return None
        file = self.lines.files[span.file]
        text = self._lines(file)[span.line - 1 : span.line]
        return Line(file, span.line, "".join(text).strip())

    def _lines(self, file: Path) -> list[str]:
        if file not in self._texts:
            self._texts[file] = self._text(file).splitlines()
        return self._texts[file]

    def tell(self, place: Place | None) -> str:
        """A place as people read it, "" when it is not known."""
        if place is None or place.function is None or place.offset is None:
            return ""
        line = self.line(place)
        if line is not None:
            return str(line)
        return f"{self.function(place.function)} at byte {place.offset:#x}"

    def entry(self, key: bytes, value: bytes) -> Stored | None:
        """What an entry of storage is; None when the layout does not say."""
        if self._layout is None:
            return None
        from sdk.compiler.layout_decode import Unreadable, decode_entry  # as above

        try:
            return decode_entry(self._layout, key, value)
        except Unreadable:
            return None

    def changed(self, key: bytes, before: bytes, after: bytes) -> Changed | None:
        """What a change of storage means; None when the layout does not say. No bytes are no value."""
        old, new = (self.entry(key, value) if value else None for value in (before, after))
        if (before and old is None) or (after and new is None):
            return None
        known = old if old is not None else new
        return None if known is None else Changed(known, old, new)
