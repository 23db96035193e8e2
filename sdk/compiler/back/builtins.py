"""Functions of the language that ask the host: hashes, signatures, accounts, blocks; and all others by name.

Arguments are put where the host reads them, its answer is read at once: nothing stays in the scratch area.
Source: docs/language.md, "Functions of the language"; `arith.py` has `abs min max sum pow_mod`.
Never: keeps an answer that another call could change.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final

from contractvm.wasm.module import I32, I64
from sdk.compiler.back import arith
from sdk.compiler.back.asm import Body
from sdk.compiler.back.bytes import concat, get_at, put_at, scratch
from sdk.compiler.back.facts import ADDRESS_SLOTS, FIXED, fact
from sdk.compiler.back.slots import slots
from sdk.compiler.back.writer import ALLOCATE, WORD, Write, Writer
from sdk.compiler.tree import Builtin, Convert, Expression
from sdk.compiler.types import FixedBytes

_ANSWER: Final = 64
"""Where in the scratch area the host writes its answer; arguments come before it."""
_SIGNATURE_BYTES: Final = 64


def _hash(host: str) -> Write:
    """A hash of Bytes in place; of a bytesN in the scratch area."""

    def write(w: Writer, node: Builtin) -> None:
        b = w.b
        (argument,) = node.arguments
        if isinstance(argument, Convert) and isinstance(argument.value.type, FixedBytes):
            argument = argument.value
        w.expr(argument)
        if isinstance(argument.type, FixedBytes):
            put_at(b, slots(argument.type), scratch(b))
            b.i32(scratch(b))
            b.i32(argument.type.size)
        _answer_of(b, host, node)

    return write


def _answer_of(b: Body, host: str, node: Builtin) -> None:
    """Call a host function whose last argument is where it writes, and push what it wrote."""
    if node.type == FixedBytes(20):
        area = b.assembly.area("address", 24)
    else:
        area = scratch(b) + _ANSWER
    b.i32(area)
    b.host(host)
    get_at(b, slots(node.type), area)


def _put_address(w: Writer, node: Expression) -> int:
    """Evaluate an address into the area for addresses; return where it lies."""
    w.expr(node)
    area = w.b.assembly.area("address", 24)
    put_at(w.b, ADDRESS_SLOTS, area)
    return area


def _balance(w: Writer, node: Builtin) -> None:
    b = w.b
    b.i32(_put_address(w, node.arguments[0]))
    _read_balance(b)


def _own_balance(w: Writer, node: Builtin) -> None:
    b = w.b
    area = b.assembly.area("address", 24)
    b.i32(area)
    b.host("self_address")
    b.i32(area)
    _read_balance(b)


def _read_balance(b: Body) -> None:
    b.i32(scratch(b))
    b.host("balance")
    b.op("drop")
    get_at(b, WORD, scratch(b))


def _code_size(w: Writer, node: Builtin) -> None:
    w.b.i32(_put_address(w, node.arguments[0]))
    w.b.host("code_size")
    w.b.op("i64.extend_i32_u")


def _clear(b: Body, area: int) -> None:
    """Zeros for an answer that may not come."""
    for offset in range(0, 32, 8):
        b.i32(area + offset)
        b.i64(0)
        b.store("i64.store")


def _code_hash(w: Writer, node: Builtin) -> None:
    b = w.b
    address = _put_address(w, node.arguments[0])
    area = scratch(b)
    _clear(b, area)
    b.i32(address)
    b.i32(area)
    b.host("code_hash")
    b.op("drop")
    get_at(b, WORD, area)


def _code(w: Writer, node: Builtin) -> None:
    b = w.b
    address = _put_address(w, node.arguments[0])
    with b.temporaries(I32, I32) as (size, start):
        b.i32(address)
        b.host("code_size")
        b.set(size)
        b.get(size)
        b.call(ALLOCATE)
        b.set(start)
        b.i32(address)
        b.get(start)
        b.i32(0)
        b.get(size)
        b.host("code_copy")
        b.op("drop")
        b.get(start, size)


def _block_hash(w: Writer, node: Builtin) -> None:
    b = w.b
    area = scratch(b)
    w.expr(node.arguments[0])
    _clear(b, area)
    b.i32(area)
    b.host("block_hash")
    b.op("drop")
    get_at(b, WORD, area)


def _recover(w: Writer, node: Builtin) -> None:
    """Only v of 27 and 28 counts, as in Ethereum's precompile; any other is a recovery id that does not exist."""
    b = w.b
    area = b.assembly.area("signature", 96)
    result = b.assembly.area("address", 24)
    digest, v, *rs = node.arguments
    for argument in (digest, v):
        w.expr(argument)
    with b.temporaries(I64) as (recovery,):
        b.i64(27)
        b.op("i64.sub")
        b.set(recovery)
        with w.spilled(digest.type) as held:
            for argument in rs:
                w.expr(argument)
            put_at(b, WORD, area + 64)
            put_at(b, WORD, area + 32)
            b.get(*held)
            put_at(b, WORD, area)
        for offset in range(0, 24, 8):
            b.i32(result + offset)
            b.i64(0)
            b.store("i64.store")
        b.i32(area)
        b.i32(area + 32)
        b.get(recovery)
        b.i64(4)
        b.get(recovery)
        b.i64(1)
        b.do("i64.le_u", "select", "i32.wrap_i64")
        b.i32(result)
        b.host("ecrecover")
        b.op("drop")
        get_at(b, ADDRESS_SLOTS, result)


def _verify_secp256k1(w: Writer, node: Builtin) -> None:
    b, area = w.b, w.assembly.area("signature", 96)
    for argument in node.arguments:
        w.expr(argument)
    with b.temporaries(I32, I32, I32, I32) as (signature, size, key, key_size):
        b.set(signature, size, key, key_size)
        put_at(b, WORD, area)
        b.get(size)
        b.i32(_SIGNATURE_BYTES)
        b.op("i32.eq")
        with b.if_((I32,)):
            b.i32(area)
            b.get(signature, key, key_size)
            b.host("secp256k1_verify")
            b.otherwise()
            b.i32(0)


def _verify_ed25519(w: Writer, node: Builtin) -> None:
    b, area = w.b, w.assembly.area("signature", 96)
    for argument in node.arguments:
        w.expr(argument)
    put_at(b, WORD, area)
    with b.temporaries(I32, I32, I32, I32) as (message, length, signature, size):
        b.set(message, length, signature, size)
        b.get(size)
        b.i32(_SIGNATURE_BYTES)
        b.op("i32.eq")
        with b.if_((I32,)):
            b.get(message, length, signature)
            b.i32(area)
            b.host("ed25519_verify")
            b.otherwise()
            b.i32(0)


def _gas(w: Writer, node: Builtin) -> None:
    w.b.host("gas_left")


_BY_NAME: Final[Mapping[str, Callable[[Writer, Any], None]]] = MappingProxyType(
    {
        **arith.BUILTINS,
        **dict.fromkeys(FIXED, fact),
        "msg.gas": _gas,
        "self.balance": _own_balance,
        "balance": _balance,
        "code_size": _code_size,
        "code_hash": _code_hash,
        "code": _code,
        "block_hash": _block_hash,
        "keccak256": _hash("keccak256"),
        "sha256": _hash("sha256"),
        "blake2b256": _hash("blake2b256"),
        "ripemd160": _hash("ripemd160"),
        "ecrecover": _recover,
        "secp256k1_verify": _verify_secp256k1,
        "ed25519_verify": _verify_ed25519,
        "concat": concat,
    }
)


def _builtin(w: Writer, node: Builtin) -> None:
    _BY_NAME[node.name](w, node)


EXPRESSIONS: Final[Mapping[type, Write]] = MappingProxyType({Builtin: _builtin})
