"""Solidity's ABI: functions, events and errors written as people write them, and the bytes that they become.

    transfer = Function.parse("transfer(address to, uint256 amount)(bool)")
    data = transfer.encode(to, 5)

Source: Solidity, "Contract ABI Specification" (selectors, events, errors); `Error(string)` and `Panic(uint256)` from
"Panic via assert and Error via require"; ERC-6093 for the token errors that everyone uses.
Never: JSON ABI and bindings.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from contractvm.crypto import keccak256
from sdk.abi_types import NESTING, ABIError, Array, Bytes, Tuple, Type, Value, decode, elementary, encode

__all__ = [
    "ABIError",
    "Error",
    "Event",
    "Function",
    "Refusal",
    "Type",
    "Value",
    "decode",
    "encode",
    "explain",
    "parse_type",
    "parse_types",
]

PARSED = 1024
"""Signatures of each kind that stay parsed: tests and tools use the same few again and again."""
TOKEN = re.compile(r"\s*([A-Za-z_$][A-Za-z0-9_$]*|\[\s*[0-9]*\s*\]|[(),])")
LOCATIONS = {"memory", "calldata", "storage", "payable"}
"""Words of Solidity that may stand between a type and a name and mean nothing here."""
MODIFIERS = {"external", "public", "view", "pure", "payable", "nonpayable", "virtual", "override", "anonymous"}

PANICS = {
    0x00: "generic panic",
    0x01: "assertion failed",
    0x11: "arithmetic overflow or underflow",
    0x12: "division or modulo by zero",
    0x21: "value is not a member of the enum",
    0x22: "storage byte array encoded wrongly",
    0x31: "pop of an empty array",
    0x32: "index out of bounds",
    0x41: "out of memory",
    0x51: "call of a function pointer never set",
}


@dataclass(frozen=True, slots=True)
class Parameter:
    type: Type
    name: str = ""
    indexed: bool = False


@dataclass(frozen=True, slots=True)
class Signature:
    """A name and parameters; `text` is the canonical form that gets hashed: `transfer(address,uint256)`."""

    name: str
    inputs: tuple[Parameter, ...]

    @property
    def types(self) -> tuple[Type, ...]:
        return tuple(parameter.type for parameter in self.inputs)

    @property
    def text(self) -> str:
        return f"{self.name}({','.join(type_.name for type_ in self.types)})"

    @property
    def hash(self) -> bytes:
        """32 bytes: an event's topic; the first four of them are a function's or an error's selector."""
        return keccak256(self.text.encode())


@dataclass(frozen=True, slots=True)
class Function(Signature):
    outputs: tuple[Parameter, ...] = ()

    @classmethod
    @lru_cache(maxsize=PARSED)
    def parse(cls, text: str) -> Function:
        """Read `f(uint256)`, `f(uint256)(bool)` or `function f(uint256 x) view returns (bool)`. Raises: ABIError."""
        parser = Parser(text, "function")
        name, inputs = parser.name(), parser.parameters()
        parser.skip(MODIFIERS)
        parser.skip({"returns"})
        outputs = parser.parameters() if parser.at("(") else ()
        parser.end()
        return cls(name, inputs, outputs)

    @property
    def selector(self) -> bytes:
        return self.hash[:4]

    def encode(self, *values: Value) -> bytes:
        """The input of a call. Raises: ABIError, naming the argument."""
        return self.selector + encode(self.types, values, f"{self.name} argument")

    def decode_output(self, data: bytes) -> Value:
        """The answer: None for no output, the value of a single one, otherwise a tuple. Raises: ABIError."""
        values = decode([output.type for output in self.outputs], data, f"{self.name} output")
        return None if not values else values[0] if len(values) == 1 else values

    def decode_input(self, data: bytes) -> tuple[Value, ...]:
        """The arguments of a call's input. Raises: ABIError."""
        if data[:4] != self.selector:
            raise ABIError(f"{self.text}: the input starts with {data[:4].hex()}, not {self.selector.hex()}")
        return decode(self.types, data[4:], f"{self.name} argument")


@dataclass(frozen=True, slots=True)
class Event(Signature):
    @classmethod
    @lru_cache(maxsize=PARSED)
    def parse(cls, text: str) -> Event:
        """Read `Transfer(address indexed from, address indexed to, uint256 value)`. Raises: ABIError."""
        parser = Parser(text, "event")
        event = cls(parser.name(), parser.parameters())
        parser.skip(MODIFIERS)
        parser.end()
        if sum(parameter.indexed for parameter in event.inputs) > 3:
            raise ABIError(f"{event.text}: more than three indexed parameters")
        return event

    def decode_log(self, topics: Sequence[bytes], data: bytes) -> tuple[Value, ...]:
        """The values in order of declaration; of an indexed dynamic one only the hash is left. Raises: ABIError."""
        indexed = [parameter for parameter in self.inputs if parameter.indexed]
        if not topics or topics[0] != self.hash:
            raise ABIError(f"{self.text}: the log's first topic is another event's")
        if len(topics) != 1 + len(indexed):
            raise ABIError(f"{self.text}: {1 + len(indexed)} topics wanted, the log has {len(topics)}")
        plain = iter(decode([p.type for p in self.inputs if not p.indexed], data, f"{self.name} value"))
        words = iter(topics[1:])
        return tuple(self._indexed(p, next(words)) if p.indexed else next(plain) for p in self.inputs)

    def _indexed(self, parameter: Parameter, topic: bytes) -> Value:
        if isinstance(parameter.type, (Bytes, Array, Tuple)):
            return topic
        return decode([parameter.type], topic, f"{self.name} topic")[0]


@dataclass(frozen=True, slots=True)
class Error(Signature):
    @classmethod
    @lru_cache(maxsize=PARSED)
    def parse(cls, text: str) -> Error:
        """Read `Insufficient(uint256 have, uint256 want)`. Raises: ABIError."""
        parser = Parser(text, "error")
        error = cls(parser.name(), parser.parameters())
        parser.end()
        return error

    @property
    def selector(self) -> bytes:
        return self.hash[:4]

    def encode(self, *values: Value) -> bytes:
        return self.selector + encode(self.types, values, f"{self.name} argument")


KNOWN_ERRORS = (
    "ERC20InsufficientBalance(address sender, uint256 balance, uint256 needed)",
    "ERC20InvalidSender(address sender)",
    "ERC20InvalidReceiver(address receiver)",
    "ERC20InsufficientAllowance(address spender, uint256 allowance, uint256 needed)",
    "ERC20InvalidApprover(address approver)",
    "ERC20InvalidSpender(address spender)",
)
"""ERC-6093's errors of fungible tokens."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """Revert data understood: the error's name and values, and `text` for people."""

    name: str
    values: tuple[Value, ...]
    text: str


def explain(data: bytes, errors: Sequence[str] = ()) -> Refusal:
    """Understand revert data: Error(string), Panic(uint256), ERC-6093's errors and the given ones.

    What nobody knows is named by its hex digits; never an exception, because a contract may revert with anything.
    """
    if not data:
        return Refusal("", (), "reverted without a reason")
    for error in (Error.parse(text) for text in ("Error(string)", "Panic(uint256)", *errors, *KNOWN_ERRORS)):
        if data[:4] != error.selector:
            continue
        try:
            values = decode(error.types, data[4:])
        except ABIError:
            break
        if error.name == "Error":
            return Refusal(error.name, values, str(values[0]))
        if error.name == "Panic":
            code = int(str(values[0]))
            return Refusal(error.name, values, f"panic {code:#04x}: {PANICS.get(code, 'unknown code')}")
        return Refusal(error.name, values, f"{error.name}({', '.join(show(value) for value in values)})")
    return Refusal("", (), f"reverted with 0x{data[:100].hex()}" + ("..." if len(data) > 100 else ""))


def show(value: Value) -> str:
    """A value as people read it: bytes in hex, the rest as Python writes it."""
    if isinstance(value, bytes):
        return "0x" + value.hex()
    if isinstance(value, (list, tuple)):
        inside = ", ".join(show(item) for item in value)
        return f"[{inside}]" if isinstance(value, list) else f"({inside})"
    return str(value).lower() if isinstance(value, bool) else str(value)


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

    def skip(self, words: set[str]) -> None:
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
            if digits and (int(digits) == 0 or len(digits) > 9):
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
