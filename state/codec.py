"""The only encoders of the house: canonical RLP, canonical msgpack, minimal big-endian integers.

RLP follows the Yellow Paper, appendix B. `decode` accepts exactly what `encode` can produce: shortest lengths, no
byte left over, a bounded depth; it walks with a stack of its own, so that no input can reach Python's recursion
limit. msgpack is the subset whose encoding is unique once map keys are sorted: None, bool, int of 64 bits, bytes,
str, list and dict with str keys; floats, extensions and longer-than-needed forms are refused both ways.

Nothing here knows what the bytes mean.
"""

from collections.abc import Sequence
from typing import TypeAlias

import msgpack  # type: ignore[import-untyped]

Item: TypeAlias = "bytes | list[Item]"
Encodable: TypeAlias = "bytes | int | Sequence[Encodable]"
Packable: TypeAlias = "bool | int | bytes | str | list[Packable] | tuple[Packable, ...] | dict[str, Packable] | None"

MAX_DEPTH = 256  # nested lists; the deepest thing on the chain, an access list in a block, nests 5

_BYTE = [bytes((value,)) for value in range(256)]


class RLPError(ValueError):
    """Bytes that are no canonical RLP; the message names the offset and the reason."""


class PackError(ValueError):
    """A value with no canonical msgpack form, or bytes that are not one."""


def encode_uint(value: int) -> bytes:
    """Return `value` big-endian without leading zeros; zero is the empty string.

    Raises:
        OverflowError: `value` is negative.
    """
    return value.to_bytes((value.bit_length() + 7) >> 3, "big")


def decode_uint(data: bytes) -> int:
    """Return the integer whose `encode_uint` is `data`.

    Raises:
        RLPError: `data` has a leading zero byte.
    """
    if data and not data[0]:
        raise RLPError(f"integer {data[:40].hex()} starts with a zero byte; integers are minimal")
    return int.from_bytes(data, "big")


def _header(base: int, size: int) -> bytes:
    """Return the header of a string (base 80) or list (base C0) whose payload has `size` bytes."""
    if size < 56:
        return _BYTE[base + size]
    length = size.to_bytes((size.bit_length() + 7) >> 3, "big")
    return _BYTE[base + 55 + len(length)] + length


_KNOWN = 1024  # payload sizes whose headers are made beforehand: all but code, logs and big values
_STRING = [_header(0x80, size) for size in range(_KNOWN)]
_LIST = [_header(0xC0, size) for size in range(_KNOWN)]


def encode(item: Encodable) -> bytes:
    """Return the RLP of bytes, of a non-negative int (as `encode_uint`), or of a list or tuple of such.

    Raises:
        RLPError: a type that RLP has no form for, a negative integer, or lists nested deeper than `MAX_DEPTH`.
    """
    return _encode(item, MAX_DEPTH)


def _encode(item: Encodable, depth: int) -> bytes:
    kind = type(item)
    if kind is list or kind is tuple:
        if not depth:
            raise RLPError(f"lists nest deeper than {MAX_DEPTH}")
        parts: list[bytes] = []
        for child in item:  # type: ignore[union-attr]
            if type(child) is bytes:
                size = len(child)
                if size == 1 and child < b"\x80":
                    parts.append(child)
                elif size < _KNOWN:
                    parts.append(_STRING[size] + child)
                else:
                    parts.append(_header(0x80, size) + child)
            elif type(child) is int and 0 <= child < 0x80:
                parts.append(_BYTE[child or 0x80])
            elif type(child) is int and child > 0:
                size = (child.bit_length() + 7) >> 3
                parts.append((_STRING[size] if size < _KNOWN else _header(0x80, size)) + child.to_bytes(size, "big"))
            else:
                parts.append(_encode(child, depth - 1))
        return wrap_list(b"".join(parts))
    if isinstance(item, bytes):
        return encode_bytes(item)
    if kind is not int:
        raise RLPError(f"{kind.__name__} has no RLP form; give bytes, a non-negative int, or a list of such")
    value: int = item  # type: ignore[assignment]
    if value < 0:
        raise RLPError(f"integer {value} is negative")
    return encode_bytes(encode_uint(value))


def encode_int(value: int) -> bytes:
    """Return the RLP of one non-negative integer below 2^256, unchecked: for records of a fixed shape."""
    if value < 0x80:
        return _BYTE[value or 0x80]
    size = (value.bit_length() + 7) >> 3
    return _STRING[size] + value.to_bytes(size, "big")


def encode_bytes(data: bytes) -> bytes:
    """Return the RLP of one byte string."""
    size = len(data)
    if size == 1 and data < b"\x80":
        return data
    return (_STRING[size] if size < _KNOWN else _header(0x80, size)) + data


def wrap_list(body: bytes) -> bytes:
    """Return the RLP of a list whose items, encoded and joined, are `body`."""
    size = len(body)
    return (_LIST[size] if size < _KNOWN else _header(0xC0, size)) + body


def decode(data: bytes, *, max_depth: int = MAX_DEPTH) -> Item:
    """Return the item that `data` encodes: bytes, or a list of items.

    Raises:
        RLPError: `data` is not the one canonical encoding of an item, or its lists nest deeper than `max_depth`.
    """
    top: list[Item] = []
    items, limit = top, len(data)
    stack: list[tuple[list[Item], int]] = []
    position = 0
    while True:
        while position == limit:
            if not stack:
                return _single(top, data)
            items, limit = stack.pop()
        first = data[position]
        if first < 0x80:
            items.append(_BYTE[first])
            position += 1
            continue
        start = position + 1
        if first < 0xB8:
            end = start + first - 0x80
            if end > limit:
                raise _cut(position, end, limit)
            if first == 0x81 and data[start] < 0x80:
                raise RLPError(f"offset {position}: a byte below 0x80 stands for itself and takes no header")
            items.append(data[start:end])
            position = end
        elif first < 0xC0:
            start, end = _long(data, position, first - 0xB7, limit)
            items.append(data[start:end])
            position = end
        else:
            if first < 0xF8:
                end = start + first - 0xC0
                if end > limit:
                    raise _cut(position, end, limit)
            else:
                start, end = _long(data, position, first - 0xF7, limit)
            if len(stack) >= max_depth:
                raise RLPError(f"offset {position}: lists nest deeper than {max_depth}")
            child: list[Item] = []
            items.append(child)
            stack.append((items, limit))
            items, limit, position = child, end, start


def _single(top: list[Item], data: bytes) -> Item:
    if len(top) == 1:
        return top[0]
    if not top:
        raise RLPError("offset 0: no bytes; the shortest item is one byte")
    end = len(encode(top[0]))
    raise RLPError(f"offset {end}: {len(data) - end} bytes follow the item")


def _cut(position: int, end: int, limit: int) -> RLPError:
    return RLPError(f"offset {position}: the item ends at {end}, beyond {limit} where its list or the data ends")


def _long(data: bytes, position: int, width: int, limit: int) -> tuple[int, int]:
    """Return where the payload of a header with a `width`-byte length at `position` starts and ends."""
    start = position + 1 + width
    if start > limit:
        raise _cut(position, start, limit)
    size = int.from_bytes(data[position + 1 : start], "big")
    if not data[position + 1]:
        raise RLPError(f"offset {position}: the length starts with a zero byte")
    if size < 56:
        raise RLPError(f"offset {position}: a length of {size} takes the short header")
    if start + size > limit:
        raise _cut(position, start + size, limit)
    return start, start + size


def pack(value: Packable) -> bytes:
    """Return the canonical msgpack of `value`.

    Raises:
        PackError: a float, an integer beyond 64 bits, a map key that is not str, a lone surrogate, another
            type, or too deep a nest.
    """
    ordered = _sorted(value, MAX_DEPTH)
    try:
        packed: bytes = msgpack.packb(ordered, use_bin_type=True)
    except OverflowError as error:
        raise PackError("an integer is beyond 64 bits; pack it as bytes") from error
    except UnicodeEncodeError as error:
        raise PackError(f"text that is no Unicode ({error.reason}); pack it as bytes") from error
    return packed


def unpack(data: bytes) -> Packable:
    """Return the value whose `pack` is `data`.

    Raises:
        PackError: `data` is not the one canonical encoding of a value.
    """
    try:
        value: Packable = msgpack.unpackb(data, raw=False, strict_map_key=True)
    except (ValueError, msgpack.exceptions.UnpackException) as error:
        raise PackError(f"no msgpack: {error}") from error
    if pack(value) != data:
        raise PackError("msgpack, but not in its canonical form (sorted str keys, shortest headers)")
    return value


def _sorted(value: Packable, depth: int) -> Packable:
    kind = type(value)
    if value is None or kind is bool or kind is int or kind is bytes or kind is str:
        return value
    if not depth:
        raise PackError(f"the value nests deeper than {MAX_DEPTH}")
    if isinstance(value, (list, tuple)):
        return [_sorted(child, depth - 1) for child in value]
    if isinstance(value, dict):
        for key in value:
            if type(key) is not str:
                raise PackError(f"map key {key!r} is no str")
        return {key: _sorted(value[key], depth - 1) for key in sorted(value)}
    raise PackError(f"{kind.__name__} has no canonical form; give None, bool, int, bytes, str, list or dict")
