"""Selectors, errors and events that a C contract declares: read from its source and hashed, so that none is wrong.

C cannot hash a string while it compiles, so an author writes the number and the signature side by side (`cvm_abi.h`)
and this module proves that they belong together. From the signatures comes what an artifact knows of its interface.
Never: expands macros. A declaration that is not written out is an error, because it could not be checked.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from sdk.abi import ABIError, Error, Event, Function, parse_types
from sdk.errors import BuildError
from sdk.interface import Interface

_SKIPPED = re.compile(r'/\*.*?\*/|//[^\n]*|("(?:\\.|[^"\\\n])*")', re.DOTALL)
_USE = re.compile(r"\bCVM_(SELECTOR|REMOTE|ERROR|EVENT|CONSTRUCTOR)\s*\(")
_INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*"([^"\n]+)"', re.MULTILINE)
_NUMBER = r"0[xX][0-9a-fA-F]+"
_TEXT = r'"(?P<text>[^"\n]*)"'
_SELECTOR = re.compile(rf"\s*(?P<number>{_NUMBER})\s*,\s*{_TEXT}\s*\)")
_FORMS = {
    "SELECTOR": _SELECTOR,
    "REMOTE": _SELECTOR,
    "ERROR": _SELECTOR,
    "EVENT": re.compile(
        rf"\s*\w+\s*,\s*(?P<indexed>\d+)\s*,\s*{_TEXT}\s*,(?P<topic>\s*{_NUMBER}\s*(?:,\s*{_NUMBER}\s*){{3}})\)"
    ),
    "CONSTRUCTOR": re.compile(rf"\s*{_TEXT}\s*\)"),
}
_EXAMPLES = {
    "SELECTOR": 'CVM_SELECTOR(0x12345678, "name(types)"): a number and a signature',
    "REMOTE": 'CVM_REMOTE(0x12345678, "name(types)"): a number and a signature',
    "ERROR": 'CVM_ERROR(0x12345678, "Name(types)"): a number and a signature',
    "EVENT": 'CVM_EVENT(name, indexed, "Name(types)", a, b, c, d): the topic is four numbers',
    "CONSTRUCTOR": 'CVM_CONSTRUCTOR("constructor(types)")',
}


def read(path: Path) -> Interface:
    """Collect and check every declaration of a source and of the files beside it that it includes by `"name"`.

    Raises: BuildError, with file, line and the right number; OSError when `path` cannot be read.
    """
    found: dict[str, list[str]] = {kind: [] for kind in _FORMS}
    for file, text in _sources(path):
        for use in _USE.finditer(text):
            kind = use[1]
            place = f"{file}:{text.count(chr(10), 0, use.start()) + 1}"
            match = _FORMS[kind].match(text, use.end())
            if match is None:
                raise BuildError(f"{place}: write {_EXAMPLES[kind]}")
            try:
                _check(place, kind, match)
            except ABIError as error:
                raise BuildError(f"{place}: {error}") from None
            found[kind].append(match["text"])
    if len(found["CONSTRUCTOR"]) > 1:
        raise BuildError(f"{path}: CVM_CONSTRUCTOR is there {len(found['CONSTRUCTOR'])} times; a contract has one")
    return Interface(
        functions=tuple(found["SELECTOR"]),
        events=tuple(found["EVENT"]),
        errors=tuple(found["ERROR"]),
        constructor="".join(found["CONSTRUCTOR"]),
    )


def _sources(path: Path) -> Iterator[tuple[Path, str]]:
    """Each file once, with its comments blanked out. Raises: OSError for `path` itself."""
    waiting, seen = [path], {path.resolve()}
    while waiting:
        file = waiting.pop()
        source = file.read_text(encoding="utf-8", errors="surrogateescape")
        text = _SKIPPED.sub(lambda match: match[1] or re.sub(r"[^\n]", " ", match[0]), source)
        yield file, text
        for include in _INCLUDE.finditer(text):
            beside = file.parent / include[1]
            if beside.resolve() not in seen and beside.is_file():
                seen.add(beside.resolve())
                waiting.append(beside)


def _check(place: str, kind: str, match: re.Match[str]) -> None:
    """Compare a declaration's numbers with its signature. Raises: BuildError, ABIError."""
    text = match["text"]
    if kind == "CONSTRUCTOR":
        parse_types(text)
    elif kind == "EVENT":
        _check_event(place, Event.parse(text), match)
    else:
        selector = Error.parse(text).selector if kind == "ERROR" else Function.parse(text).selector
        if int(match["number"], 16) != int.from_bytes(selector, "big"):
            raise BuildError(f"{place}: {text} has the selector 0x{selector.hex()}, not {match['number']}")


def _check_event(place: str, event: Event, match: re.Match[str]) -> None:
    indexed = sum(parameter.indexed for parameter in event.inputs)
    if indexed != int(match["indexed"]):
        raise BuildError(f"{place}: {event.text} has {indexed} indexed parameters, not {match['indexed']}")
    given = [int(number, 16) for number in match["topic"].split(",")]
    if given != [int.from_bytes(event.hash[i : i + 8], "big") for i in range(0, 32, 8)]:
        parts = ", ".join(f"0x{event.hash[i : i + 8].hex()}" for i in range(0, 32, 8))
        raise BuildError(f"{place}: {event.text} has the topic {parts}")
