"""Random types and values of Solidity's ABI, and damaged encodings, for whoever compares."""

from __future__ import annotations

from hypothesis import strategies as st

from sdk.abi_types import AddressType, Array, Bool, Bytes, FixedBytes, Integer, Tuple, Type, Value


def elementary_types() -> st.SearchStrategy[Type]:
    bits = st.integers(1, 32).map(lambda n: n * 8)
    return st.one_of(
        st.builds(Integer, bits, st.booleans()),
        st.just(Bool()),
        st.just(AddressType()),
        st.builds(FixedBytes, st.integers(1, 32)),
        st.builds(Bytes, st.booleans()),
    )


def composed(inner: st.SearchStrategy[Type]) -> st.SearchStrategy[Type]:
    return st.one_of(
        st.builds(Array, inner, st.none() | st.integers(1, 3)),
        st.lists(inner, min_size=1, max_size=3).map(lambda items: Tuple(tuple(items))),
    )


WORD = 32
TYPES = st.recursive(elementary_types(), composed, max_leaves=6)


def values_of(type_: Type) -> st.SearchStrategy[Value]:
    match type_:
        case Integer(bits=bits, signed=True):
            return st.integers(-(1 << bits - 1), (1 << bits - 1) - 1)
        case Integer(bits=bits):
            return st.integers(0, (1 << bits) - 1)
        case Bool():
            return st.booleans()
        case AddressType():
            return st.binary(min_size=20, max_size=20)
        case FixedBytes(size=size):
            return st.binary(min_size=size, max_size=size)
        case Bytes(text=True):
            return st.text(max_size=70)
        case Bytes():
            return st.binary(max_size=70)
        case Array(item=item, length=None):
            return st.lists(values_of(item), max_size=3)
        case Array(item=item, length=int(length)):
            return st.lists(values_of(item), min_size=length, max_size=length)
        case Tuple(items=items):
            return st.tuples(*map(values_of, items))
    raise AssertionError(type_)


@st.composite
def damage(draw: st.DrawFn, encoded: bytes) -> bytes:
    """The data with a word replaced, a bit turned, or its end cut off."""
    if not encoded:
        return draw(st.binary(max_size=40))
    at = draw(st.integers(0, len(encoded) - 1))
    match draw(st.sampled_from(("word", "bit", "cut"))):
        case "word":
            start = at // WORD * WORD
            number = draw(st.sampled_from([0, 1, 2, 32, 64, 96, len(encoded), 2**255, 2**256 - 1]))
            return encoded[:start] + number.to_bytes(WORD, "big") + encoded[start + WORD :]
        case "bit":
            return encoded[:at] + bytes([encoded[at] ^ 1 << draw(st.integers(0, 7))]) + encoded[at + 1 :]
        case _:
            return encoded[:at]
