"""Sources in lines of coloured words, for the eye alone: Python by its own tokenizer, everything else plain.

A source that does not tokenize is plain from there on; no character is ever lost. Never: reads more than it shows.
"""

from __future__ import annotations

import io
import keyword
import tokenize
from collections.abc import Iterator
from typing import Final

LINES: Final = 5_000
"""Lines of a file that are shown."""
WIDEST: Final = 1_000
"""Characters of a line that are shown."""
SOFT: Final = frozenset({"True", "False", "None", "self"})

Piece = tuple[str, str]
"""A class of words, empty for plain ones, and text."""
Line = list[Piece]


def lines_of(name: str, text: str) -> list[Line]:
    """The lines of a source, each in pieces that make it up."""
    plain = [line[:WIDEST] for line in text.split("\n")[:LINES]]
    while plain and not plain[-1].strip():
        plain.pop()
    marks: dict[int, list[tuple[int, int, str]]] = {}
    if name.endswith(".py") and "\0" not in text:  # newer tokenizers fail in odd ways on it
        for kind, (row, start), (last, end) in _marked("\n".join(plain) + "\n"):
            for at in range(row, last + 1):
                span = (start if at == row else 0, end if at == last else WIDEST, kind)
                marks.setdefault(at, []).append(span)
    return [_pieces(line, marks.get(number, [])) for number, line in enumerate(plain, 1)]


def _marked(text: str) -> Iterator[tuple[str, tuple[int, int], tuple[int, int]]]:
    """(class, start, end) of the words that have a colour."""
    decorated = False
    try:
        for token in tokenize.generate_tokens(io.StringIO(text).readline):
            kind = _kind(token, decorated)
            decorated = token.type == tokenize.OP and token.string == "@"
            if kind:
                yield kind, token.start, token.end
    except (tokenize.TokenError, SyntaxError, ValueError):
        return


def _kind(token: tokenize.TokenInfo, decorated: bool) -> str:
    match token.type:
        case tokenize.COMMENT:
            return "c"
        case tokenize.STRING:
            return "s"
        case tokenize.NUMBER:
            return "n"
        case tokenize.NAME if decorated:
            return "d"
        case tokenize.NAME if token.string in SOFT:
            return "n"
        case tokenize.NAME if keyword.iskeyword(token.string):
            return "k"
    return ""


def _pieces(line: str, marks: list[tuple[int, int, str]]) -> Line:
    pieces: Line = []
    at = 0
    for start, end, kind in marks:
        if start > at:
            pieces.append(("", line[at:start]))
        pieces.append((kind, line[max(start, at) : end]))
        at = max(at, end)
    if at < len(line) or not pieces:
        pieces.append(("", line[at:]))
    return pieces
