"""From a place in code to a line of a source, and from a slot to a field: what the debug module and the layout know.

Never: guesses; without a map a place is the function's name and a byte, without a layout a slot is its key.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from pathlib import Path

from contractvm.dataclass import dataclass
from contractvm.errors import Place
from contractvm.rules import contract_rules
from contractvm.wasm.decode import decode
from sdk.compiler.back.debug import SourceMap, read_map
from sdk.compiler.layout_decode import Unreadable, decode_entry
from sdk.testing.source import Source
from sdk.testing.values import written


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a source; `text` without what it is indented by."""

    file: Path
    number: int
    text: str

    def __str__(self) -> str:
        return f"{self.file.name}:{self.number}: {self.text}" if self.text else f"{self.file.name}:{self.number}"


class Map:
    """What is known of one contract's code."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._texts: dict[Path, list[str]] = {}

    @cached_property
    def lines(self) -> SourceMap | None:
        """Where code comes from; None when there is no map. Raises: Malformed."""
        return read_map(self._source.debug) if self._source.debug else None

    @cached_property
    def _names(self) -> Mapping[int, str]:
        return decode(self._source.debug or self._source.code, contract_rules()).names

    def authored(self, offset: int) -> bool:
        """Whether the author wrote what is at a byte of the module: code of the runtime has no line."""
        return self.lines is None or self.lines.at(offset) is not None

    def line(self, place: Place) -> Line | None:
        """The line of a source that a place belongs to."""
        span = self.lines.at(place.offset) if self.lines is not None and place.offset is not None else None
        if span is None or self.lines is None:
            return None
        file = self.lines.files[span.file]
        text = self._text(file)[span.line - 1 : span.line]
        return Line(file, span.line, "".join(text).strip())

    def _text(self, file: Path) -> list[str]:
        if file not in self._texts:
            self._texts[file] = file.read_text(encoding="utf-8").splitlines() if file.exists() else []
        return self._texts[file]

    def tell(self, place: Place | None) -> str:
        """A place as people read it, "" when it is not known."""
        if place is None or place.function is None or place.offset is None:
            return ""
        line = self.line(place)
        if line is not None:
            return str(line)
        return f"{self._names.get(place.function) or f'function {place.function}'} at byte {place.offset:#x}"

    def slot(self, key: bytes, before: bytes, after: bytes, labels: Mapping[bytes, str]) -> str:
        """A change of storage: `Token.balance_of[accounts[1]]: nothing -> 5`."""
        if self._source.layout is not None:
            try:
                values = [
                    decode_entry(dict(self._source.layout), key, value) if value else None for value in (before, after)
                ]
            except Unreadable:
                values = []
            known = next((value for value in values if value is not None), None)
            if known is not None:
                path = "".join(f"[{written(step, labels)}]" for step in known.path)
                old, new = ("nothing" if value is None else written(value.value, labels) for value in values)
                return f"{known.field}{path}{' length' if known.is_length else ''}: {old} -> {new}"
        old, new = (f"0x{value.hex()}" if value else "nothing" for value in (before, after))
        return f"0x{key.hex()}: {old} -> {new}"
