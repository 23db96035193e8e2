"""What an author's classes are made from: `Contract`, `Event`, `Error`, `Struct`, `Enum`, `Interface`, `Revert`.

For mypy, events, errors and structs have a constructor made from their fields, as dataclasses do. At run time they are
tuples with names, so that a test compares `c.point() == Point(1, 2)` and hands them over as arguments; a contract is
only a name to deploy, and says so when it is called.
Follows docs/language.md, "Structs", "Enums", "A contract" and "Other contracts". Never: dataclasses, slow to make.
"""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING, Any, ClassVar, NoReturn, Self, dataclass_transform

from sdk.lang.forms import on_chain

if TYPE_CHECKING:
    from sdk.lang.containers import Address

__all__ = ["Contract", "Enum", "Error", "Event", "Interface", "Revert", "Struct"]


class Contract:
    """The base of every contract. `address` and `balance` are its own; `code` is what deploys another one of it."""

    address: Address
    balance: int
    """Wei, u256."""
    code: ClassVar[bytes]
    """Only of another contract of the project: `create(Pair.code, a, b)`."""

    if not TYPE_CHECKING:

        def __new__(cls, *arguments: object, **named: object) -> NoReturn:
            on_chain(f"{cls.__name__}(...)")


class Interface:
    """Functions of a contract elsewhere, each with `...` as its body. Made from an address; also a type."""

    if TYPE_CHECKING:

        @property
        def address(self) -> Address:
            """Where it is."""

        def __init__(self, address: Address, /) -> None: ...

        def call(self, *, value: int = 0, gas: int = ..., reentry: bool = False) -> Self:
            """The same contract, to be called with wei, at most so much gas, and leave to call back."""
    else:

        def __init__(self, address: object) -> None:
            on_chain(f"{type(self).__name__}(address)")


if TYPE_CHECKING:

    @dataclass_transform()
    class Event:
        """Something that happened: its fields are the log's. `anonymous`: without the topic that names it."""

        def __init_subclass__(cls, *, anonymous: bool = False) -> None: ...

    @dataclass_transform()
    class Error(Exception):
        """A reason to revert, with fields: `raise Insufficient(have, want)`."""

    @dataclass_transform()
    class Struct:
        """Fields that belong together."""

        def copy(self) -> Self:
            """The same fields, in a new struct."""

    class Revert(Exception):
        """A reason to revert, as text: `raise Revert("closed")`."""

        def __init__(self, reason: str = "", /) -> None: ...

    class Enum(enum.Enum):
        """Named numbers from 0 to 255, 0 among them. Comparing narrows nothing, because what is stored changes."""

        def __eq__(self, other: object, /) -> bool: ...
        def __hash__(self) -> int: ...
else:

    def _bind(cls: type, given: tuple[Any, ...], named: dict[str, Any]) -> tuple[Any, ...]:
        """The values of a record's fields in order. Raises: TypeError, as a call of a function would."""
        names = list(cls.__annotations__)
        if len(given) > len(names):
            raise TypeError(f"{cls.__name__} has {len(names)} fields, {len(given)} were given")
        values = dict(zip(names, given, strict=False))
        for name, value in named.items():
            if name not in names or name in values:
                raise TypeError(f"{cls.__name__}: {name!r} is {'given twice' if name in names else 'no field'}")
            values[name] = value
        missing = [name for name in names if name not in values and name not in vars(cls)]
        if missing:
            raise TypeError(f"{cls.__name__} lacks {', '.join(missing)}")
        return tuple(values[name] if name in values else vars(cls)[name] for name in names)

    class _Record(tuple):
        """A tuple whose items have the names of the class's fields."""

        __slots__ = ()

        def __new__(cls, *given: Any, **named: Any) -> Self:
            return tuple.__new__(cls, _bind(cls, given, named))

        def __getattribute__(self, name: str) -> Any:
            names = list(type(self).__annotations__)
            return self[names.index(name)] if name in names else super().__getattribute__(name)

        def __repr__(self) -> str:
            fields = zip(type(self).__annotations__, self, strict=True)
            return f"{type(self).__name__}({', '.join(f'{name}={value!r}' for name, value in fields)})"

        def copy(self) -> Self:
            return self

    class Struct(_Record):
        """Fields that belong together."""

    class Event(_Record):
        """Something that happened."""

        def __init_subclass__(cls, *, anonymous: bool = False) -> None:
            super().__init_subclass__()

    class Error(Exception):
        """A reason to revert, with fields, which are its `args`."""

        def __init__(self, *given: Any, **named: Any) -> None:
            super().__init__(*_bind(type(self), given, named))

    class Revert(Exception):
        """A reason to revert, as text."""

    class Enum(enum.IntEnum):
        """Named numbers, which are what a test gets back."""
