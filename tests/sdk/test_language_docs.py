"""docs/language.md: every example is accepted by mypy, compiled, deployed and called; what it says comes out."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from contractvm.types import Address
from sdk.compiler import Compiled, CompileError, compile_file
from sdk.lang import ZERO_ADDRESS
from sdk.testing import Deployed, MockChain, Reverted
from tests.sdk.language_examples import Example, check, examples

EXAMPLES = tuple(examples())
RUN = [example for example in EXAMPLES if not example.rejected]
REJECTED = [example for example in EXAMPLES if example.rejected]


def test_the_page_has_examples_of_both_kinds() -> None:
    assert len(RUN) > 20 and len(REJECTED) >= 2
    assert all(example.expected for example in EXAMPLES), "an example without an expectation"


def test_mypy_accepts_every_example(tmp_path: Path) -> None:
    from mypy.api import run

    for example in RUN:
        (tmp_path / f"line{example.line}.py").write_text(example.source, encoding="utf-8")
    cache = ["--cache-dir", str(tmp_path / "cache"), "--config-file", ""]
    report, errors, status = run(["--strict", "--disable-error-code=empty-body", *cache, str(tmp_path)])
    assert status == 0, report + errors


@contextmanager
def expect(what: ast.expr) -> Iterator[None]:
    """A reason, as the page writes it."""
    with pytest.raises(Reverted) as caught:
        yield
    refusal = caught.value.refusal
    match what:
        case ast.Constant(value=str() as text):
            assert refusal.text == text
        case ast.Constant(value=int() as code):
            assert caught.value.data == bytes.fromhex("4e487b71") + code.to_bytes(32, "big"), refusal.text
        case ast.Call(func=ast.Name(id=name), keywords=fields):
            assert refusal.name == name
            assert caught.value.fields == {one.arg: ast.literal_eval(one.value) for one in fields}
        case _:
            pytest.fail(f"the page expects {ast.unparse(what)}")


@pytest.mark.parametrize("example", RUN, ids=lambda example: example.name)
def test_an_example_does_what_the_page_says(
    chain: MockChain, accounts: tuple[Address, ...], tmp_path: Path, example: Example
) -> None:
    path = tmp_path / "example.py"
    path.write_text(example.source, encoding="utf-8")
    built: dict[str, Compiled] = {}

    def deploy(name: str, *arguments: Any, **named: Any) -> Deployed:
        compiled = built.get(name) or built.setdefault(name, compile_file(path, name))
        return chain.deploy(compiled, *arguments, **named)

    classes = {node.name: node.name for node in ast.parse(example.source).body if isinstance(node, ast.ClassDef)}
    alice, bob, carol = accounts[:3]
    names: dict[str, Any] = {**classes, "deploy": deploy, "chain": chain, "ZERO_ADDRESS": ZERO_ADDRESS}
    names |= {"alice": alice, "bob": bob, "carol": carol}
    if not any(line.startswith("c = ") for line in example.expected):
        names["c"] = deploy(example.contract)
    for line in example.expected:
        check(line, names, expect)


@pytest.mark.parametrize("example", REJECTED, ids=lambda example: example.name)
def test_a_rejected_example_is_rejected(tmp_path: Path, example: Example) -> None:
    path = tmp_path / "example.py"
    path.write_text(example.source, encoding="utf-8")
    with pytest.raises(CompileError) as caught:
        compile_file(path)
    assert all(diagnostic.help for diagnostic in caught.value.diagnostics)
