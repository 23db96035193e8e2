"""`abi_encode`, `encode_packed`, `encode_call` and `abi_decode`.

Source: docs/language.md, "Functions of the language". Never: encodes itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from types import MappingProxyType
from typing import Final

from contractvm.wasm.module import I32
from sdk.compiler.back.abi_decode import check_room, get_sequence
from sdk.compiler.back.abi_encode import call_data, encoded, heads
from sdk.compiler.back.abi_packed import packed
from sdk.compiler.back.arguments import evaluated
from sdk.compiler.back.writer import Write, Writer
from sdk.compiler.symbols import outputs
from sdk.compiler.tree import Decode, Encode


def _encode(w: Writer, node: Encode) -> None:
    b = w.b
    with ExitStack() as held, b.temporaries(I32, I32) as (start, length):
        inside = evaluated(w, node.arguments, held)
        if node.packed:
            packed(b, inside, start, length)
        elif node.selector is not None:
            call_data(b, node.selector, inside, start, length)
        else:
            encoded(b, inside, start, length)
        b.get(start, length)


def _decode(w: Writer, node: Decode) -> None:
    """A tuple is several values."""
    b = w.b
    types = outputs(node.type)
    with w.value(node.data) as (start, length), b.temporaries(I32) as (end,):
        b.get(start, length)
        b.op("i32.add")
        b.set(end)
        check_room(b, start, end, heads(types))
        get_sequence(b, types, start, end)


EXPRESSIONS: Final[Mapping[type, Write]] = MappingProxyType({Encode: _encode, Decode: _decode})
