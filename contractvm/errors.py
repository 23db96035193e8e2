"""The three kinds of error, never mixed.

* before execution (no receipt): `Malformed`, `Invalid`, `Unlinkable`, `Rejected`;
* during execution (a receipt with status 0): `Trap`, `Revert`, `OutOfGas`;
* never a contract's doing: `Fatal` (our bugs, broken disks), which stops without a block.

Each names its place. Source: WebAssembly core specification, sections 3 to 5 and appendix "Validation Algorithm",
for the division into malformed, invalid, unlinkable and trap.
"""

from __future__ import annotations

from enum import StrEnum
from typing import ClassVar

from contractvm.dataclass import dataclass


class ContractVMError(Exception):
    """Root of every error this project raises on purpose."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where in a module: function index (imports counted), its name if known, byte offset in the module."""

    offset: int | None = None
    function: int | None = None
    name: str | None = None

    def __str__(self) -> str:
        parts = []
        if self.function is not None:
            parts.append(f"function {self.function}" + (f" ({self.name})" if self.name else ""))
        if self.offset is not None:
            parts.append(f"byte {self.offset:#x}")
        return ", ".join(parts) or "module"


class ModuleError(ContractVMError):
    """A module refused before it runs; `place` says where, `reason` why."""

    def __init__(self, reason: str, place: Place | None = None) -> None:
        super().__init__(reason, place)
        self.reason = reason
        self.place = place or Place()

    def __str__(self) -> str:
        return f"{self.reason} (at {self.place})" if self.place != Place() else self.reason


class Malformed(ModuleError):
    """The bytes are not the binary format (wasm spec section 5)."""


class Invalid(ModuleError):
    """The module breaks a validation rule (wasm spec section 3), or a limit or feature switch of `Rules`."""


class Unlinkable(ModuleError):
    """An import is missing or has another type (wasm spec section 4.5.4)."""


class Rejected(ContractVMError):
    """A transaction, block or deployment refused before execution: nothing changed, no receipt."""


class TrapCode(StrEnum):
    """Why an execution trapped. The wasm ones read as the specification's test suite words them."""

    UNREACHABLE = "unreachable"
    INTEGER_DIVIDE_BY_ZERO = "integer divide by zero"
    INTEGER_OVERFLOW = "integer overflow"
    MEMORY_OUT_OF_BOUNDS = "out of bounds memory access"
    TABLE_OUT_OF_BOUNDS = "out of bounds table access"
    UNDEFINED_ELEMENT = "undefined element"
    UNINITIALIZED_ELEMENT = "uninitialized element"
    INDIRECT_CALL_TYPE_MISMATCH = "indirect call type mismatch"
    STACK_EXHAUSTED = "call stack exhausted"
    MEMORY_LIMIT = "memory limit of the transaction exceeded"
    STATIC_WRITE = "write in a static call"
    HOST_ARGUMENT = "host call argument out of range"
    HOST_POINTER = "host call pointer out of bounds"
    ITERATOR_HANDLE = "no such iterator"
    ITERATOR_LIMIT = "too many open iterators"


class ExecutionError(ContractVMError):
    """Ends a frame; the receipt says so."""


class Trap(ExecutionError):
    """A frame that broke a rule: its effects are undone, what gas is left goes back to the caller.

    `place` is filled in by the machine that knows it; `detail` is for people. `backtrace` has the places of the calls
    that led there, the innermost, `place` itself, first; of deep stacks only the innermost `BACKTRACE` of them.
    """

    BACKTRACE: ClassVar[int] = 32

    def __init__(
        self, code: TrapCode, detail: str = "", place: Place | None = None, backtrace: tuple[Place, ...] = ()
    ) -> None:
        super().__init__(code, detail)
        self.code = code
        self.detail = detail
        self.place = place
        self.backtrace = backtrace

    def __str__(self) -> str:
        text = f"{self.code}: {self.detail}" if self.detail else str(self.code)
        return f"{text} (at {self.place})" if self.place is not None else text


class Revert(ExecutionError):
    """The contract undid itself and says why in `data` (Solidity ABI)."""

    def __init__(self, data: bytes) -> None:
        super().__init__(data)
        self.data = data


class OutOfGas(ExecutionError):
    """The meter could not pay: all gas forwarded to the frame is gone."""


class Fatal(ContractVMError):
    """Our bug or a broken disk, never a contract's doing: stop, write no block."""
