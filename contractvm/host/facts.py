"""What a frame knows from its first instruction on, as a block of bytes that compiled code reads without Python.

A machine that compiles lays the block where its code finds it, fills it with `pack_into` when a frame begins and names
it to the host (`Host.facts`), which keeps the last call's output in it up to date. Rows of the host table that only
read facts say so (`HostRow.native`); what they do, at which price and in which order, is said by their functions alone.
Never: a fact that the world decides, or that can change without the host knowing.
"""

from __future__ import annotations

import ctypes
import struct
from collections.abc import Mapping
from functools import cache
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from contractvm.dataclass import dataclass

if TYPE_CHECKING:
    from contractvm.host.frame import Host

ADDRESS, AMOUNT, NUMBER, CONTENT = "address", "amount", "number", "content"
FORMS: Final[Mapping[str, str]] = MappingProxyType({ADDRESS: "20s4x", AMOUNT: "32s", NUMBER: "Q", CONTENT: "2Q"})
"""How `struct` spells each: 20 bytes, 32 bytes little-endian, 64 bits, address and length of bytes that the host holds.
All begin at a multiple of eight."""
BYTES: Final[Mapping[str, int]] = MappingProxyType({ADDRESS: 20, AMOUNT: 32})
"""What is written of those that are written whole."""


@dataclass(frozen=True, slots=True)
class Fact:
    """One field of the block."""

    name: str
    form: str


FACTS: Final = (
    Fact("caller", ADDRESS),
    Fact("self_address", ADDRESS),
    Fact("value", AMOUNT),
    Fact("input", CONTENT),
    Fact("returndata", CONTENT),
    Fact("origin", ADDRESS),
    Fact("gas_price", AMOUNT),
    Fact("coinbase", ADDRESS),
    Fact("base_fee", AMOUNT),
    Fact("block_number", NUMBER),
    Fact("block_timestamp", NUMBER),
    Fact("chain_id", NUMBER),
)
FORM: Final[Mapping[str, str]] = MappingProxyType({fact.name: fact.form for fact in FACTS})
_FRAMES: Final = 5
"""The first facts are the frame's own; those behind them are its transaction's and block's."""
_FRAME: Final = struct.Struct("<" + "".join(FORMS[fact.form] for fact in FACTS[:_FRAMES]))
_AROUND: Final = struct.Struct("<" + "".join(FORMS[fact.form] for fact in FACTS[_FRAMES:]))
_CONTENT: Final = struct.Struct("<2Q")
_CONTENTS: Final = struct.Struct("<4Q")
SIZE: Final = _FRAME.size + _AROUND.size
"""Bytes of the block."""
AROUND: Final = frozenset(fact.name for fact in FACTS[_FRAMES:])
"""The facts that `pack_into` leaves out unless it is asked for them."""


def _offsets() -> dict[str, int]:
    found, at = {}, 0
    for fact in FACTS:
        found[fact.name] = at
        at += struct.calcsize("<" + FORMS[fact.form])
    return found


OFFSET: Final[Mapping[str, int]] = MappingProxyType(_offsets())
"""Bytes from the start of the block to each fact."""
_CONTENTS_AT: Final = OFFSET["input"]
"""Behind it comes the last call's output."""


def pack_into(host: Host, block: bytearray, at: int, around: bool = True) -> None:
    """Write the facts of a frame that begins, those `around` it too; `host` must outlive the use of the block."""
    call, head = host.call, content_offset()
    content, output = call.input, host.returndata
    if not isinstance(content, bytes):
        content = call.input = bytes(content)  # whoever holds another buffer could move it
    _FRAME.pack_into(
        block,
        at,
        call.caller,
        host.self_address,
        call.value.to_bytes(32, "little"),
        id(content) + head,
        len(content),
        id(output) + head,
        len(output),
    )
    if around:
        env = host.env
        _AROUND.pack_into(
            block,
            at + _FRAME.size,
            env.origin,
            env.gas_price.to_bytes(32, "little"),
            env.coinbase,
            env.base_fee.to_bytes(32, "little"),
            env.number,
            env.timestamp,
            env.chain_id,
        )


def put_contents(host: Host, block: bytearray, at: int) -> None:
    """Write where the input and the last call's output are; the host holds them."""
    head, content, output = content_offset(), host.call.input, host.returndata
    _CONTENTS.pack_into(block, at + _CONTENTS_AT, id(content) + head, len(content), id(output) + head, len(output))


def put_returndata(output: bytes, block: bytearray, at: int) -> None:
    """Write where the last call's output is; the host holds it."""
    _CONTENT.pack_into(block, at + OFFSET["returndata"], id(output) + content_offset(), len(output))


@cache
def content_offset() -> int:
    """Bytes from the address of a bytes object to those it holds: the same for all, asked of CPython itself."""
    sample = b"contractvm"
    string_of = ctypes.PYFUNCTYPE(ctypes.c_void_p, ctypes.py_object)(("PyBytes_AsString", ctypes.pythonapi))
    found: int = string_of(sample)
    return found - id(sample)
