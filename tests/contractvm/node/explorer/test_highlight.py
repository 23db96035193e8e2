"""Coloured sources: no character is lost, whatever the source is."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contractvm.node.explorer.highlight import LINES, WIDEST, lines_of

TOKEN = Path(__file__).parents[4] / "contracts" / "token" / "token.py"


def joined(text: str, name: str = "a.py") -> list[str]:
    return ["".join(words for _, words in line) for line in lines_of(name, text)]


def test_a_contract() -> None:
    text = TOKEN.read_text(encoding="utf-8")
    assert "\n".join(joined(text)) + "\n" == text
    pieces = {piece for line in lines_of("token.py", text) for piece in line}
    assert {("k", "class"), ("k", "def"), ("d", "external"), ("n", "self"), ("n", "18")} <= pieces
    assert lines_of("token.c", text)[5] == [("", "class Transfer(Event):")]


@pytest.mark.parametrize(
    "text", ["'''a\nb\n'''\nx", "x = (\n", "\tif x:\n  y", "f'{a!r}' + \"b\"", "a\x00b", "\ud800 = 1", "@\n@a", ""]
)
def test_odd_sources(text: str) -> None:
    assert "\n".join(joined(text)) == text.rstrip("\n") or "\n".join(joined(text)) == text


@given(st.text(max_size=300))
def test_nothing_is_lost(text: str) -> None:
    shown = joined(text)
    assert shown == text.split("\n")[: len(shown)]
    assert not "".join(text.split("\n")[len(shown) :]).strip()


def test_bounds() -> None:
    shown = joined("x = 1\n" * (LINES + 10) + "")
    assert len(shown) == LINES
    assert [len(line) for line in joined("y" * (WIDEST + 5))] == [WIDEST]
