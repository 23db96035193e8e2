"""256-bit unsigned arithmetic on numbers of 32 bytes, little-endian: what wasm takes dozens of instructions for.

Source: yellow paper appendix H (MUL, DIV, MOD, ADDMOD, MULMOD, EXP): wraps modulo 2^256, and by zero everything is 0.
Never: touches the world.
"""

from __future__ import annotations

from contractvm.host.frame import Host, out_of_memory

U256 = 2**256 - 1
SIZE = 32


def _operand(data: bytearray, pointer: int) -> int:
    end = pointer + SIZE
    if end > len(data):
        out_of_memory(pointer, SIZE, len(data))
    return int.from_bytes(data[pointer:end], "little")


def _answer(data: bytearray, out: int, number: int) -> None:
    end = out + SIZE
    if end > len(data):
        out_of_memory(out, SIZE, len(data))
    data[out:end] = number.to_bytes(SIZE, "little")


def u256_mul(host: Host, a: int, b: int, out: int) -> None:
    """a * b modulo 2^256."""
    host.charge(host.prices.u256_base)
    data = host.memory.data
    _answer(data, out, _operand(data, a) * _operand(data, b) & U256)


def u256_div(host: Host, a: int, b: int, out: int) -> None:
    """a / b rounded down; 0 when b is 0."""
    host.charge(host.prices.u256_base)
    data = host.memory.data
    x, y = _operand(data, a), _operand(data, b)
    _answer(data, out, x // y if y else 0)


def u256_mod(host: Host, a: int, b: int, out: int) -> None:
    """The remainder of a / b; 0 when b is 0."""
    host.charge(host.prices.u256_base)
    data = host.memory.data
    x, y = _operand(data, a), _operand(data, b)
    _answer(data, out, x % y if y else 0)


def u256_exp(host: Host, a: int, b: int, out: int) -> None:
    """a to the power b modulo 2^256, paid by the bytes of b, which is why b is read before it is paid for."""
    prices = host.prices
    host.charge(prices.u256_base)
    data = host.memory.data
    base, exponent = _operand(data, a), _operand(data, b)
    host.room(out, SIZE)
    host.charge(prices.u256_exp_byte * ((exponent.bit_length() + 7) >> 3))
    _answer(data, out, pow(base, exponent, U256 + 1))


def u256_addmod(host: Host, a: int, b: int, m: int, out: int) -> None:
    """(a + b) modulo m without overflow; 0 when m is 0."""
    host.charge(host.prices.u256_base)
    data = host.memory.data
    x, y, modulus = _operand(data, a), _operand(data, b), _operand(data, m)
    _answer(data, out, (x + y) % modulus if modulus else 0)


def u256_mulmod(host: Host, a: int, b: int, m: int, out: int) -> None:
    """(a * b) modulo m without overflow; 0 when m is 0."""
    host.charge(host.prices.u256_base)
    data = host.memory.data
    x, y, modulus = _operand(data, a), _operand(data, b), _operand(data, m)
    _answer(data, out, x * y % modulus if modulus else 0)
