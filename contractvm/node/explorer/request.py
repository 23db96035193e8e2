"""What a reader asks for, and what they are given: a page, a file, or another address to go to.

Never: knows what is on a page.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qsl, unquote

Scope = Mapping[str, Any]
Answer = tuple[int, list[tuple[bytes, bytes]], bytes]
"""Status, headers, body."""

MOST_FIELDS = 256
"""Fields of a form or a query."""


class Missing(Exception):
    """There is no such thing here; the message says what, and what else to try."""


class Wrong(Exception):
    """The address or the form cannot be read; the message says what is wrong with it."""


@dataclass(frozen=True, slots=True)
class Page:
    """A template and what it shows."""

    template: str
    facts: Mapping[str, Any] = field(default_factory=dict)
    status: int = HTTPStatus.OK


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """What was asked for is at another path of ours."""

    path: str


@dataclass(frozen=True, slots=True)
class Request:
    """A request, read. `path` is in parts, without empty ones; of a field given twice the last counts."""

    method: str
    path: tuple[str, ...]
    query: Mapping[str, str]
    headers: Mapping[str, str]
    form: Mapping[str, str]
    token: str = ""
    """What this reader's forms have to carry."""

    @property
    def host(self) -> str:
        """The Host header."""
        return self.headers.get("host", "")

    def number(self, name: str) -> int | None:
        """A whole number of zero or more from the query. Raises: Wrong."""
        text = self.query.get(name)
        if not text:
            return None
        if not text.isascii() or not text.isdigit() or len(text) > 20:
            raise Wrong(f"{name} is {text[:40]!r}, not a whole number")
        return int(text)


def read(scope: Scope, body: bytes) -> Request:
    """Read what ASGI hands over. Raises: Wrong."""
    headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
    parts = tuple(unquote(part) for part in scope.get("raw_path", scope["path"].encode()).decode("latin-1").split("/"))
    return Request(
        method=scope["method"],
        path=tuple(part for part in parts if part),
        query=fields(scope.get("query_string", b"")),
        headers=headers,
        form=fields(body) if scope["method"] == "POST" else {},
    )


def fields(encoded: bytes) -> dict[str, str]:
    """Fields of a query or a form. Raises: Wrong."""
    try:
        return dict(parse_qsl(encoded.decode("latin-1"), keep_blank_values=True, max_num_fields=MOST_FIELDS))
    except ValueError:
        raise Wrong(f"more than {MOST_FIELDS} fields") from None
