"""Values of a script: arguments made from them, results compared with them.

Integers are non-negative bit patterns, a null reference is None, a function reference is whatever the engine exports,
and `ref.extern N` is an opaque `ExternRef`. Never: a float; those never get here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

BITS = {"i32": 32, "i64": 64}
NULL_TYPES = frozenset({"ref.null", "nullref", "nullfuncref", "nullexternref"})


@dataclass(frozen=True, slots=True)
class ExternRef:
    """The host's reference number `number`: equal to itself alone."""

    number: int


class ValueFormError(Exception):
    """The script has a value of a form this runner does not know."""


def argument(value: Mapping[str, Any]) -> object:
    """The engine's form of an argument. Raises: ValueFormError."""
    kind, text = value["type"], value.get("value")
    if kind in BITS and isinstance(text, str):
        return int(text) & ((1 << BITS[kind]) - 1)
    if kind in NULL_TYPES or text == "null":
        return None
    if kind in ("ref.extern", "externref", "ref.host") and isinstance(text, str):
        return ExternRef(int(text))
    raise ValueFormError(f"no argument of type {kind!r} with value {text!r}")


def matches(value: Mapping[str, Any], got: object) -> bool:
    """Whether one result is as expected. Raises: ValueFormError."""
    kind, text = value["type"], value.get("value")
    if kind == "either":
        return any(matches(choice, got) for choice in value["values"])
    if kind in BITS or kind in NULL_TYPES or text is not None:
        wanted = argument(value)
        return type(got) is type(wanted) and got == wanted
    if kind in ("ref.extern", "externref"):
        return isinstance(got, ExternRef)
    if kind in ("ref.func", "funcref"):
        return got is not None and not isinstance(got, (int, ExternRef))
    raise ValueFormError(f"no result of type {kind!r}")


def all_match(expected: Sequence[Mapping[str, Any]], got: Sequence[object]) -> bool:
    """Whether the results are as many as expected and each as expected. Raises: ValueFormError."""
    return len(expected) == len(got) and all(map(matches, expected, got))


def show(values: Sequence[Mapping[str, Any]]) -> str:
    """Expected values for people."""
    return "[" + " ".join(f"{v['type']}:{v.get('value', 'any')}" for v in values) + "]"
