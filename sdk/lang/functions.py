"""What an author calls: decorators, `emit`, calls of other contracts, the ABI, hashes, and the ends of integer types.

What depends on numbers and bytes alone also works in plain Python, because constants of a module are made with it; what
needs a chain refuses, and says so.
Follows docs/language.md, "Functions", "Functions of the language" and "Other contracts". Never: read by the compiler,
which knows these by name.
"""

from __future__ import annotations

from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, TypeVar, overload

from sdk.lang.forms import on_chain

if TYPE_CHECKING:
    from sdk.lang.containers import Address
    from sdk.lang.records import Event, Interface

P = ParamSpec("P")
T = TypeVar("T")
F = TypeVar("F", bound=Callable[..., object])


@overload
def external(function: F, /) -> F: ...
@overload
def external(*, name: str) -> Callable[[F], F]: ...
def external(function: F | None = None, /, *, name: str = "") -> F | Callable[[F], F]:
    """Other accounts may call it; `name` is what the ABI calls it."""
    return function if function is not None else lambda decorated: decorated


def view(function: F, /) -> F:
    """It may not change anything."""
    return function


def payable(function: F, /) -> F:
    """It takes value."""
    return function


def nonreentrant(function: F, /) -> F:
    """It reverts while a function so marked runs."""
    return function


class unchecked:
    """`with unchecked():` integers wrap."""

    def __enter__(self) -> None:
        on_chain("unchecked()")

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, where: TracebackType | None
    ) -> None:
        on_chain("unchecked()")


def emit(event: Event, /) -> None:
    """Write a log."""
    on_chain("emit")


# Other contracts


def send(to: Address, amount: int, /) -> None:
    """Send wei; a failure reverts with the recipient's reason."""
    on_chain("send")


def try_send(to: Address, amount: int, /) -> bool:
    """Send wei and return whether that went well."""
    on_chain("try_send")


@overload
def try_call(function: Callable[P, None], /, *given: P.args, **named: P.kwargs) -> bool: ...  # type: ignore[overload-overlap]
@overload
def try_call(function: Callable[P, T], /, *given: P.args, **named: P.kwargs) -> tuple[bool, T]: ...
def try_call(function: Callable[..., Any], /, *given: Any, **named: Any) -> Any:
    """Call a function of an interface and return (ok, result), or ok when it has none."""
    on_chain("try_call")


def raw_call(to: Address, data: bytes = b"", *, value: int = 0, gas: int = 0, reentry: bool = False) -> bytes:
    """Call with bytes and return the output; a failure reverts with the callee's reason."""
    on_chain("raw_call")


def raw_static_call(to: Address, data: bytes = b"", *, gas: int = 0, reentry: bool = False) -> bytes:
    """Call such that nothing can change."""
    on_chain("raw_static_call")


def raw_delegate_call(to: Address, data: bytes = b"", *, gas: int = 0, reentry: bool = False) -> bytes:
    """Run another contract's code on this contract's storage."""
    on_chain("raw_delegate_call")


def try_raw_call(
    to: Address, data: bytes = b"", *, value: int = 0, gas: int = 0, reentry: bool = False
) -> tuple[bool, bytes]:
    """`raw_call`, returning (ok, output or reason)."""
    on_chain("try_raw_call")


def try_raw_static_call(to: Address, data: bytes = b"", *, gas: int = 0, reentry: bool = False) -> tuple[bool, bytes]:
    """`raw_static_call`, returning (ok, output or reason)."""
    on_chain("try_raw_static_call")


def try_raw_delegate_call(to: Address, data: bytes = b"", *, gas: int = 0, reentry: bool = False) -> tuple[bool, bytes]:
    """`raw_delegate_call`, returning (ok, output or reason)."""
    on_chain("try_raw_delegate_call")


def create(code: bytes, /, *arguments: object, value: int = 0) -> Address:
    """Deploy code with constructor arguments."""
    on_chain("create")


def create2(code: bytes, /, *arguments: object, salt: bytes, value: int = 0) -> Address:
    """Deploy at an address that depends on the code, the arguments and the salt (bytes32)."""
    on_chain("create2")


# The ABI


def abi_encode(*values: object) -> bytes:
    """Encode as `abi.encode`."""
    on_chain("abi_encode")


def abi_decode(data: bytes, form: type[T], /) -> T:
    """Decode a value; several as a tuple."""
    on_chain("abi_decode")


def encode_packed(*values: object) -> bytes:
    """Encode as `abi.encodePacked`."""
    on_chain("encode_packed")


def encode_call(function: Callable[Concatenate[Any, P], object], /, *given: P.args, **named: P.kwargs) -> bytes:
    """A selector and its arguments: what a call of an interface's function sends."""
    on_chain("encode_call")


def selector(function: Callable[..., object], /) -> bytes:
    """bytes4 of an interface's function."""
    on_chain("selector")


def interface_id(interface: type[Interface], /) -> bytes:
    """bytes4: ERC-165's identifier of an interface, its selectors combined by xor."""
    on_chain("interface_id")


# Hashes and signatures


def keccak256(data: bytes, /) -> bytes:
    """bytes32: Ethereum's hash."""
    from contractvm.crypto import keccak256 as hashed

    return hashed(data)


def sha256(data: bytes, /) -> bytes:
    """bytes32."""
    from contractvm.crypto import sha256 as hashed

    return hashed(data)


def blake2b256(data: bytes, /) -> bytes:
    """bytes32."""
    from contractvm.crypto import blake2b256 as hashed

    return hashed(data)


def ripemd160(data: bytes, /) -> bytes:
    """bytes20."""
    from contractvm.crypto import ripemd160 as hashed

    return hashed(data)


def ecrecover(digest: bytes, v: int, r: bytes, s: bytes, /) -> Address:
    """Who signed a digest; ZERO_ADDRESS when the signature is none."""
    on_chain("ecrecover")


def secp256k1_verify(digest: bytes, signature: bytes, key: bytes, /) -> bool:
    """Whether r and s (64 bytes) sign a digest for a public key of 33 or 65 bytes."""
    on_chain("secp256k1_verify")


def ed25519_verify(message: bytes, signature: bytes, key: bytes, /) -> bool:
    """Whether 64 bytes sign a message for a public key of 32 bytes."""
    on_chain("ed25519_verify")


# Integer types


def max_value(form: type[int], /) -> int:
    """The largest of an integer type."""
    return int(getattr(form, "high"))  # noqa: B009 - for mypy the type is int


def min_value(form: type[int], /) -> int:
    """The smallest of an integer type."""
    return int(getattr(form, "low"))  # noqa: B009 - for mypy the type is int
