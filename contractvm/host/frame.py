"""`Host`: one frame's view of the world, and what the frames of a transaction share.

Source: yellow paper section 9.3 (execution environment); EIP-1559, 2929 for what `Env` and warmth are.
Never: knows which machine runs the frame. A machine sets `memory` before it runs and binds the rows it imports.
"""

from __future__ import annotations

from collections.abc import Callable
from struct import Struct
from types import CellType
from typing import Final, NoReturn, Protocol

from contractvm.dataclass import dataclass
from contractvm.errors import OutOfGas, Trap, TrapCode
from contractvm.host.facts import put_returndata
from contractvm.host.prices import Prices
from contractvm.machine import Call, Outcome, PageBudget
from contractvm.rules import Rules
from contractvm.types import MILLI, Address
from gas.meter import Meter
from state.world import World

PLENTY = 1 << 96
"""More milligas than anybody has."""
SHORT: Final = 65
"""Ranges of fewer bytes (keys, addresses, words) are cut out of memory and written to it by `struct`: a slice copies
them twice and takes twice the time."""
CUT: Final[tuple[Callable[[bytearray, int], tuple[bytes]], ...]] = tuple(
    [Struct(f"{n}s").unpack_from for n in range(SHORT)]
)
"""By length: takes memory and a pointer, gives the bytes there."""
PASTE: Final[tuple[Callable[[bytearray, int, bytes], None], ...]] = tuple(
    [Struct(f"{n}s").pack_into for n in range(SHORT)]
)
"""By length: takes memory, a pointer and the bytes to put there."""
MINUS_ONE = 0xFFFF_FFFF
"""-1 as an i32: there is nothing to copy."""


class Memory(Protocol):
    """Linear memory. `data` may become another object when memory grows, so it is looked up at each use."""

    @property
    def data(self) -> bytearray: ...


class NoMemory:
    """The memory of a module that has none: every range in it but the empty one is out of bounds, so nobody writes."""

    __slots__ = ()

    @property
    def data(self) -> bytearray:
        return bytearray()


NO_MEMORY: Final = NoMemory()
"""What a frame has until its machine gives it one."""


class Finish(Exception):
    """A frame has finished with `data`; machines catch it. Not an error."""

    def __init__(self, data: bytes) -> None:
        super().__init__(data)
        self.data = data


@dataclass(slots=True)
class Log:
    """An event: at most four topics of 32 bytes, and data."""

    address: Address
    topics: tuple[bytes, ...]
    data: bytes


@dataclass(slots=True)
class Env:
    """What a transaction sees around it. Fees in wei a gas, timestamp in seconds, `gas_limit` (the block's) in gas.

    `block_hash` is asked for the last 256 blocks only; `debug` is given what contracts print, or is None.
    """

    chain_id: int
    number: int
    timestamp: int
    coinbase: Address
    base_fee: int
    gas_limit: int
    origin: Address
    gas_price: int
    block_hash: Callable[[int], bytes | None]
    debug: Callable[[Address, bytes], None] | None = None


class Session:
    """What the frames of one transaction share: prices, live pages, and who may not be entered again.

    `locked` counts, by storage address, the frames that are calling out without the re-entry flag. `spare` is the least
    milligas that a frame had beyond EIP-2200's sentry when it changed storage.
    """

    __slots__ = ("_live_pages", "locked", "pages", "prices", "spare")

    def __init__(self, rules: Rules, prices: Prices | None = None) -> None:
        """`prices`: of the rules, where somebody has looked them up already."""
        self.locked: dict[Address, int] = {}
        self.spare = PLENTY
        self._live_pages = rules.limits.live_pages
        self.pages = PageBudget(self._live_pages)
        self.prices = prices or Prices.of(rules.schedule)

    def begin(self) -> None:
        """Be as new for another transaction, however the last one ended."""
        self.spare = PLENTY
        self.pages.left = self._live_pages
        if self.locked:
            self.locked.clear()


class Cursor:
    """An open iterator: where it stands, what bounds it (both as `World.next_key` takes them), what it found."""

    __slots__ = ("bound", "inclusive", "key", "keys_only", "position", "reverse", "value")

    def __init__(
        self, position: bytes | None, inclusive: bool, bound: bytes | None, reverse: bool, keys_only: bool
    ) -> None:
        self.position = position
        self.inclusive = inclusive
        self.bound = bound
        self.reverse = reverse
        self.keys_only = keys_only
        self.key: bytes | None = None
        self.value: bytes | None = None


class Host:
    """One frame's host: the functions of the table take it first.

    `self_address` is whose storage and balance the frame has; `returndata` is the output of its last call. `facts` is
    the block, and the place in it, that compiled code reads, where a machine has one.
    """

    __slots__ = (
        "_cell",
        "call",
        "cursors",
        "env",
        "facts",
        "invoke",
        "last_handle",
        "limits",
        "memory",
        "meter",
        "prices",
        "returndata",
        "rules",
        "self_address",
        "session",
        "world",
    )

    def __init__(
        self,
        world: World,
        env: Env,
        rules: Rules,
        call: Call,
        meter: Meter,
        invoke: Callable[[Call], Outcome],
        session: Session,
    ) -> None:
        self.world = world
        self.env = env
        self.rules = rules
        self.limits = rules.limits
        self.call = call
        self.self_address = call.self_address
        self.meter = meter
        self._cell = meter.cell
        self.invoke = invoke
        self.session = session
        self.prices = session.prices
        self.memory: Memory = NO_MEMORY
        self.returndata = b""
        self.facts: tuple[bytearray, int] | None = None
        self.cursors: dict[int, Cursor] = {}
        self.last_handle = 0

    def renew(self, content: bytes, gas: int) -> None:
        """Be the host of another outermost frame, in which nothing but the input and the (whole) gas is different."""
        call = self.call
        call.input, call.gas = content, gas
        self.meter.limit = gas
        self._cell.cell_contents = gas * MILLI
        self.session.begin()
        self.returndata, self.last_handle = b"", 0
        if self.cursors:
            self.cursors = {}

    def count_in(self, cell: CellType) -> None:
        """Let the frame's gas be counted in a cell that generated code closes over, from what is left now."""
        cell.cell_contents = self._cell.cell_contents
        self.meter.cell = self._cell = cell

    def answered(self, output: bytes) -> None:
        """Keep the output of the frame's last call."""
        self.returndata = output
        if self.facts is not None:
            put_returndata(output, *self.facts)

    def charge(self, milligas: int) -> None:
        """Pay. Raises: OutOfGas."""
        cell = self._cell
        left = cell.cell_contents - milligas
        cell.cell_contents = left
        if left < 0:
            raise OutOfGas

    def charge_change(self, milligas: int) -> None:
        """Pay for a change of storage, which a call that only has its stipend must not make; notes how narrowly it may.

        Source: EIP-2200. Raises: OutOfGas.
        """
        cell = self._cell
        left = cell.cell_contents
        spare = left - self.prices.slot_sentry
        if spare <= 0:
            raise OutOfGas
        session = self.session
        if spare < session.spare:
            session.spare = spare
        left -= milligas
        cell.cell_contents = left
        if left < 0:
            raise OutOfGas

    def take(self, pointer: int, length: int) -> bytes:
        """Read `length` bytes of memory. Raises: Trap(HOST_POINTER)."""
        data = self.memory.data
        end = pointer + length
        if end > len(data):
            out_of_memory(pointer, length, len(data))
        return CUT[length](data, pointer)[0] if length < SHORT else bytes(data[pointer:end])

    def room(self, pointer: int, length: int) -> None:
        """Check that a range lies in memory. Raises: Trap(HOST_POINTER)."""
        size = len(self.memory.data)
        if pointer + length > size:
            out_of_memory(pointer, length, size)

    def put(self, pointer: int, content: bytes) -> None:
        """Write to memory where `room` was checked: a slice beyond the end would grow the memory."""
        length = len(content)
        if length < SHORT:
            PASTE[length](self.memory.data, pointer, content)
        else:
            self.memory.data[pointer : pointer + length] = content

    def require(self, length: int, limit: int, what: str) -> None:
        """Raises: Trap(HOST_ARGUMENT) when `length` is over `limit`."""
        if length > limit:
            raise Trap(TrapCode.HOST_ARGUMENT, f"{what} {length}, limit {limit}")

    def require_writable(self, what: str) -> None:
        """Raises: Trap(STATIC_WRITE) in a static frame."""
        if self.call.static:
            raise Trap(TrapCode.STATIC_WRITE, what)


def out_of_memory(pointer: int, length: int, size: int) -> NoReturn:
    """Raises: Trap(HOST_POINTER), naming the range."""
    raise Trap(TrapCode.HOST_POINTER, f"bytes {pointer:#x} to {pointer + length:#x} of a memory of {size:#x} bytes")


def words(length: int) -> int:
    """32-byte words that hold `length` bytes: the unit of copying, hashing and storage prices."""
    return (length + 31) >> 5
