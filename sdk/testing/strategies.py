"""Hypothesis strategies for values of contracts: by Solidity type, by annotation, and addresses.

    values_of("uint256"), values_of("(address,bytes)[]"), addresses()

Numbers lean to the edges of their width, where contracts break. Never: a value that its type does not have.
"""

from __future__ import annotations

import re

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from contractvm.devaccounts import dev_accounts
from contractvm.types import Address
from sdk.abi import ABIError, Type, parse_type
from sdk.abi_types import AddressType, Array, Bool, Bytes, FixedBytes, Integer, Tuple

_WIDTH = re.compile(r"([ui])([0-9]+)")
_LONGEST = 8
"""Items of a list drawn without a length of its own."""
_NAMED = {"Bytes": "bytes", "String": "string"}


def addresses() -> SearchStrategy[Address]:
    """Addresses: mostly those of accounts, sometimes any other, never zero."""
    known = [account.address for account in dev_accounts()]
    others = st.binary(min_size=20, max_size=20).filter(any).map(Address)
    return st.one_of(st.sampled_from(known), st.sampled_from(known), others)


def integers(bits: int, signed: bool) -> SearchStrategy[int]:
    """Integers of a width."""
    low, high = (-(1 << bits - 1), (1 << bits - 1) - 1) if signed else (0, (1 << bits) - 1)
    edges = sorted({low, low + 1, 0, 1, high - 1, high, *(max(low, min(high, (1 << n) - 1)) for n in (64, 128))})
    return st.one_of(st.integers(low, high), st.integers(max(low, -256), min(high, 256)), st.sampled_from(edges))


def values_of(type_: str | Type) -> SearchStrategy[object]:
    """Values of an ABI type, `uint256` or `(address,bytes)[]`. Raises: ABIError."""
    parsed = parse_type(type_) if isinstance(type_, str) else type_
    match parsed:
        case Integer():
            return integers(parsed.bits, parsed.signed)
        case Bool():
            return st.booleans()
        case AddressType():
            return addresses()
        case FixedBytes():
            return st.binary(min_size=parsed.size, max_size=parsed.size)
        case Bytes():
            return st.text(max_size=_LONGEST * 8) if parsed.text else st.binary(max_size=_LONGEST * 16)
        case Array():
            least, most = (0, _LONGEST) if parsed.length is None else (parsed.length, parsed.length)
            return st.lists(values_of(parsed.item), min_size=least, max_size=most)
        case Tuple():
            return st.tuples(*map(values_of, parsed.items))
    raise ABIError(f"no values are known of {parsed.name}")


def of_annotation(annotation: object) -> SearchStrategy[object] | None:
    """Values for a parameter that is annotated as a contract's are: `u256`, `i8`, `bytes32`, `Bytes`, `String`.

    None for any other: those that Python has too, and `Address`, are as often the types of fixtures.
    """
    name = annotation if isinstance(annotation, str) else str(getattr(annotation, "name", ""))
    width = _WIDTH.fullmatch(name)
    if width is not None:
        return values_of(f"{'uint' if width[1] == 'u' else 'int'}{width[2]}")
    if name in _NAMED:
        return values_of(_NAMED[name])
    return values_of(name) if re.fullmatch(r"bytes([1-9]|[12][0-9]|3[0-2])", name) else None
