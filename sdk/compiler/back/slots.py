"""How values lie in wasm: each type's slots, which are locals or operands, and the same slots in memory.

- uN, iN up to 64 bits: one i64, extended by zeros or by the sign; up to 128: two, the low first; above: four.
- bool, enums: one i32.
- bytesN: its bytes as they lie in memory, eight to an i64 (little-endian loads), the rest of the last zeros.
  An address or a contract: as bytes20.
- Bytes, String: an i32 to the first byte and an i32 with the number of bytes; what they point to never changes.
- tuples: the slots of their items.
- structs, lists, arrays: an i32 to their memory; they are shared, not copied. A struct has its members' slots one
  behind the other, an array its items'; a list has length, capacity and the address of its items, an i32 each.
In memory an i64 takes 8 bytes, an i32 4, without gaps. A fresh object of zeros is the default of every type.
Never: knows storage or the ABI.
"""

from __future__ import annotations

from typing import Final

from contractvm.wasm.module import I32, I64
from sdk.compiler.back.asm import Body, Types
from sdk.compiler.types import (
    Address,
    Array,
    Bool,
    Bytes,
    Enum,
    FixedBytes,
    Int,
    List,
    Map,
    Nothing,
    Remote,
    String,
    Struct,
    Tuple,
    Type,
)

LIST_LENGTH, LIST_CAPACITY, LIST_ITEMS, LIST_BYTES = 0, 4, 8, 12
"""Where a list's header has its length, its capacity and the address of its items, and the header's bytes."""
ADDRESS_BYTES: Final = 20


def limbs(type_: Int) -> int:
    """How many i64 hold an integer: 1, 2 or 4."""
    return 1 if type_.bits <= 64 else 2 if type_.bits <= 128 else 4


def slots(type_: Type) -> Types:
    """The wasm types of a value, none for a map (which is never a value) and nothing."""
    match type_:
        case Int():
            return (I64,) * limbs(type_)
        case Bool() | Enum() | Struct() | List() | Array():
            return (I32,)
        case Address() | Remote():
            return (I64,) * 3
        case FixedBytes(size):
            return (I64,) * -(-size // 8)
        case Bytes() | String():
            return (I32, I32)
        case Tuple(items):
            return tuple(slot for item in items for slot in slots(item))
        case Map() | Nothing():
            return ()


def slot_bytes(types: Types) -> int:
    """Bytes of slots in memory."""
    return sum(8 if slot == I64 else 4 for slot in types)


def size(type_: Type) -> int:
    """Bytes of a value's slots in memory."""
    return slot_bytes(slots(type_))


def object_bytes(type_: Struct | Array | List) -> int:
    """Bytes of the memory that a struct, an array or a list's header takes."""
    match type_:
        case Struct(members=members):
            return sum(size(member.type) for member in members)
        case Array(item, length):
            return length * size(item)
        case List():
            return LIST_BYTES


def member_offset(type_: Struct, index: int) -> int:
    """Where a struct's member starts."""
    return sum(size(member.type) for member in type_.members[:index])


def load(b: Body, types: Types, address: int, offset: int = 0) -> None:
    """Push slots from memory at the address in a local."""
    for slot in types:
        b.get(address)
        b.load("i64.load" if slot == I64 else "i32.load", offset)
        offset += 8 if slot == I64 else 4


def store(b: Body, locals_: tuple[int, ...], address: int, offset: int = 0) -> None:
    """Write locals to memory at the address in a local, as `load` reads them."""
    for local in locals_:
        wide = b.type_of(local) == I64
        b.get(address)
        b.get(local)
        b.store("i64.store" if wide else "i32.store", offset)
        offset += 8 if wide else 4


def put(b: Body, types: Types, address: int, offset: int = 0) -> None:
    """Pop slots into memory at the address in a local, as `load` reads them."""
    with b.temporaries(*types) as locals_:
        b.set(*locals_)
        store(b, locals_, address, offset)


def scale(b: Body, size: int) -> None:
    """Multiply the i32 on the stack by a constant, 1 or more."""
    if size & (size - 1):
        b.i32(size)
        b.op("i32.mul")
    elif size > 1:
        b.i32(size.bit_length() - 1)
        b.op("i32.shl")


def spelled(type_: Type) -> str:
    """A type's name that no other type has: what runtime routines that are made for a type are called."""
    match type_:
        case Struct(qualified=qualified) | Enum(qualified=qualified) | Remote(qualified=qualified):
            return qualified
        case Tuple(items):
            return f"({', '.join(map(spelled, items))})"
        case List(item):
            return f"{spelled(item)}[]"
        case Array(item, length):
            return f"{spelled(item)}[{length}]"
    return str(type_)


def shares(type_: Type) -> bool:
    """Whether a value's slots hold the address of an object that could be changed: a struct, a list or an array."""
    return any(map(shares, type_.items)) if isinstance(type_, Tuple) else isinstance(type_, (Struct, List, Array))


def item_type(type_: Type) -> Type:
    """Of a list or an array. Raises: TypeError for anything else."""
    if not isinstance(type_, (List, Array)):
        raise TypeError(f"{type_} has no items")
    return type_.item
