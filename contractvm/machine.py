"""The seam between the chain and the machines that run code: what a call is, what comes of it, what a machine does.

The first bytes of the code choose the machine (`chain` keeps the list); machines never see one another and call back
through the `invoke` that their `Host` is given. Never: state or gas of its own.
"""

from __future__ import annotations

from dataclasses import field
from enum import IntEnum, StrEnum
from typing import TYPE_CHECKING, Final, Protocol, runtime_checkable

from contractvm.dataclass import dataclass
from contractvm.errors import Trap
from contractvm.types import Address

if TYPE_CHECKING:
    from contractvm.host import Host
    from contractvm.rules import Rules


class Status(IntEnum):
    """How a call ended: what the host call `call` returns to the contract that made it."""

    OK = 0
    REVERT = 1
    OUT_OF_GAS = 2
    TRAP = 3
    FUNDS = 4
    DEPTH = 5
    NO_CODE = 6
    REENTRY = 7


class Kind(StrEnum):
    """What sort of frame a call opens."""

    CALL = "call"
    STATIC = "static_call"
    DELEGATE = "delegate_call"
    CREATE = "create"
    CREATE2 = "create2"


# The members of which every frame meets one, by names of their own: CPython 3.11 looks a member up slowly.
OK: Final = Status.OK
CALL: Final = Kind.CALL
STATIC: Final = Kind.STATIC
DELEGATE: Final = Kind.DELEGATE
CREATE: Final = Kind.CREATE
CREATE2: Final = Kind.CREATE2


@dataclass(slots=True)
class Call:
    """A frame asked for. Amounts in wei, gas in whole gas; `static` is inherited by every frame below.

    For CREATE kinds `input` is init code followed by constructor arguments and `code_address` is unused.
    For DELEGATE `self_address`, `caller` and `value` are the calling frame's and `code_address` is where the code is.
    """

    kind: Kind
    caller: Address
    self_address: Address
    code_address: Address
    value: int
    input: bytes
    gas: int
    depth: int
    static: bool = False
    salt: bytes = b""


@dataclass(slots=True)
class Outcome:
    """How a frame ended. `gas_left` is whole gas that goes back to the caller; `output` is return or revert data."""

    status: Status
    gas_left: int
    output: bytes = b""
    trap: Trap | None = None
    created: Address | None = None
    detail: str = field(default="")

    @property
    def ok(self) -> bool:
        return self.status is OK


class PageBudget:
    """Memory pages (of 64 KiB) that the frames of one transaction may still hold at the same time."""

    __slots__ = ("left",)

    def __init__(self, pages: int) -> None:
        self.left = pages

    def take(self, pages: int) -> bool:
        """Take `pages` if there are so many left; otherwise take none and return False."""
        if pages > self.left:
            return False
        self.left -= pages
        return True

    def release(self, pages: int) -> None:
        """Return pages of a frame that has ended."""
        self.left += pages


class Machine(Protocol):
    """One kind of code. Implementations hold only caches: the same call on the same world gives the same outcome."""

    name: str

    def accepts(self, code: bytes) -> bool:
        """Whether the first bytes of `code` are this machine's."""
        ...

    def split(self, init: bytes) -> tuple[bytes, bytes]:
        """Divide creation data into code to deploy and constructor input. Raises: ModuleError."""
        ...

    def check(self, code: bytes, rules: Rules) -> None:
        """Accept or refuse `code` for deployment. Raises: Malformed, Invalid, Unlinkable, with place and reason."""
        ...

    def sees_gas(self, code: bytes, code_hash: bytes, rules: Rules) -> bool:
        """Whether accepted `code` might do another thing if it had more gas; if not, it just ends earlier with less."""
        ...

    def run(self, code: bytes, code_hash: bytes, entry: str, host: Host) -> bytes:
        """Run `entry` ("call" or "deploy") of accepted `code` in a fresh instance against `host`; return its output.

        Gas is `host.meter`'s. Raises: Revert, Trap (with its place), OutOfGas.
        """
        ...


class Repeat(Protocol):
    """The entry "call" of one contract, for outermost frames of one host, one after another."""

    def begin(self) -> None:
        """A transaction has begun, in which every frame that follows is the first; they differ in input and gas."""
        ...

    def run(self) -> bytes | None:
        """As `Machine.run`, for the host's input and meter as they are now; None when that has to do it from the start.

        The budget of pages is not given back: the next frame has a fresh one. Raises: Revert, Trap without its place,
        OutOfGas.
        """
        ...

    def end(self) -> None:
        """Let go of what was kept ready."""
        ...


@runtime_checkable
class Repeating(Protocol):
    """A machine that can do better than `run` where a contract is entered again and again."""

    def repeat(self, code: bytes, code_hash: bytes, host: Host) -> Repeat | None:
        """Get ready to run "call" of accepted `code` in outermost frames of `host`, whose call and meter are set anew
        for each. None where that would be no better now.
        """
        ...
