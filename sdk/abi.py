"""Solidity's ABI: functions, events and errors written as people write them, and the bytes that they become.

    transfer = Function.parse("transfer(address to, uint256 amount)(bool)")
    data = transfer.encode(to, 5)

Source: Solidity, "Contract ABI Specification" (selectors, events, errors); `Error(string)` and `Panic(uint256)` from
"Panic via assert and Error via require"; ERC-6093 for the token errors that everyone uses.
Never: JSON ABI (`abi_json`), packed encoding and indexed values that are hashed (`abi_packed`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import field
from functools import lru_cache

from contractvm.crypto import keccak256
from contractvm.dataclass import dataclass
from sdk.abi_packed import encode_packed, topic_of
from sdk.abi_text import MUTABILITY, Parameter, Parser, parse_type, parse_types
from sdk.abi_types import ABIError, Array, Bytes, Tuple, Type, Value, decode, encode

__all__ = [
    "ABIError",
    "Constructor",
    "Error",
    "Event",
    "Function",
    "Parameter",
    "Refusal",
    "Type",
    "Value",
    "decode",
    "encode",
    "encode_packed",
    "explain",
    "parse_type",
    "parse_types",
]

PARSED = 1024
"""Signatures of each kind that stay parsed: tests and tools use the same few again and again."""
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


def types_of(parameters: Sequence[Parameter]) -> tuple[Type, ...]:
    """The types alone, which is all that gets encoded."""
    return tuple(parameter.type for parameter in parameters)


def canonical(name: str, inputs: Sequence[Parameter]) -> tuple[str, bytes]:
    """The form that gets hashed, `transfer(address,uint256)`, and its hash."""
    text = f"{name}({','.join(type_.name for type_ in types_of(inputs))})"
    return text, keccak256(text.encode())


def listed(parameters: Sequence[Parameter]) -> str:
    """A list of parameters with everything that is known of them."""
    return f"({', '.join(parameter.text for parameter in parameters)})"


def mutability_of(modifiers: frozenset[str]) -> str:
    """What the words say a function may do; `nonpayable` when they say nothing."""
    return next((word for word in MUTABILITY if word in modifiers), "nonpayable")


@dataclass(frozen=True, slots=True)
class Function:
    """A function; `text` is its canonical form, `selector` the first four bytes of that one's hash."""

    name: str
    inputs: tuple[Parameter, ...]
    outputs: tuple[Parameter, ...]
    text: str
    selector: bytes
    mutability: str = "nonpayable"
    """`pure`, `view`, `nonpayable` or `payable`."""
    _types: tuple[Type, ...] | None = field(default=None, init=False, repr=False, compare=False)
    _answers: tuple[Type, ...] | None = field(default=None, init=False, repr=False, compare=False)

    @classmethod
    @lru_cache(maxsize=PARSED)
    def parse(cls, text: str) -> Function:
        """Read `f(uint256)`, `f(uint256)(bool)` or `function f(uint256 x) view returns (bool)`. Raises: ABIError."""
        parser = Parser(text, "function")
        name, inputs = parser.name(), parser.parameters()
        modifiers = parser.modifiers()
        parser.skip({"returns"})
        outputs = parser.parameters() if parser.at("(") else ()
        parser.end()
        canon, digest = canonical(name, inputs)
        return cls(name, inputs, outputs, canon, digest[:4], mutability_of(modifiers))

    @property
    def types(self) -> tuple[Type, ...]:
        """Of the inputs."""
        if self._types is None:
            object.__setattr__(self, "_types", types_of(self.inputs))
        return self._types or ()

    @property
    def answers(self) -> tuple[Type, ...]:
        """The types of the outputs."""
        if self._answers is None:
            object.__setattr__(self, "_answers", types_of(self.outputs))
        return self._answers or ()

    @property
    def reads_only(self) -> bool:
        """Whether it says of itself that it changes nothing."""
        return self.mutability in ("pure", "view")

    @property
    def declaration(self) -> str:
        """All that is known, as `parse` reads it: `f(uint256 x) view returns (bool)`."""
        words = "" if self.mutability == "nonpayable" else f" {self.mutability}"
        returns = f" returns {listed(self.outputs)}" if self.outputs else ""
        return f"{self.name}{listed(self.inputs)}{words}{returns}"

    def encode(self, *values: Value) -> bytes:
        """The input of a call. Raises: ABIError, naming the argument."""
        return self.selector + encode(self.types, values, f"{self.name} argument")

    def decode_output(self, data: bytes) -> Value:
        """The answer: None for no output, the value of a single one, otherwise a tuple. Raises: ABIError."""
        values = decode(self.answers, data, f"{self.name} output")
        return None if not values else values[0] if len(values) == 1 else values

    def decode_input(self, data: bytes) -> tuple[Value, ...]:
        """The arguments of a call's input. Raises: ABIError."""
        if data[:4] != self.selector:
            raise ABIError(f"{self.text}: the input starts with {data[:4].hex()}, not {self.selector.hex()}")
        return decode(self.types, data[4:], f"{self.name} argument")


@dataclass(frozen=True, slots=True)
class Constructor:
    """What a contract is deployed with."""

    inputs: tuple[Parameter, ...]
    payable: bool = False

    @classmethod
    @lru_cache(maxsize=PARSED)
    def parse(cls, text: str) -> Constructor:
        """Read `constructor(uint256 supply) payable`. Raises: ABIError."""
        parser = Parser(text, "")
        parser.expect("constructor")
        inputs, modifiers = parser.parameters(), parser.modifiers()
        parser.end()
        return cls(inputs, "payable" in modifiers)

    @property
    def types(self) -> tuple[Type, ...]:
        return types_of(self.inputs)

    @property
    def declaration(self) -> str:
        return f"constructor{listed(self.inputs)}{' payable' if self.payable else ''}"

    def encode(self, *values: Value) -> bytes:
        """What follows the code. Raises: ABIError, naming the argument."""
        return encode(self.types, values, "constructor argument")


@dataclass(frozen=True, slots=True)
class Event:
    """An event; `hash` of its canonical form is a log's first topic, unless the event is anonymous."""

    name: str
    inputs: tuple[Parameter, ...]
    text: str
    hash: bytes
    anonymous: bool = False

    @classmethod
    @lru_cache(maxsize=PARSED)
    def parse(cls, text: str) -> Event:
        """Read `Transfer(address indexed from, address indexed to, uint256 value)`. Raises: ABIError."""
        parser = Parser(text, "event")
        name, inputs = parser.name(), parser.parameters()
        anonymous = "anonymous" in parser.modifiers()
        parser.end()
        event = cls(name, inputs, *canonical(name, inputs), anonymous)
        if sum(parameter.indexed for parameter in event.inputs) > 3 + anonymous:
            raise ABIError(f"{event.text}: more than {'four' if anonymous else 'three'} indexed parameters")
        return event

    @property
    def declaration(self) -> str:
        """All that is known, as `parse` reads it."""
        return f"{self.name}{listed(self.inputs)}{' anonymous' if self.anonymous else ''}"

    def encode_log(self, *values: Value) -> tuple[tuple[bytes, ...], bytes]:
        """Topics and data of a log with these values, one for each parameter. Raises: ABIError."""
        encode(types_of(self.inputs), values, f"{self.name} value")  # names whatever does not fit
        pairs = list(zip(self.inputs, values, strict=True))
        topics = [topic_of(p.type, value) for p, value in pairs if p.indexed]
        plain = [(p.type, value) for p, value in pairs if not p.indexed]
        data = encode([type_ for type_, _ in plain], [value for _, value in plain])
        return ((*topics,) if self.anonymous else (self.hash, *topics)), data

    def decode_log(self, topics: Sequence[bytes], data: bytes) -> tuple[Value, ...]:
        """The values in order of declaration; of an indexed dynamic one only the hash is left. Raises: ABIError."""
        indexed = [parameter for parameter in self.inputs if parameter.indexed]
        if not self.anonymous and (not topics or topics[0] != self.hash):
            raise ABIError(f"{self.text}: the log's first topic is another event's")
        first = 0 if self.anonymous else 1
        if len(topics) != first + len(indexed):
            raise ABIError(f"{self.text}: {first + len(indexed)} topics wanted, the log has {len(topics)}")
        plain = iter(decode(types_of([p for p in self.inputs if not p.indexed]), data, f"{self.name} value"))
        words = iter(topics[first:])
        return tuple(self._indexed(p, next(words)) if p.indexed else next(plain) for p in self.inputs)

    def _indexed(self, parameter: Parameter, topic: bytes) -> Value:
        if isinstance(parameter.type, (Bytes, Array, Tuple)):
            return topic
        return decode([parameter.type], topic, f"{self.name} topic")[0]


@dataclass(frozen=True, slots=True)
class Error:
    """A custom error; revert data starts with its `selector`."""

    name: str
    inputs: tuple[Parameter, ...]
    text: str
    selector: bytes

    @classmethod
    @lru_cache(maxsize=PARSED)
    def parse(cls, text: str) -> Error:
        """Read `Insufficient(uint256 have, uint256 want)`. Raises: ABIError."""
        parser = Parser(text, "error")
        name, inputs = parser.name(), parser.parameters()
        parser.end()
        canon, digest = canonical(name, inputs)
        return cls(name, inputs, canon, digest[:4])

    @property
    def types(self) -> tuple[Type, ...]:
        return types_of(self.inputs)

    @property
    def declaration(self) -> str:
        """All that is known, as `parse` reads it."""
        return f"{self.name}{listed(self.inputs)}"

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
