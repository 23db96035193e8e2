"""Reads signatures as people write them: Solidity's, cast's, or the bare canonical form.

    Parser("transfer(address to, uint256 amount)", "function").name()

A tuple may be written with its members' names, and a struct with its own name too: `struct Point(int64 x, int64 y)[]`.
Source: Solidity, "Contract ABI Specification" (types); the words between type and name from its grammar.
Never: knows what a signature is for; `abi` does.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Set

from contractvm.dataclass import dataclass
from sdk.abi_types import NESTING, ABIError, Array, Tuple, Type, elementary

TOKEN = re.compile(r"\s*([A-Za-z_$][A-Za-z0-9_$]*|\[\s*[0-9]*\s*\]|[(),])")
LOCATIONS = frozenset({"memory", "calldata", "storage", "payable"})
"""Words of Solidity that may stand between a type and a name and mean nothing here."""
MUTABILITY = ("pure", "view", "nonpayable", "payable")
"""What a function may do, as JSON ABIs say it."""
MODIFIERS = frozenset({*MUTABILITY, "external", "public", "virtual", "override", "anonymous"})


@dataclass(frozen=True, slots=True)
class Parameter:
    """A type and what it is called. Of a tuple, or arrays of one, `components` are the members."""

    type: Type
    name: str = ""
    indexed: bool = False
    components: tuple[Parameter, ...] = ()
    struct: str = ""
    """Name of the struct that the tuple is."""

    @property
    def suffix(self) -> str:
        """The array brackets behind the innermost type: `[2][]`."""
        type_, brackets = self.type, ""
        while isinstance(type_, Array):
            brackets = f"[{'' if type_.length is None else type_.length}]{brackets}"
            type_ = type_.item
        return brackets

    @property
    def text(self) -> str:
        """The parameter as a parser reads it again, names included."""
        type_ = self.type.name
        if self.components or self.struct:
            start = f"struct {self.struct}" if self.struct else ""
            type_ = f"{start}({', '.join(member.text for member in self.components)}){self.suffix}"
        return " ".join(filter(None, (type_, "indexed" if self.indexed else "", self.name)))


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
    parser.modifiers()
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

    def modifiers(self) -> frozenset[str]:
        """The words behind a list of parameters. Raises: ABIError when two of them say what a function may do."""
        found: set[str] = set()
        while self.token in MODIFIERS:
            if self.token in MUTABILITY and not found.isdisjoint(MUTABILITY):
                raise self.error(f"only one of {', '.join(MUTABILITY)} expected")
            found.add(self.next())
        return frozenset(found)

    def parameters(self, depth: int = 0) -> tuple[Parameter, ...]:
        """A list in brackets; with a `depth`, the members of a tuple."""
        self.expect("(")
        found: list[Parameter] = []
        while not self.at(")"):
            if found:
                self.expect(",")
            found.append(self.parameter(depth))
        self.expect(")")
        return tuple(found)

    def parameter(self, depth: int) -> Parameter:
        type_, components, struct = self.typed(depth)
        self.skip(LOCATIONS)
        indexed = depth == 0 and self.at("indexed")
        if indexed:
            self.next()
        name = self.next() if self.token and self.token not in "()," and self.token[0] != "[" else ""
        return Parameter(type_, name, indexed, components, struct)

    def type(self, depth: int) -> Type:
        return self.typed(depth)[0]

    def typed(self, depth: int) -> tuple[Type, tuple[Parameter, ...], str]:
        """A type; of a tuple also its members and its name."""
        if depth > NESTING:
            raise self.error(f"more than {NESTING} types inside one another")
        components: tuple[Parameter, ...] = ()
        struct = ""
        if self.at("struct"):
            self.next()
            struct = self.name()
        if struct or self.at("tuple") or self.at("("):
            self.skip({"tuple"})
            components = self.parameters(depth + 1)
            type_: Type = Tuple(tuple(component.type for component in components))
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
        return type_, components, struct


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
