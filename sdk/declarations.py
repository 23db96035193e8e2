"""Selectors, errors and events that a C contract declares: read from its source and hashed, so that none is wrong.

C cannot hash a string while it compiles, so an author writes the number and the signature side by side (`cvm_abi.h`)
and this module proves that they belong together. From the signatures comes what an artifact knows of its interface.
Never: expands macros. A declaration that is not written out is an error, because it could not be checked.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path

from sdk.abi import ABIError, Error, Event, Function
from sdk.errors import BuildError

_SKIPPED = re.compile(r'/\*.*?\*/|//[^\n]*|("(?:\\.|[^"\\\n])*")', re.DOTALL)
_USE = re.compile(r"\bCVM_(SELECTOR|ERROR|EVENT)\s*\(")
_NUMBER = r"(0[xX][0-9a-fA-F]+)"
_TEXT = r'"([^"\n]*)"'
_SELECTOR = re.compile(rf"\s*{_NUMBER}\s*,\s*{_TEXT}\s*\)")
_EVENT = re.compile(
    rf"\s*\w+\s*,\s*(\d+)\s*,\s*{_TEXT}\s*,\s*{_NUMBER}\s*,\s*{_NUMBER}\s*,\s*{_NUMBER}\s*,\s*{_NUMBER}\s*\)"
)


@dataclass(slots=True)
class Interface:
    """Signatures as written, in order."""

    functions: list[str] = field(default_factory=list)
    events: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)


def read(path: Path, source: str) -> Interface:
    """Collect and check every declaration of a source. Raises: BuildError, with file, line and the right number."""
    text = _SKIPPED.sub(lambda match: match[1] or re.sub(r"[^\n]", " ", match[0]), source)
    interface = Interface()
    for use in _USE.finditer(text):
        line = text.count("\n", 0, use.start()) + 1
        place = f"{path}:{line}"
        try:
            if use[1] == "EVENT":
                _event(place, _EVENT.match(text, use.end()), interface)
            else:
                _selector(place, use[1], _SELECTOR.match(text, use.end()), interface)
        except ABIError as error:
            raise BuildError(f"{place}: {error}") from None
    return interface


def _selector(place: str, kind: str, match: re.Match[str] | None, interface: Interface) -> None:
    if match is None:
        raise BuildError(f'{place}: write CVM_{kind}(0x12345678, "name(types)"): a number and a signature')
    number, text = int(match[1], 16), match[2]
    if kind == "ERROR":
        selector = Error.parse(text).selector
        interface.errors.append(text)
    else:
        selector = Function.parse(text).selector
        interface.functions.append(text)
    if number != int.from_bytes(selector, "big"):
        raise BuildError(f"{place}: {text} has the selector 0x{selector.hex()}, not {match[1]}")


def _event(place: str, match: re.Match[str] | None, interface: Interface) -> None:
    if match is None:
        raise BuildError(
            f'{place}: write CVM_EVENT(name, indexed, "Name(types)", a, b, c, d): the topic as four numbers'
        )
    event = Event.parse(match[2])
    indexed = sum(parameter.indexed for parameter in event.inputs)
    if indexed != int(match[1]):
        raise BuildError(f"{place}: {match[2]} has {indexed} indexed parameters, not {match[1]}")
    if b"".join(int(number, 16).to_bytes(32, "big")[24:] for number in match.groups()[2:]) != event.hash:
        parts = ", ".join(f"0x{event.hash[i : i + 8].hex()}" for i in range(0, 32, 8))
        raise BuildError(f"{place}: {event.text} has the topic {parts}")
    interface.events.append(match[2])
