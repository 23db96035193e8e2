"""Other accounts as a contract sees them: balance and code. Source: EIP-1052 (code hash), EIP-2929 (warm and cold).

Never: changes an account; that is `calls`.
"""

from __future__ import annotations

from contractvm.host.frame import MINUS_ONE, Host, words
from contractvm.types import Address


def _visit(host: Host, address: bytes) -> Address:
    """Warm an account; the fixed price has paid `account.warm`."""
    target = Address(address)
    if not host.world.warm_address(target):
        host.charge(host.prices.account_cold - host.prices.account_warm)
    return target


def balance(host: Host, address: int, out: int) -> int:
    """Write an account's wei, 32 bytes little-endian; an absent account has none."""
    host.charge(host.prices.account_warm)
    raw = host.take(address, 20)
    host.room(out, 32)
    host.put(out, host.world.balance(_visit(host, raw)).to_bytes(32, "little"))
    return 32


def code_hash(host: Host, address: int, out: int) -> int:
    """Copy an account's 32-byte code hash; -1 for an account that does not exist (EIP-161: is empty)."""
    host.charge(host.prices.account_warm)
    raw = host.take(address, 20)
    host.room(out, 32)
    target = _visit(host, raw)
    if host.world.is_empty(target):
        return MINUS_ONE
    host.put(out, host.world.code_hash(target))
    return 32


def code_size(host: Host, address: int) -> int:
    """Bytes of an account's code, 0 when it has none."""
    host.charge(host.prices.account_warm)
    return len(host.world.code(_visit(host, host.take(address, 20))))


def code_copy(host: Host, address: int, out: int, offset: int, cap: int) -> int:
    """Copy an account's code from `offset` on; returns the whole code's length."""
    host.charge(host.prices.account_warm)
    raw = host.take(address, 20)
    host.room(out, cap)
    code = host.world.code(_visit(host, raw))
    end = min(offset + cap, len(code))
    host.charge(host.prices.copy_word * words(max(end - offset, 0)))
    host.put(out, code[offset:end])
    return len(code)
