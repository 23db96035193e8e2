"""The typed tree: a contract after checking, and what the back end reads. Every rule of the language has been enforced.

Expressions carry their type and their place in the source. What is implicit in the source is explicit here: literals
have their context's type, `checked` says whether an operation reverts or wraps, names are resolved to locals, fields
and functions, `self.f()` to the method that the finished contract has, defaults of internal calls are filled in.
Evaluation order is the order of the fields of a node, from left to right, as Python's.
Never: anything that can be wrong because of the author; whoever finds such a thing here has found a compiler bug.
"""

from __future__ import annotations

from dataclasses import field
from pathlib import Path
from typing import TypeAlias

from contractvm.dataclass import dataclass
from sdk.compiler.symbols import Error, Event, Field, Mutability, Remote, Span
from sdk.compiler.types import Type

# Locals and functions: identities, compared by `is`.


@dataclass(slots=True, eq=False)
class Local:
    """A parameter or a local variable; each function's own."""

    name: str
    type: Type


@dataclass(slots=True, eq=False)
class Function:
    """One function of the finished contract: a method, a module's function, a constructor or a getter.

    `body` is filled in after the function is known, because functions call each other. A getter of a public field is a
    function too, written by the checker. `super().__init__()` and `super().f()` are calls of the base's `Function`.
    """

    name: str
    qualified: str
    """`Token.transfer`, `helpers.mean`: unique in a contract, and what the name section and traces say."""
    parameters: list[Local]
    returns: Type
    span: Span
    body: list[Statement] = field(default_factory=list)
    nonreentrant: bool = False
    writes: bool = False
    """Whether it may change state, emit, or call out other than statically, itself or through what it calls."""


# Places: what can be read and, where the checker allows it, written.


@dataclass(frozen=True, slots=True, eq=False)
class LocalPlace:
    local: Local
    type: Type
    span: Span


@dataclass(frozen=True, slots=True, eq=False)
class FieldPlace:
    """A field of the contract: storage, transient or immutable (constants are folded into `Constant`)."""

    field: Field
    type: Type
    span: Span


@dataclass(frozen=True, slots=True, eq=False)
class ValuePlace:
    """A struct, list or array in memory that an expression gives: the root of `f().x` or `make()[0]`."""

    value: Expression
    type: Type
    span: Span


@dataclass(frozen=True, slots=True, eq=False)
class EntryPlace:
    """`m[key]` of a map. Reads as the default when absent; writing the default removes."""

    base: Place
    key: Expression
    type: Type
    span: Span


@dataclass(frozen=True, slots=True, eq=False)
class IndexPlace:
    """`items[i]` of a list or an array, in storage or in memory; `index` is a u64. Panic 0x32 outside."""

    base: Place
    index: Expression
    type: Type
    span: Span


@dataclass(frozen=True, slots=True, eq=False)
class MemberPlace:
    """A field of a struct, by position."""

    base: Place
    index: int
    type: Type
    span: Span


Place: TypeAlias = LocalPlace | FieldPlace | ValuePlace | EntryPlace | IndexPlace | MemberPlace


# Expressions.


@dataclass(frozen=True, slots=True, eq=False)
class Constant:
    """`value`: int for integers and enums, bool, bytes for addresses, bytesN, Bytes and String (its UTF-8)."""

    value: int | bool | bytes
    type: Type
    span: Span


@dataclass(frozen=True, slots=True, eq=False)
class Load:
    """Reads a place. A struct, list or array in memory gives itself (its identity); in storage, a fresh copy."""

    place: Place
    type: Type
    span: Span


@dataclass(frozen=True, slots=True, eq=False)
class Copy:
    """`.copy()`: a deep copy in memory of a struct, list or array."""

    value: Expression
    type: Type
    span: Span


@dataclass(frozen=True, slots=True, eq=False)
class Binary:
    """`add sub mul floordiv mod pow shl shr and or xor`; both sides of the node's type.

    Of the right side of `pow`, `shl` and `shr` only: any unsigned integer type. `and or xor` are also for bytesN.
    `checked`: overflow, lost bits of `shl` and division by zero revert (0x11, 0x12); otherwise all but division by
    zero wraps.
    """

    op: str
    left: Expression
    right: Expression
    checked: bool
    type: Type
    span: Span


@dataclass(frozen=True, slots=True, eq=False)
class Unary:
    """`neg` (signed), `invert` (signed integers and bytesN), `not` (bool)."""

    op: str
    value: Expression
    checked: bool
    type: Type
    span: Span


@dataclass(frozen=True, slots=True, eq=False)
class Compare:
    """`eq ne lt le gt ge` of two values of one type; bool. Order exists for integers, enums not, bytesN and addresses
    as big-endian numbers; equality for every type but maps (deep, for structs, lists, tuples)."""

    op: str
    left: Expression
    right: Expression
    type: Type
    span: Span


@dataclass(frozen=True, slots=True, eq=False)
class Chain:
    """`a < b < c`: each value is evaluated at most once, from the left, until a comparison fails."""

    first: Expression
    rest: tuple[tuple[str, Expression], ...]
    type: Type
    span: Span


@dataclass(frozen=True, slots=True, eq=False)
class Logical:
    """`and`, `or` of bools, short-circuit."""

    op: str
    left: Expression
    right: Expression
    type: Type
    span: Span


@dataclass(frozen=True, slots=True, eq=False)
class Conditional:
    test: Expression
    then: Expression
    otherwise: Expression
    type: Type
    span: Span


@dataclass(frozen=True, slots=True, eq=False)
class Convert:
    """`u8(x)`, `Address(x)`, `bytes32(x)`, `IToken(a)`, `Color(1)`, `Bytes(b)`, `"text".encode()`...

    Between integers: Panic 0x11 when it does not fit (unchecked: truncates). Integer to enum: Panic 0x21. Enum to
    integer,
    bool to integer: always fits or 0x11. Address and u160, bytesN and u(8N): the same bits, big-endian. bytesN to a
    larger
    bytesM: zeros on the right; to a smaller: the first bytes. Bytes to bytesN: the exact length, otherwise Panic
    0x11; Bytes and
    String: the same bytes. Address and Remote: the same. Bytes from bytesN or Address: its bytes.
    """

    value: Expression
    checked: bool
    type: Type
    span: Span


@dataclass(frozen=True, slots=True, eq=False)
class MakeTuple:
    items: tuple[Expression, ...]
    type: Type
    span: Span


@dataclass(frozen=True, slots=True, eq=False)
class MakeStruct:
    """All fields, in order of declaration, but evaluated in the order of `order` (the source's)."""

    items: tuple[Expression, ...]
    order: tuple[int, ...]
    type: Type
    span: Span


@dataclass(frozen=True, slots=True, eq=False)
class MakeList:
    """A list or an array of these items; fresh in memory."""

    items: tuple[Expression, ...]
    type: Type
    span: Span


@dataclass(frozen=True, slots=True, eq=False)
class Default:
    """The default of a type: 0, False, empty, a fresh struct or array of defaults."""

    type: Type
    span: Span


@dataclass(frozen=True, slots=True, eq=False)
class Item:
    """One item of a tuple, by position."""

    value: Expression
    index: int
    type: Type
    span: Span


@dataclass(frozen=True, slots=True, eq=False)
class ByteAt:
    """`b[i]` of Bytes or bytesN: u8. Panic 0x32 outside; `index` is u64."""

    value: Expression
    index: Expression
    type: Type
    span: Span


@dataclass(frozen=True, slots=True, eq=False)
class Slice:
    """`b[i:j]` of Bytes, or of a list in memory (a fresh copy): bounds are u64 and clamped to the length, as
    Python's."""

    value: Expression
    start: Expression | None
    stop: Expression | None
    type: Type
    span: Span


@dataclass(frozen=True, slots=True, eq=False)
class Length:
    """`len(...)`, u64: of Bytes, a list or an array, by place where it is one (a list in storage is not loaded)."""

    of: Expression | Place
    type: Type
    span: Span


@dataclass(frozen=True, slots=True, eq=False)
class Contains:
    """`key in map` (present), or `x in list/array` (some item is equal)."""

    key: Expression
    of: Expression | Place
    type: Type
    span: Span


@dataclass(frozen=True, slots=True, eq=False)
class Pop:
    """`items.pop()`: the last item of a list, removed. Panic 0x31 when empty."""

    place: Place
    type: Type
    span: Span


@dataclass(frozen=True, slots=True, eq=False)
class Builtin:
    """A function of the language or a fact of the environment, by name; the arguments fit the back end's table.

    Facts: `msg.sender msg.value msg.data msg.sig msg.gas self.address self.balance tx.origin tx.gas_price block.number
    block.timestamp block.coinbase block.base_fee block.gas_limit chain.id`.
    Functions: `abs min max sum pow_mod keccak256 sha256 ripemd160 blake2b256 ecrecover secp256k1_verify ed25519_verify
    block_hash balance code_hash code_size concat` and what docs/language.md names beside them.
    `min` and `max` have two or more arguments of one type, or one list.
    """

    name: str
    arguments: tuple[Expression, ...]
    checked: bool
    type: Type
    span: Span


@dataclass(frozen=True, slots=True, eq=False)
class Call:
    """An internal call: arguments for every parameter, in order, evaluated in the order of `order` (the source's)."""

    function: Function
    arguments: tuple[Expression, ...]
    order: tuple[int, ...]
    type: Type
    span: Span


@dataclass(frozen=True, slots=True, eq=False)
class CallRemote:
    """`IToken(a).f(x)`: reverts with the callee's reason when it fails, and when nothing is there.

    `tried`: `try_call`, whose type is Tuple((BOOL, returns)) or BOOL for nothing; the default stands in for a result
    that is
    not there. `static`: by the function's mutability (pure and view).
    """

    target: Expression
    function: Remote
    arguments: tuple[Expression, ...]
    value: Expression | None
    gas: Expression | None
    reentry: bool
    static: bool
    tried: bool
    type: Type
    span: Span


@dataclass(frozen=True, slots=True, eq=False)
class RawCall:
    """`kind`: call, static, delegate. Type: Tuple((BOOL, BYTES)) when tried, otherwise BYTES (and a failure bubbles
    up)."""

    kind: str
    target: Expression
    data: Expression
    value: Expression | None
    gas: Expression | None
    reentry: bool
    tried: bool
    type: Type
    span: Span


@dataclass(frozen=True, slots=True, eq=False)
class Send:
    """`send(to, amount)`: NOTHING, reverts; `try_send`: BOOL."""

    target: Expression
    amount: Expression
    tried: bool
    type: Type
    span: Span


@dataclass(frozen=True, slots=True, eq=False)
class Create:
    """`create(code, *arguments, value=)`, `create2(..., salt=)`: code is Bytes; arguments are ABI-encoded behind it.
    Address."""

    code: Expression
    arguments: tuple[Expression, ...]
    value: Expression | None
    salt: Expression | None
    type: Type
    span: Span


@dataclass(frozen=True, slots=True, eq=False)
class CodeOf:
    """The deployable module of another contract of the project, compiled apart: `create(Pair.code, ...)`. Bytes.

    `pipeline.embed` puts a `Constant` in its place: the back end never sees it.
    """

    contract: str
    """Its name."""
    path: Path
    type: Type
    span: Span


@dataclass(frozen=True, slots=True, eq=False)
class Encode:
    """`abi_encode(...)` (with `selector`: 4 bytes before it), `encode_packed(...)`. Bytes."""

    arguments: tuple[Expression, ...]
    packed: bool
    selector: bytes | None
    type: Type
    span: Span


@dataclass(frozen=True, slots=True, eq=False)
class Decode:
    """`abi_decode(data, T)`: strict, reverts without a reason on malformed data."""

    data: Expression
    type: Type
    span: Span


Expression: TypeAlias = (
    Constant | Load | Copy | Binary | Unary | Compare | Chain | Logical | Conditional | Convert | MakeTuple | MakeStruct
    | MakeList | Default | Item | ByteAt | Slice | Length | Contains | Pop | Builtin | Call | CallRemote | RawCall
    | Send | Create | CodeOf | Encode | Decode
)  # fmt: skip


# Statements.


@dataclass(frozen=True, slots=True, eq=False)
class Assign:
    """One value into one place; a local's first assignment too. The value is evaluated first, then the place."""

    place: Place
    value: Expression
    span: Span


@dataclass(frozen=True, slots=True, eq=False)
class Unpack:
    """`a, b = value`: the value is a tuple; None skips an item."""

    places: tuple[Place | None, ...]
    value: Expression
    span: Span


@dataclass(frozen=True, slots=True, eq=False)
class Augment:
    """`place op= value`: the place is evaluated once and read before the value is evaluated."""

    op: str
    place: Place
    value: Expression
    checked: bool
    span: Span


@dataclass(frozen=True, slots=True, eq=False)
class Discard:
    """An expression for its effect."""

    value: Expression
    span: Span


@dataclass(frozen=True, slots=True, eq=False)
class If:
    test: Expression
    body: tuple[Statement, ...]
    otherwise: tuple[Statement, ...]
    span: Span


@dataclass(frozen=True, slots=True, eq=False)
class While:
    test: Expression
    body: tuple[Statement, ...]
    span: Span


@dataclass(frozen=True, slots=True, eq=False)
class ForRange:
    """`range(start, stop, step)`: evaluated once; the local is an integer type; `step` is a constant other than 0."""

    local: Local
    start: Expression
    stop: Expression
    step: int
    body: tuple[Statement, ...]
    span: Span


@dataclass(frozen=True, slots=True, eq=False)
class ForEach:
    """Over a list or an array, by place or value, in order; `index` for `enumerate` (u64, from 0). The length is
    looked at
    before each step, as Python does."""

    index: Local | None
    item: Local | None
    of: Expression | Place
    body: tuple[Statement, ...]
    span: Span


@dataclass(frozen=True, slots=True, eq=False)
class ForMap:
    """Over a map's entries in key order: a cursor to the next greater key. `value` None reads keys only."""

    index: Local | None
    key: Local | None
    value: Local | None
    of: Place
    body: tuple[Statement, ...]
    span: Span


@dataclass(frozen=True, slots=True, eq=False)
class Break:
    span: Span


@dataclass(frozen=True, slots=True, eq=False)
class Continue:
    span: Span


@dataclass(frozen=True, slots=True, eq=False)
class Return:
    value: Expression | None
    span: Span


@dataclass(frozen=True, slots=True, eq=False)
class Revert:
    """`raise Insufficient(have, want)`: the arguments in order of the error's parameters, evaluated in `order`."""

    error: Error
    arguments: tuple[Expression, ...]
    order: tuple[int, ...]
    span: Span


@dataclass(frozen=True, slots=True, eq=False)
class Assert:
    """`assert test, reason`: reverts with Error(string), or with Panic 0x01 where there is no reason (None)."""

    test: Expression
    reason: Expression | None
    span: Span


@dataclass(frozen=True, slots=True, eq=False)
class Fail:
    """`raise Revert("reason")`-like: Error(string); None: no data."""

    reason: Expression | None
    span: Span


@dataclass(frozen=True, slots=True, eq=False)
class Emit:
    event: Event
    arguments: tuple[Expression, ...]
    order: tuple[int, ...]
    span: Span


@dataclass(frozen=True, slots=True, eq=False)
class Delete:
    """`del m[k]`, `del self.field`: back to the default; an absent key is no error."""

    place: Place
    span: Span


@dataclass(frozen=True, slots=True, eq=False)
class Append:
    """`items.append(value)`."""

    place: Place
    value: Expression
    span: Span


Statement: TypeAlias = (
    Assign | Unpack | Augment | Discard | If | While | ForRange | ForEach | ForMap | Break | Continue | Return | Revert
    | Assert | Fail | Emit | Delete | Append
)  # fmt: skip


# The whole.


@dataclass(frozen=True, slots=True, eq=False)
class Entry:
    """One selector: a call with the first `given` of the function's parameters; the rest are `defaults`, in order."""

    signature: str
    """Canonical: `transfer(address,uint256)`."""
    abi_name: str
    function: Function
    parameter_names: tuple[str, ...]
    """The ABI's, of the given ones."""
    given: int
    defaults: tuple[Expression, ...]
    mutability: Mutability


@dataclass(frozen=True, slots=True, eq=False)
class Program:
    """A contract, finished: all that code is generated from. `files` are the sources that spans count in."""

    name: str
    files: tuple[Path, ...]
    entries: tuple[Entry, ...]
    constructor: Function | None
    constructor_names: tuple[str, ...]
    constructor_payable: bool
    receive: Function | None
    """Runs for empty input; its result is nothing. Payable."""
    fallback: Function | None
    """Runs when no selector fits; takes nothing or Bytes (the input), gives nothing or Bytes (raw output)."""
    fallback_payable: bool
    functions: tuple[Function, ...]
    """Every function that can be reached, those above included, in a fixed order."""
    fields: tuple[Field, ...]
    """Of all kinds but const, in order of linearisation and declaration."""
    events: tuple[Event, ...]
    errors: tuple[Error, ...]
