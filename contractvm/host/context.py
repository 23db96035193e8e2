"""What a frame knows without asking the world, its input and its output.

Source: yellow paper appendix H (environment, block information, logs, halting); EIP-1344 (chain id), 3198 (base fee).
Never: touches an account or a slot; that is `accounts` and `storage`.
"""

from __future__ import annotations

from functools import cache
from struct import Struct

from contractvm.errors import Revert
from contractvm.host.frame import MINUS_ONE, Finish, Host, Log, out_of_memory, words

HASHES_KEPT = 256
"""Blocks back from the current one whose hashes a contract can see."""


def _give(host: Host, out: int, content: bytes) -> None:
    host.charge(host.prices.env_read)
    data = host.memory.data
    end = out + len(content)
    if end > len(data):
        out_of_memory(out, len(content), len(data))
    data[out:end] = content


def _amount(wei: int) -> bytes:
    return wei.to_bytes(32, "little")


def caller(host: Host, out: int) -> None:
    """20 bytes: who opened this frame."""
    _give(host, out, host.call.caller)


def origin(host: Host, out: int) -> None:
    """20 bytes: who signed the transaction."""
    _give(host, out, host.env.origin)


def self_address(host: Host, out: int) -> None:
    """20 bytes: whose storage and balance this frame has."""
    _give(host, out, host.self_address)


def coinbase(host: Host, out: int) -> None:
    """20 bytes: who is paid for the block."""
    _give(host, out, host.env.coinbase)


def value(host: Host, out: int) -> None:
    """32 bytes, little-endian: wei sent with the call."""
    _give(host, out, _amount(host.call.value))


def gas_price(host: Host, out: int) -> None:
    """32 bytes, little-endian: wei the sender pays for a gas."""
    _give(host, out, _amount(host.env.gas_price))


def base_fee(host: Host, out: int) -> None:
    """32 bytes, little-endian: the block's base fee in wei."""
    _give(host, out, _amount(host.env.base_fee))


def block_number(host: Host) -> int:
    """Number of the block this runs in."""
    host.charge(host.prices.env_read)
    return host.env.number


def block_timestamp(host: Host) -> int:
    """Seconds since 1970 of the block this runs in."""
    host.charge(host.prices.env_read)
    return host.env.timestamp


def chain_id(host: Host) -> int:
    """The chain's number, as transactions name it."""
    host.charge(host.prices.env_read)
    return host.env.chain_id


def gas_left(host: Host) -> int:
    """Whole gas left after paying for this call, rounded down."""
    host.charge(host.prices.env_read)
    return host.meter.gas_left


def block_hash(host: Host, number: int, out: int) -> int:
    """Copy the 32-byte hash of one of the last 256 blocks."""
    host.charge(host.prices.block_hash)
    host.room(out, 32)
    age = host.env.number - number
    found = host.env.block_hash(number) if 0 < age <= HASHES_KEPT else None
    if found is None:
        return MINUS_ONE
    host.put(out, found)
    return 32


def _copy(host: Host, content: bytes, out: int, offset: int, cap: int) -> int:
    end = min(offset + cap, len(content))
    size = end - offset if end > offset else 0
    host.charge(host.prices.env_copy + host.prices.copy_word * ((size + 31) >> 5))
    data = host.memory.data
    if out + cap > len(data):
        out_of_memory(out, cap, len(data))
    data[out : out + size] = content[offset:end]
    return len(content)


def input_size(host: Host) -> int:
    """Bytes of calldata, or of constructor arguments."""
    host.charge(host.prices.env_read)
    return len(host.call.input)


def input_copy(host: Host, out: int, offset: int, cap: int) -> int:
    """Copy the input from `offset` on; returns the whole input's length."""
    return _copy(host, host.call.input, out, offset, cap)


def returndata_size(host: Host) -> int:
    """Bytes that the last call returned or reverted with."""
    host.charge(host.prices.env_read)
    return len(host.returndata)


def returndata_copy(host: Host, out: int, offset: int, cap: int) -> int:
    """Copy the last call's output from `offset` on; returns the whole output's length."""
    return _copy(host, host.returndata, out, offset, cap)


def _output(host: Host, price: int, pointer: int, length: int, what: str) -> bytes:
    host.charge(price + host.prices.copy_word * words(length))
    data = host.take(pointer, length)
    host.require(length, host.limits.input_bytes, f"{what} bytes")
    return data


def finish(host: Host, pointer: int, length: int) -> None:
    """End the frame with its output. Raises: Finish."""
    raise Finish(_output(host, host.prices.frame_end, pointer, length, "output"))


def revert(host: Host, pointer: int, length: int) -> None:
    """Undo the frame and say why. Raises: Revert."""
    raise Revert(_output(host, host.prices.frame_end, pointer, length, "revert data"))


def log(host: Host, topics: int, count: int, data: int, data_len: int) -> None:
    """Write an event of `count` 32-byte topics and data."""
    prices, limits = host.prices, host.limits
    host.charge(prices.log_base + prices.log_topic * count + prices.log_byte * data_len)
    host.room(topics, 32 * count)
    body = host.take(data, data_len)
    if count > limits.log_topics or data_len > limits.log_bytes:
        host.require(count, limits.log_topics, "topics")
        host.require(data_len, limits.log_bytes, "log bytes")
    if host.call.static:
        host.require_writable("log")
    split = _topics(count).unpack_from(host.memory.data, topics)
    host.world.add_log(Log(host.self_address, split, body))


@cache
def _topics(count: int) -> Struct:
    """Divides a range of memory into topics."""
    return Struct("32s" * count)


def debug_print(host: Host, pointer: int, length: int) -> None:
    """Show text to whoever develops the contract; costs the same where nobody looks."""
    text = _output(host, host.prices.copy_base, pointer, length, "text")
    if host.env.debug is not None:
        host.env.debug(host.self_address, text)
