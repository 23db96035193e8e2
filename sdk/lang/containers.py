"""Types with parts, and what stands around a field's type: `Address`, `Map`, `List`, `Array`, `Public`, `Const` ...

For mypy a List is a list, an Array is whatever is indexed and has a length (so that `[0] * 4` is one), a Map has
exactly the operations of storage, and `Public[T]` and its like are `T`.
Follows docs/language.md, "Types" and "Fields". Never: holds values; storage is on a chain.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Generic, Literal, Protocol, TypeAlias, TypeVar

__all__ = ["Address", "Array", "Const", "Immutable", "Indexed", "List", "Literal", "Map", "Public", "Transient"]

T = TypeVar("T")
K = TypeVar("K")
V = TypeVar("V")
N_co = TypeVar("N_co", covariant=True)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    List: TypeAlias = list[T]
    Public = Annotated[T, "public"]
    Const = Annotated[T, "const"]
    Immutable = Annotated[T, "immutable"]
    Transient = Annotated[T, "transient"]
    Indexed = Annotated[T, "indexed"]

    class Address:
        """20 bytes: who. Ordered as a number."""

        @property
        def balance(self) -> int:
            """Wei, u256."""

        @property
        def code(self) -> bytes:
            """Of a contract; empty where there is none."""

        @property
        def code_size(self) -> int:
            """Bytes, u64."""

        @property
        def code_hash(self) -> bytes:
            """bytes32, zeros where there is no account."""

        def __init__(self, value: int | bytes | Address | HasAddress, /) -> None: ...
        def __int__(self) -> int: ...
        def __bytes__(self) -> bytes: ...
        def __lt__(self, other: Address, /) -> bool: ...
        def __le__(self, other: Address, /) -> bool: ...
        def __gt__(self, other: Address, /) -> bool: ...
        def __ge__(self, other: Address, /) -> bool: ...

    class HasAddress(Protocol):
        """An interface of a contract."""

        @property
        def address(self) -> Address: ...

    class Array(Protocol[T, N_co]):
        """`Array[T, Literal[n]]`: exactly n items."""

        def __getitem__(self, index: int, /) -> T: ...
        def __setitem__(self, index: int, value: T, /) -> None: ...
        def __contains__(self, value: object, /) -> bool: ...
        def __iter__(self) -> Iterator[T]: ...
        def __len__(self) -> int: ...
        def copy(self) -> Array[T, N_co]:
            """The same items, in a new array."""

    class Map(Generic[K, V]):
        """In storage; an absent key reads as the default."""

        def __getitem__(self, key: K, /) -> V: ...
        def __setitem__(self, key: K, value: V, /) -> None: ...
        def __delitem__(self, key: K, /) -> None: ...
        def __contains__(self, key: K, /) -> bool: ...
        def __iter__(self) -> Iterator[K]: ...
        def keys(self) -> Iterable[K]:
            """In order: the same as the map itself."""

        def items(self) -> Iterable[tuple[K, V]]:
            """Keys in order, with their values."""
else:
    from sdk.lang.forms import AddressForm, Form

    Address = AddressForm("Address")
    Array, List, Map = Form("Array"), Form("List"), Form("Map")
    Public, Const, Immutable, Transient = Form("Public"), Form("Const"), Form("Immutable"), Form("Transient")
    Indexed = Form("Indexed")
