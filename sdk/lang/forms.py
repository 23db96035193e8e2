"""What the names of types are when plain Python imports a contract's module: small objects that say what they are.

Tests import it (`chain.deploy(Token)`), so its annotations and constants are evaluated; nothing else of it runs. A form
answers its name, takes subscripts, and converts constants as docs/language.md, "Conversions", says.
Never: seen by mypy, read by the compiler, or a rule of the language that holds on a chain.
"""

from __future__ import annotations

from typing import Any, NoReturn

from contractvm.dataclass import dataclass


class OnlyOnChain(RuntimeError):
    """Contract code was called as plain Python."""


def on_chain(what: str) -> NoReturn:
    """Refuse, with the way out. Raises: OnlyOnChain."""
    raise OnlyOnChain(f"{what} has a meaning on a chain only: in a test, `chain.deploy(Contract)`, and call that")


@dataclass(frozen=True, slots=True)
class Form:
    """A type by its name; `Map`, `List` and such take arguments."""

    name: str

    def __repr__(self) -> str:
        return self.name

    def __getitem__(self, arguments: object) -> Form:
        inner = arguments if isinstance(arguments, tuple) else (arguments,)
        return Form(f"{self.name}[{', '.join(map(_name, inner))}]")

    def __call__(self, *arguments: Any) -> Any:
        on_chain(f"a value of {self.name}")


def _name(form: object) -> str:
    """As it is written in a source."""
    return form.__name__ if isinstance(form, type) else repr(form).removeprefix("typing.")


@dataclass(frozen=True, slots=True, repr=False)
class IntForm(Form):
    """uN or iN."""

    bits: int

    def __init__(self, sign: str, bits: int) -> None:
        object.__setattr__(self, "name", f"{sign}{bits}")
        object.__setattr__(self, "bits", bits)

    @property
    def low(self) -> int:
        return -(1 << self.bits - 1) if self.name.startswith("i") else 0

    @property
    def high(self) -> int:
        return (1 << self.bits - self.name.startswith("i")) - 1

    def __call__(self, value: int | bytes = 0) -> int:
        """Raises: OverflowError for what does not fit."""
        number = int.from_bytes(value, "big") if isinstance(value, bytes) else int(value)
        if not self.low <= number <= self.high:
            raise OverflowError(f"{number} does not fit {self.name} ({self.low} to {self.high})")
        return number


@dataclass(frozen=True, slots=True, repr=False)
class BytesForm(Form):
    """Bytes."""

    def __call__(self, value: bytes = b"") -> bytes:
        return bytes(value)

    def fromhex(self, digits: str) -> bytes:
        return self(bytes.fromhex(digits))


@dataclass(frozen=True, slots=True, repr=False)
class FixedBytesForm(BytesForm):
    """bytesN."""

    size: int

    def __init__(self, size: int) -> None:
        object.__setattr__(self, "name", f"bytes{size}")
        object.__setattr__(self, "size", size)

    def __call__(self, value: int | bytes = b"") -> bytes:
        """Raises: OverflowError for what has another length, or does not fit."""
        data = value.to_bytes(self.size, "big") if isinstance(value, int) else bytes(value)
        if len(data) != self.size:
            raise OverflowError(f"{len(data)} bytes for {self.name}")
        return data


@dataclass(frozen=True, slots=True, repr=False)
class StringForm(Form):
    """String."""

    def __call__(self, value: str = "") -> str:
        return str(value)


@dataclass(frozen=True, slots=True, repr=False)
class AddressForm(Form):
    """Address: 20 bytes in a test."""

    def __call__(self, value: int | bytes = 0) -> bytes:
        """Raises: OverflowError for what is not 20 bytes."""
        data = value.to_bytes(20, "big") if isinstance(value, int) else bytes(value)
        if len(data) != 20:
            raise OverflowError(f"{len(data)} bytes for an Address")
        return data


@dataclass(frozen=True, slots=True)
class Facts:
    """`msg`, `block`, `tx`, `chain`: there are none outside of a chain."""

    name: str

    def __getattr__(self, fact: str) -> NoReturn:
        if fact.startswith("__"):
            raise AttributeError(fact)
        on_chain(f"{self.name}.{fact}")
