"""The oracle says of every example of docs/language.md what the page says: two readings of one text."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from sdk.lang import ZERO_ADDRESS
from tests.sdk.language_examples import Example, check, examples
from tests.sdk.semantics.abi import reason
from tests.sdk.semantics.driver import ACCOUNTS, Payer, deploy, oracle
from tests.sdk.semantics.values import Reverted, panic
from tests.sources import ROOT

EXAMPLES = [example for example in examples() if not example.rejected]


@contextmanager
def expect(what: ast.expr) -> Iterator[None]:
    with pytest.raises(Reverted) as caught:
        yield
    match what:
        case ast.Constant(value=str() as text):
            assert caught.value.data == reason(text).data
        case ast.Constant(value=int() as code):
            assert caught.value.data == panic(code).data
        case ast.Call(keywords=fields):
            words = b"".join(int(ast.literal_eval(one.value)).to_bytes(32, "big") for one in fields)
            assert caught.value.data[4:] == words


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.name)
def test_the_oracle_agrees_with_the_page(example: Example) -> None:
    machine = oracle(example.source, ROOT)
    alice, bob, carol = ACCOUNTS[:3]
    names: dict[str, Any] = {name: name for name in machine.module.classes}
    names["deploy"] = lambda name, *given, **named: deploy(machine, name, *given, **named)
    scope: dict[str, Any] = {
        "chain": Payer(machine),
        **names,
        "alice": alice,
        "bob": bob,
        "carol": carol,
        "ZERO_ADDRESS": ZERO_ADDRESS,
    }
    if not any(line.startswith("c = ") for line in example.expected):
        scope["c"] = deploy(machine, example.contract)
    for line in example.expected:
        check(line, scope, expect)
