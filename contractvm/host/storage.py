"""Storage that stays, storage that lasts a transaction, and iteration.

A slot's prices are Ethereum's for the first 32 bytes of key plus value; each further 32 bytes pay a unit price every
time they are read or written, never refunded. Source: EIP-2200 with the numbers of EIP-2929 and 3529; EIP-1153
(transient).
Never: sees another address's storage; a delegate frame has its caller's.
"""

from __future__ import annotations

from contractvm.errors import Trap, TrapCode
from contractvm.host.frame import CUT, MINUS_ONE, PASTE, SHORT, Cursor, Host, out_of_memory, words
from contractvm.host.prices import Prices
from contractvm.types import MILLI

DESCENDING = 1
KEYS_ONLY = 2


def _further(length: int) -> int:
    """Units beyond the first of a key and value of `length` bytes together."""
    return (length - 1) >> 5 if length > 32 else 0


def _key(host: Host, pointer: int, length: int) -> bytes:
    data = host.memory.data
    end = pointer + length
    if end > len(data):
        out_of_memory(pointer, length, len(data))
    if length > host.limits.key_bytes:
        host.require(length, host.limits.key_bytes, "key bytes")
    return bytes(data[pointer:end])


def _read(host: Host, pointer: int, length: int) -> bytes:
    """The value of the slot whose key lies there, warmed and paid for.

    Paid at once are the fixed price, which comes before the pointer, and what only the value shows: so the pointer is
    looked at first, and if it is wrong, the fixed price is paid alone.
    """
    data, prices = host.memory.data, host.prices
    end = pointer + length
    if end > len(data) or length > host.limits.key_bytes:
        host.charge(_least_read(prices, length))
        _key(host, pointer, length)
    key = CUT[length](data, pointer)[0] if length < SHORT else bytes(data[pointer:end])
    value, warm = host.world.read_storage(host.self_address, key)
    length += len(value)
    cost = prices.slot_warm + prices.slot_read_unit * ((length - 1) >> 5 if length > 32 else 0)
    host.charge(cost if warm else cost + prices.slot_cold - prices.slot_warm)
    return value


def _least_read(prices: Prices, key_len: int) -> int:
    """What a read costs in any case, in milligas: a warm slot's price, and that of a long key."""
    return prices.slot_warm + prices.slot_read_unit * _further(key_len)


def storage_get(host: Host, key: int, key_len: int, out: int, cap: int) -> int:
    """Copy a slot's value."""
    data = host.memory.data
    if out + cap > len(data):
        host.charge(_least_read(host.prices, key_len))
        out_of_memory(out, cap, len(data))
    value = _read(host, key, key_len)
    if not value:
        return MINUS_ONE
    length = len(value)
    if length > cap:
        data[out : out + cap] = value[:cap]
    elif length < SHORT:
        PASTE[length](data, out, value)
    else:
        data[out : out + length] = value
    return length


def storage_has(host: Host, key: int, key_len: int) -> int:
    """Whether a slot has a value: read and paid as by `storage_get`."""
    return 1 if _read(host, key, key_len) else 0


def storage_set(host: Host, key: int, key_len: int, value: int, value_len: int) -> None:
    """Give a slot a value; an empty one removes it."""
    prices, limits, data = host.prices, host.limits, host.memory.data
    length = key_len + value_len
    cost = prices.slot_warm + prices.slot_write_unit * ((length - 1) >> 5 if length > 32 else 0)
    key_end, end = key + key_len, value + value_len
    size = len(data)
    if end > size or key_end > size or key_len > limits.key_bytes or value_len > limits.value_bytes or host.call.static:
        host.charge_change(cost)
        host.room(value, value_len)
        _key(host, key, key_len)
        host.require(value_len, limits.value_bytes, "value bytes")
        host.require_writable("storage_set")
    slot = CUT[key_len](data, key)[0] if key_len < SHORT else bytes(data[key:key_end])
    _write(host, slot, CUT[value_len](data, value)[0] if value_len < SHORT else bytes(data[value:end]), cost)


def storage_remove(host: Host, key: int, key_len: int) -> int:
    """Empty a slot; 1 if it had a value."""
    prices = host.prices
    cost = prices.slot_warm + prices.slot_write_unit * _further(key_len)
    if key + key_len > len(host.memory.data) or key_len > host.limits.key_bytes or host.call.static:
        host.charge_change(cost)
        _key(host, key, key_len)
        host.require_writable("storage_remove")
    return 1 if _write(host, _key(host, key, key_len), b"", cost) else 0


def _write(host: Host, key: bytes, new: bytes, cost: int) -> bytes:
    """Change a slot, paying its whole price and counting refunds; return what it held.

    `cost` is the fixed price and that of the units, in milligas; it has `slot.warm` in it. As in `_read` all is paid at
    once, when nothing but gas can be missing any more. Source: EIP-2200 with EIP-2929 and 3529.
    """
    prices, world, address = host.prices, host.world, host.self_address
    current, original, warm = world.open_slot(address, key)
    if not warm:
        cost += prices.slot_cold
    if new == current:
        host.charge_change(cost)
        return current
    refund = 0
    if current == original:
        cost += (prices.slot_reset if original else prices.slot_set) - prices.slot_warm
        if not new:
            refund = prices.slot_clear_refund
    else:
        refund = _dirty_refund(host, original, current, new)
    host.charge_change(cost)
    if refund:
        world.add_refund(refund // MILLI)
    world.write_slot(address, key, new)
    return current


def _dirty_refund(host: Host, original: bytes, current: bytes, new: bytes) -> int:
    """What changing a slot again gives back (or takes), in milligas."""
    prices, refund = host.prices, 0
    if original:
        if not current:
            refund -= prices.slot_clear_refund
        elif not new:
            refund += prices.slot_clear_refund
    if new == original:
        refund += (prices.slot_reset if original else prices.slot_set) - prices.slot_warm
    return refund


def transient_get(host: Host, key: int, key_len: int, out: int, cap: int) -> int:
    """Copy a transient slot's value."""
    prices = host.prices
    host.charge(prices.transient_base + prices.transient_unit * _further(key_len))
    host.room(out, cap)
    slot = _key(host, key, key_len)
    value = host.world.transient(host.self_address, slot)
    host.charge(prices.transient_unit * (_further(key_len + len(value)) - _further(key_len)))
    if not value:
        return MINUS_ONE
    host.put(out, value[:cap])
    return len(value)


def transient_set(host: Host, key: int, key_len: int, value: int, value_len: int) -> None:
    """Give a transient slot a value; an empty one removes it."""
    prices = host.prices
    host.charge(prices.transient_base + prices.transient_unit * _further(key_len + value_len))
    content = host.take(value, value_len)
    slot = _key(host, key, key_len)
    host.require(value_len, host.limits.value_bytes, "value bytes")
    host.require_writable("transient_set")
    host.world.set_transient(host.self_address, slot, content)


def iter_open(host: Host, start: int, start_len: int, end: int, end_len: int, flags: int) -> int:
    """Open a live cursor over the keys from `start` on and before `end`; an empty `end` is no bound."""
    prices, limit = host.prices, host.limits.key_bytes
    host.charge(prices.iter_open + prices.copy_word * (words(start_len) + words(end_len)))
    low, high = host.take(start, start_len), host.take(end, end_len)
    host.require(start_len, limit, "key bytes")
    host.require(end_len, limit, "key bytes")
    if flags & ~(DESCENDING | KEYS_ONLY):
        raise Trap(TrapCode.HOST_ARGUMENT, f"iterator flags {flags:#x}")
    if len(host.cursors) >= host.limits.iterators:
        raise Trap(TrapCode.ITERATOR_LIMIT, f"{len(host.cursors)} are open")
    if flags & DESCENDING:
        cursor = Cursor(high or None, False, low, True, bool(flags & KEYS_ONLY))
    else:
        cursor = Cursor(low, True, high or None, False, bool(flags & KEYS_ONLY))
    host.last_handle += 1
    host.cursors[host.last_handle] = cursor
    return host.last_handle


def iter_next(host: Host, handle: int) -> int:
    """Move to the next key in the world as it is now; 0 at the end, which is paid like any other step."""
    prices, world, address = host.prices, host.world, host.self_address
    host.charge(prices.iter_next)
    cursor = _cursor(host, handle)
    key = world.next_key(
        address, cursor.position, inclusive=cursor.inclusive, stop=cursor.bound, reverse=cursor.reverse
    )
    cursor.key = key
    cursor.value = None
    if key is None:
        return 0
    cursor.position, cursor.inclusive = key, False
    length = len(key)
    if not cursor.keys_only:
        world.warm_slot(address, key)
        cursor.value = world.storage(address, key)
        length += len(cursor.value)
    host.charge(prices.slot_read_unit * _further(length))
    return 1


def iter_key(host: Host, handle: int, out: int, cap: int) -> int:
    """Copy the key the cursor stands on."""
    cursor = host.cursors.get(handle)
    return _found(host, handle, None if cursor is None else cursor.key, out, cap)


def iter_value(host: Host, handle: int, out: int, cap: int) -> int:
    """Copy the value the cursor found there."""
    cursor = host.cursors.get(handle)
    return _found(host, handle, None if cursor is None else cursor.value, out, cap)


def _found(host: Host, handle: int, content: bytes | None, out: int, cap: int) -> int:
    size = 0 if content is None else min(cap, len(content))
    host.charge(host.prices.copy_base + host.prices.copy_word * words(size))
    data = host.memory.data
    if out + cap > len(data):
        out_of_memory(out, cap, len(data))
    _cursor(host, handle)
    if content is None:
        return MINUS_ONE
    data[out : out + size] = content[:size]
    return len(content)


def iter_close(host: Host, handle: int) -> None:
    """Close a cursor; its handle is not given again."""
    host.charge(host.prices.host_base)
    _cursor(host, handle)
    del host.cursors[handle]


def _cursor(host: Host, handle: int) -> Cursor:
    cursor = host.cursors.get(handle)
    if cursor is None:
        raise Trap(TrapCode.ITERATOR_HANDLE, str(handle))
    return cursor
