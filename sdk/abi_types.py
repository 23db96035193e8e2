"""The types of Solidity's ABI and how their values are laid out: encoding, and decoding that trusts nothing.

Values in Python: uintN and intN are int, bool is bool, address and bytesN and bytes are bytes (hex strings are taken
too), string is str, arrays are lists, tuples are tuples.
Source: Solidity, "Contract ABI Specification" (types, "Formal Specification of the Encoding", strict mode for words).
Decoding reads each word once at most: whoever lets many offsets point to the same data gets an error, not a long wait.
Never: JSON ABI, names of parameters (`abi` keeps those), packed encoding.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Protocol

from contractvm.dataclass import dataclass
from contractvm.errors import ContractVMError

WORD = 32
NESTING = 32
"""Arrays and tuples inside one another, at most: far more than any contract has, far less than Python's stack."""

Value = object
"""What a type encodes and decodes; each type checks it."""


class ABIError(ContractVMError):
    """A type, a value or data that does not fit; the text names the place inside the arguments."""


class Type(Protocol):
    """One type: its canonical name, the bytes it takes in a head, and whether its content lies in the tail."""

    @property
    def name(self) -> str: ...

    @property
    def head(self) -> int:
        """Bytes of the head: 32 for everything dynamic."""
        ...

    @property
    def dynamic(self) -> bool: ...

    def encode(self, value: Value, at: str) -> bytes:
        """Encode `value`, which stands at `at`. Raises: ABIError."""
        ...

    def decode(self, data: Reader, offset: int, at: str) -> Value:
        """Decode what starts at byte `offset`. Raises: ABIError."""
        ...


@dataclass(slots=True)
class Reader:
    """Data being decoded; `left` counts the words that may still be read before offsets must be overlapping."""

    data: bytes
    left: int

    def word(self, offset: int, at: str) -> bytes:
        return self.take(offset, WORD, at)

    def take(self, offset: int, size: int, at: str) -> bytes:
        end = offset + size
        if end > len(self.data):
            raise ABIError(f"{at}: needs bytes {offset} to {end}, but the data has {len(self.data)}")
        self.left -= (size + WORD - 1) // WORD
        if self.left < 0:
            raise ABIError(f"{at}: offsets overlap, so the same data would be read again and again")
        return self.data[offset:end]

    def size(self, offset: int, at: str) -> int:
        """An offset or a length: a word that cannot be larger than the data."""
        size = int.from_bytes(self.word(offset, at), "big")
        if size > len(self.data):
            raise ABIError(f"{at}: offset or length {size} is more than the {len(self.data)} bytes of data")
        return size


@dataclass(frozen=True, slots=True)
class Integer:
    """uintN and intN."""

    bits: int
    signed: bool
    head = WORD
    dynamic = False

    @property
    def name(self) -> str:
        return f"{'int' if self.signed else 'uint'}{self.bits}"

    def encode(self, value: Value, at: str) -> bytes:
        if type(value) is not int:
            raise ABIError(f"{at}: {self.name} takes an int, not {type(value).__name__} {value!r}")
        if (~value if value < 0 and self.signed else value) >> self.bits - self.signed:
            raise ABIError(f"{at}: {value} does not fit {self.name}")
        return value.to_bytes(WORD, "big", signed=self.signed)

    def decode(self, data: Reader, offset: int, at: str) -> int:
        value = int.from_bytes(data.word(offset, at), "big", signed=self.signed)
        if (value if value >= 0 else ~value) >> (self.bits - self.signed):
            raise ABIError(f"{at}: {value} is no {self.name}")
        return value


@dataclass(frozen=True, slots=True)
class Bool:
    name = "bool"
    head = WORD
    dynamic = False

    def encode(self, value: Value, at: str) -> bytes:
        if type(value) is not bool:
            raise ABIError(f"{at}: bool takes True or False, not {value!r}")
        return value.to_bytes(WORD, "big")

    def decode(self, data: Reader, offset: int, at: str) -> bool:
        value = int.from_bytes(data.word(offset, at), "big")
        if value > 1:
            raise ABIError(f"{at}: {value} is no bool")
        return bool(value)


@dataclass(frozen=True, slots=True)
class AddressType:
    """20 bytes, right-aligned. Takes bytes, hex text, or anything that has an `address`."""

    name = "address"
    head = WORD
    dynamic = False

    def encode(self, value: Value, at: str) -> bytes:
        raw = value if type(value) is bytes else to_bytes(getattr(value, "address", value), self.name, at)
        if len(raw) != 20:
            raise ABIError(f"{at}: an address has 20 bytes, not {len(raw)}")
        return raw.rjust(WORD, b"\0")

    def decode(self, data: Reader, offset: int, at: str) -> bytes:
        word = data.word(offset, at)
        if any(word[:12]):
            raise ABIError(f"{at}: the first 12 bytes of an address's word must be zero")
        return word[12:]


@dataclass(frozen=True, slots=True)
class FixedBytes:
    """bytesN, left-aligned."""

    size: int
    head = WORD
    dynamic = False

    @property
    def name(self) -> str:
        return f"bytes{self.size}"

    def encode(self, value: Value, at: str) -> bytes:
        raw = to_bytes(value, self.name, at)
        if len(raw) != self.size:
            raise ABIError(f"{at}: {self.name} takes {self.size} bytes, not {len(raw)}")
        return raw.ljust(WORD, b"\0")

    def decode(self, data: Reader, offset: int, at: str) -> bytes:
        word = data.word(offset, at)
        if any(word[self.size :]):
            raise ABIError(f"{at}: the bytes behind a {self.name} must be zero")
        return word[: self.size]


@dataclass(frozen=True, slots=True)
class Bytes:
    """bytes and string: length, content, zeros up to a whole word."""

    text: bool
    head = WORD
    dynamic = True

    @property
    def name(self) -> str:
        return "string" if self.text else "bytes"

    def encode(self, value: Value, at: str) -> bytes:
        if self.text:
            if not isinstance(value, str):
                raise ABIError(f"{at}: string takes a str, not {type(value).__name__} {value!r}")
            raw = value.encode("utf-8", "surrogateescape")
        else:
            raw = to_bytes(value, self.name, at)
        return len(raw).to_bytes(WORD, "big") + raw.ljust(-(-len(raw) // WORD) * WORD, b"\0")

    def decode(self, data: Reader, offset: int, at: str) -> bytes | str:
        size = data.size(offset, at)
        raw = data.take(offset + WORD, size, at)
        if any(data.data[offset + WORD + size : offset + WORD + -(-size // WORD) * WORD]):
            raise ABIError(f"{at}: the padding behind {self.name} must be zero")
        # A contract may answer any bytes as a string; those that are not UTF-8 survive a round trip this way.
        return raw.decode("utf-8", "surrogateescape") if self.text else raw


@dataclass(frozen=True, slots=True)
class Array:
    """T[n], or T[] where `length` is None."""

    item: Type
    length: int | None

    @property
    def name(self) -> str:
        return f"{self.item.name}[{'' if self.length is None else self.length}]"

    @property
    def dynamic(self) -> bool:
        return self.length is None or self.item.dynamic

    @property
    def head(self) -> int:
        return WORD if self.length is None or self.item.dynamic else self.item.head * self.length

    def encode(self, value: Value, at: str) -> bytes:
        items = to_sequence(value, self.name, at)
        if self.length is not None and len(items) != self.length:
            raise ABIError(f"{at}: {self.name} takes {self.length} items, not {len(items)}")
        size = b"" if self.length is not None else len(items).to_bytes(WORD, "big")
        return size + encode_sequence([self.item] * len(items), items, at)

    def decode(self, data: Reader, offset: int, at: str) -> list[Value]:
        length = self.length
        if length is None:
            length = data.size(offset, at)
            offset += WORD
        if length * self.item.head > len(data.data) - offset:
            raise ABIError(f"{at}: {length} items of {self.item.name} do not fit the {len(data.data)} bytes of data")
        return decode_sequence([self.item] * length, data, offset, at)


@dataclass(frozen=True, slots=True)
class Tuple:
    items: tuple[Type, ...]

    @property
    def name(self) -> str:
        return f"({','.join(item.name for item in self.items)})"

    @property
    def dynamic(self) -> bool:
        return any(item.dynamic for item in self.items)

    @property
    def head(self) -> int:
        return WORD if self.dynamic else sum(item.head for item in self.items)

    def encode(self, value: Value, at: str) -> bytes:
        values = to_sequence(value, self.name, at)
        if len(values) != len(self.items):
            raise ABIError(f"{at}: {self.name} takes {len(self.items)} values, not {len(values)}")
        return encode_sequence(self.items, values, at)

    def decode(self, data: Reader, offset: int, at: str) -> tuple[Value, ...]:
        return tuple(decode_sequence(self.items, data, offset, at))


def encode_sequence(types: Sequence[Type], values: Sequence[Value], at: str) -> bytes:
    """Heads, then tails; an offset counts from the first head. Raises: ABIError."""
    if True in [type_.dynamic for type_ in types]:
        return _heads_and_tails(types, values, at)
    try:
        return b"".join([type_.encode(value, at) for type_, value in zip(types, values, strict=True)])
    except ABIError:
        return _heads_and_tails(types, values, at)  # which finds it again, and says which value it is


def _heads_and_tails(types: Sequence[Type], values: Sequence[Value], at: str) -> bytes:
    heads, tails = [], []
    tail_at = sum([type_.head for type_ in types])
    for i, (type_, value) in enumerate(zip(types, values, strict=True)):
        encoded = type_.encode(value, f"{at}[{i}]")
        if type_.dynamic:
            heads.append(tail_at.to_bytes(WORD, "big"))
            tails.append(encoded)
            tail_at += len(encoded)
        else:
            heads.append(encoded)
    return b"".join(heads + tails)


def decode_sequence(types: Sequence[Type], data: Reader, offset: int, at: str) -> list[Value]:
    """Undo `encode_sequence` for heads that start at byte `offset`. Raises: ABIError."""
    values = []
    head = offset
    for i, type_ in enumerate(types):
        place = f"{at}[{i}]"
        start = offset + data.size(head, place) if type_.dynamic else head
        values.append(type_.decode(data, start, place))
        head += type_.head
    return values


def encode(types: Sequence[Type], values: Sequence[Value], at: str = "argument") -> bytes:
    """Encode `values` one by one, as arguments are. Raises: ABIError, naming the argument."""
    if len(types) != len(values):
        wanted = ", ".join(type_.name for type_ in types) or "none"
        raise ABIError(f"{at}s: {len(types)} wanted ({wanted}), {len(values)} given")
    return encode_sequence(types, values, at)


def decode(types: Sequence[Type], data: bytes, at: str = "value") -> tuple[Value, ...]:
    """Decode what `encode` made; bytes behind it are ignored, as Solidity does. Raises: ABIError."""
    return tuple(decode_sequence(types, Reader(data, len(data) // WORD + 1), 0, at))


def to_bytes(value: Value, name: str, at: str) -> bytes:
    """Take bytes or `0x` text. Raises: ABIError."""
    if isinstance(value, (bytes, bytearray, memoryview)):
        return bytes(value)
    if isinstance(value, str) and value[:2] in ("0x", "0X"):
        digits = value[2:]
        if len(digits) % 2 == 0 and re.fullmatch(r"[0-9a-fA-F]*", digits):
            return bytes.fromhex(digits)
    raise ABIError(f"{at}: {name} takes bytes or 0x and an even number of hex digits, not {value!r}")


def to_sequence(value: Value, name: str, at: str) -> Sequence[Value]:
    """Take a list or a tuple. Raises: ABIError."""
    if isinstance(value, (list, tuple)):
        return value
    raise ABIError(f"{at}: {name} takes a list or a tuple, not {type(value).__name__} {value!r}")


ELEMENTARY: dict[str, Type] = {
    "uint": Integer(256, False),
    "int": Integer(256, True),
    "bool": Bool(),
    "address": AddressType(),
    "bytes": Bytes(False),
    "string": Bytes(True),
    "function": FixedBytes(24),
}


def elementary(word: str) -> Type:
    """The type that a single word names. Raises: ABIError."""
    if word in ELEMENTARY:
        return ELEMENTARY[word]
    match = re.fullmatch(r"(uint|int|bytes)([1-9][0-9]{0,2})", word)
    if match:
        size = int(match[2])
        if match[1] == "bytes" and size <= 32:
            return FixedBytes(size)
        if match[1] != "bytes" and size % 8 == 0 and size <= 256:
            return Integer(size, match[1] == "int")
    raise ABIError(
        f"no ABI type {word!r}: there are uint8..uint256, int8..int256, bool, address, bytes1..bytes32, bytes, string"
    )
