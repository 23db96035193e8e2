"""Reads signatures as people write them: Solidity's, cast's, or the bare canonical form.

    Parser("transfer(address to, uint256 amount)", "function").name()

Source: Solidity, "Contract ABI Specification" (types); the words between type and name from its grammar.
Never: knows what a signature is for; `abi` does.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Set
from dataclasses import dataclass

from sdk.abi_types import NESTING, ABIError, Array, Tuple, Type, elementary

TOKEN = re.compile(r"\s*([A-Za-z_$][A-Za-z0-9_$]*|\[\s*[0-9]*\s*\]|[(),])")
LOCATIONS = frozenset({"memory", "calldata", "storage", "payable"})
"""Words of Solidity that may stand between a type and a name and mean nothing here."""
MODIFIERS = frozenset("external public view pure payable nonpayable virtual override anonymous".split())  # noqa: SIM905


@dataclass(frozen=True, slots=True)
class Parameter:
    type: Type
    name: str = ""
    indexed: bool = False


def parse_type(text: str) -> Type:
    """Read `uint256`, `(address,bytes)[2][]`. Raises: ABIError."""
    parser = Parser(text, "")
    type_ = parser.type(0)
    parser.end()
    return type_


def parse_types(text: str) -> tuple[Type, ...]:
    """Read a list of parameters, named or not: `constructor(uint256)`, `(address,bytes)`. Raises: ABIError."""
    parser = Parser(text, "")
    if not parser.at("("):
        parser.name()
    types = tuple(parameter.type for parameter in parser.parameters())
    parser.end()
    return types


class Parser:
    """Reads one signature from left to right; errors name the place in it."""

    __slots__ = ("i", "keyword", "text", "tokens")

    def __init__(self, text: str, keyword: str) -> None:
        self.text = text
        self.tokens = list(tokenize(text))
        self.i = 0
        if keyword and len(self.tokens) > 1 and self.tokens[0] == keyword and self.tokens[1] != "(":
            self.i = 1

    @property
    def token(self) -> str:
        return self.tokens[self.i] if self.i < len(self.tokens) else ""

    def at(self, token: str) -> bool:
        return self.token == token

    def next(self) -> str:
        token = self.token
        self.i += 1
        return token

    def expect(self, token: str) -> None:
        if self.next() != token:
            self.i -= 1
            raise self.error(f"{token!r} expected")

    def error(self, reason: str) -> ABIError:
        found = f"before {self.token!r}" if self.token else "at its end"
        return ABIError(f"signature {self.text!r}: {reason} {found}")

    def end(self) -> None:
        if self.token:
            raise self.error("nothing more expected")

    def skip(self, words: Set[str]) -> None:
        while self.token in words:
            self.i += 1

    def name(self) -> str:
        if not self.token or not (self.token[0].isalpha() or self.token[0] in "_$"):
            raise self.error("a name expected")
        return self.next()

    def parameters(self) -> tuple[Parameter, ...]:
        self.expect("(")
        found: list[Parameter] = []
        while not self.at(")"):
            if found:
                self.expect(",")
            type_ = self.type(0)
            self.skip(LOCATIONS)
            indexed = self.at("indexed")
            self.skip({"indexed"})
            name = self.next() if self.token and self.token not in "(),[" else ""
            found.append(Parameter(type_, name, indexed))
        self.expect(")")
        return tuple(found)

    def type(self, depth: int) -> Type:
        if depth > NESTING:
            raise self.error(f"more than {NESTING} types inside one another")
        if self.at("tuple") or self.at("("):
            self.skip({"tuple"})
            type_: Type = self.tuple(depth)
        else:
            type_ = elementary(self.name())
        while self.token.startswith("["):
            depth += 1
            if depth > NESTING:
                raise self.error(f"more than {NESTING} types inside one another")
            digits = self.next()[1:-1].strip()
            if digits and (len(digits) > 9 or int(digits) == 0):
                raise self.error("an array has 1 to 999999999 items")
            if type_.head == 0:
                raise self.error("an array of empty tuples has no encoding")
            type_ = Array(type_, int(digits) if digits else None)
        return type_

    def tuple(self, depth: int) -> Tuple:
        self.expect("(")
        items: list[Type] = []
        while not self.at(")"):
            if items:
                self.expect(",")
            items.append(self.type(depth + 1))
            if self.token and self.token not in "(),[":
                self.next()
        self.expect(")")
        return Tuple(tuple(items))


def tokenize(text: str) -> Iterator[str]:
    """Split a signature into words, brackets and commas. Raises: ABIError."""
    at = 0
    stripped = text.rstrip()
    while at < len(stripped):
        match = TOKEN.match(stripped, at)
        if not match:
            raise ABIError(f"signature {text!r}: unexpected {stripped[at]!r} at character {at + 1}")
        yield match[1]
        at = match.end()
