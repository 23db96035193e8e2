"""What the parts of the compiler pass on about declared things: fields, functions, events, errors, interfaces.

Made by the front end, once for each contract, with all types resolved; read by the checker and the back end.
Source: docs/language.md. Never: holds syntax (`front.declared` does) or code.
"""

from __future__ import annotations

from enum import Enum

from contractvm.dataclass import dataclass
from sdk.compiler.types import NOTHING, Tuple, Type, abi_name


@dataclass(frozen=True, slots=True)
class Span:
    """A range of a source file. Lines count from 1, columns from 0 in characters; the end is exclusive."""

    file: int
    """Index into `Program.files`."""
    line: int
    column: int
    end_line: int
    end_column: int


class Kind(Enum):
    """Where a contract's field lives."""

    STORAGE = "storage"
    TRANSIENT = "transient"
    IMMUTABLE = "immutable"
    CONST = "const"


class Mutability(Enum):
    """What a function may do, in the ABI's words."""

    PURE = "pure"
    VIEW = "view"
    NONPAYABLE = "nonpayable"
    PAYABLE = "payable"


@dataclass(frozen=True, slots=True)
class Field:
    """A field of a contract; `qualified` is `<declaring class>.<name>`: storage keys derive from it, never from
    order."""

    name: str
    qualified: str
    type: Type
    kind: Kind
    public: bool
    span: Span


@dataclass(frozen=True, slots=True)
class Parameter:
    """Of a function, an event or an error. `name` is the source's, `abi_name` what the ABI says."""

    name: str
    abi_name: str
    type: Type
    indexed: bool = False


def signature(name: str, parameters: tuple[Parameter, ...]) -> str:
    """The canonical form that is hashed: `transfer(address,uint256)`."""
    return f"{name}({','.join(abi_name(parameter.type) for parameter in parameters)})"


@dataclass(frozen=True, slots=True)
class Event:
    name: str
    parameters: tuple[Parameter, ...]
    span: Span
    anonymous: bool = False

    @property
    def signature(self) -> str:
        return signature(self.name, self.parameters)


@dataclass(frozen=True, slots=True)
class Error:
    name: str
    parameters: tuple[Parameter, ...]
    span: Span

    @property
    def signature(self) -> str:
        return signature(self.name, self.parameters)


@dataclass(frozen=True, slots=True)
class Remote:
    """A function of an interface or of a contract, as another contract calls it."""

    name: str
    abi_name: str
    parameters: tuple[Parameter, ...]
    defaults: int
    """How many of the last parameters may be left out: there is a selector for each arity."""
    returns: Type
    mutability: Mutability

    def signature(self, given: int) -> str:
        """Of the form with the first `given` parameters."""
        return signature(self.abi_name, self.parameters[:given])


def outputs(returns: Type) -> tuple[Type, ...]:
    """The ABI's outputs: none for no result, each item of a tuple, otherwise the one."""
    if returns == NOTHING:
        return ()
    return returns.items if isinstance(returns, Tuple) else (returns,)
