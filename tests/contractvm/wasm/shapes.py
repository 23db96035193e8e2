"""Bodies and modules made to blow up whoever compiles them, all valid under a chain's own limits.

Never: run or compile anything.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from contractvm.rules import bare_rules, contract_rules
from contractvm.wasm.encode import section, signed, sized, unsigned, vector
from tests.contractvm.wasm.modules import HEADER

RULES = replace(bare_rules(), limits=contract_rules().limits)
"""The bare engine, under the limits that hold on a chain."""
GET, CONST, DROP, END, ELSE = b"\x20\0", b"\x41\1", b"\x1a", b"\x0b", b"\x05"
BLOCK, LOOP, IF = b"\x02\x40", b"\x03\x40", b"\x04\x40"
LOAD, STORE, ADD, BR_IF = b"\x28\2\0", b"\x36\2\0", b"\x6a", b"\x0d"
TYPES = [b"\x60\1\x7f\1\x7f", b"\x60\0" + sized(b"\x7f" * 16), b"\x60" + sized(b"\x7f" * 16) + sized(b"\x7f" * 16)]


def module(code: bytes, locals_: bytes = b"\0") -> bytes:
    """A function i32 -> i32 called "f", with a memory; types 1 and 2 leave and carry sixteen operands."""
    return (
        HEADER
        + section(1, vector(TYPES))
        + section(3, b"\1\0")
        + section(5, b"\1\0\1")
        + section(7, vector([sized(b"f") + b"\0\0"]))
        + section(10, vector([sized(locals_ + code + END)]))
    )


def br_table(labels: list[int]) -> bytes:
    return b"\x0e" + unsigned(len(labels) - 1) + b"".join(unsigned(label) for label in labels)


@dataclass(frozen=True)
class Shape:
    """A body; `runs` is False where its frame is heavier than any stack."""

    name: str
    code: bytes
    locals: bytes = b"\0"
    runs: bool = True


SHAPES = [
    Shape("loads and stores", (CONST + CONST + LOAD + STORE) * 12_000 + CONST),
    Shape("adds", CONST + (CONST + ADD) * 16_000),
    Shape("adds of a local", GET + (GET + ADD) * 16_000),
    Shape("products", GET + (GET + b"\x6c") * 16_000),
    Shape("selects", GET + (GET + GET + b"\x1b") * 10_000),
    Shape("shifts", GET + (GET + b"\x74") * 16_000),
    Shape("rotations", GET + (b"\x41\3\x77") * 16_000),
    Shape("signed comparisons", GET + (GET + b"\x48") * 16_000),
    Shape("conditions", GET + b"\x45" + (GET + b"\x45\x71") * 12_000),
    Shape("counts of bits", GET + b"\x67" * 30_000),
    Shape("an expression 20,000 deep", GET * 20_000 + ADD * 19_999),
    Shape("loads within loads", CONST + (LOAD) * 20_000),
    Shape("loads from the bottom up", GET * 10_000 + (LOAD + ADD) * 9_999 + LOAD, runs=False),
    Shape("tees", GET + (b"\x22\0" + GET + ADD) * 10_000),
    Shape("500 blocks", BLOCK * 500 + (GET + BR_IF + b"\0" + END) * 500 + CONST),
    Shape("500 blocks that nothing names", BLOCK * 500 + END * 500 + CONST),
    Shape("500 loops", LOOP * 500 + (b"\x41\0" + BR_IF + b"\0" + END) * 500 + CONST),
    Shape("500 ifs", (GET + IF) * 500 + (ELSE + END) * 500 + CONST),
    Shape("a br_table to 500", BLOCK * 500 + GET + br_table([n % 500 for n in range(4_001)]) + END * 500 + CONST),
    Shape("a br_table to 10", BLOCK * 10 + GET + br_table([n % 10 for n in range(4_001)]) + END * 10 + CONST),
    Shape("40,000 pushes", GET * 40_000 + DROP * 39_999, runs=False),
    Shape("pending locals and sets", GET * 20_000 + (CONST + b"\x21\0") * 10_000 + DROP * 19_999),
    Shape(
        "2,000 locals",
        b"".join(b"\x20" + unsigned(n) + b"\x21" + unsigned(n * 7 % 2_000) for n in range(2_000)) * 5 + CONST,
        vector([unsigned(2_000) + b"\x7f"]),
    ),
    Shape("15,000 calls", b"\x41\0" + IF + (GET + b"\x10\0" + DROP) * 15_000 + END + CONST),
    Shape("small blocks", (BLOCK + GET + BR_IF + b"\0" + END) * 12_000 + CONST),
    Shape("small loops", (LOOP + b"\x41\0" + BR_IF + b"\0" + END) * 12_000 + CONST),
    Shape("small ifs", (GET + IF + ELSE + END) * 15_000 + CONST),
    Shape(
        "small ifs behind deep loops",
        LOOP * 25 + (b"\x41\0" + BR_IF + b"\0" + END) * 25 + (GET + IF + ELSE + END) * 10_000 + CONST,
    ),
    Shape(
        "branches through 500 blocks",
        BLOCK * 500 + LOOP + (GET + BR_IF + unsigned(500)) * 15_000 + END + END * 500 + CONST,
    ),
    Shape(
        "branches out of 15 loops",
        LOOP * 15 + b"".join(b"\x41\0" + BR_IF + unsigned(n) for n in range(15)) * 700 + END * 15 + CONST,
    ),
]  # fmt: skip


def functions(bodies: list[bytes], type_: bytes = b"\x60\1\x7f\1\x7f") -> bytes:
    """A module of functions of one type, the first called "f"; each body has its locals and its end."""
    return (
        HEADER
        + section(1, vector([type_]))
        + section(3, vector([b"\0"] * len(bodies)))
        + section(5, b"\1\0\1")
        + section(7, vector([sized(b"f") + b"\0\0"]))
        + section(10, vector([sized(body) for body in bodies]))
    )


def get(local: int) -> bytes:
    return b"\x20" + unsigned(local)


def put(local: int) -> bytes:
    return b"\x21" + unsigned(local)


def loops_over(locals_: int, loops: int) -> bytes:
    """Loops one after the other, each of which changes one of many locals by another."""
    ends = b"\x41\0" + BR_IF + b"\0" + END
    changes = [(n % locals_, (7 * n + 1) % locals_, 13 * n % locals_) for n in range(loops)]
    parts = [LOOP + get(a) + get(b) + ADD + put(into) + ends for a, b, into in changes]
    return b"".join(parts) + GET


def loops_within(depth: int, locals_: int) -> bytes:
    """Loops in each other, with locals that change in all of them."""
    opening = b"".join(LOOP + get(n % locals_) + CONST + ADD + put(n % locals_) for n in range(depth))
    closing = b"".join(get(7 * n % locals_) + b"\x41\0\x48" + BR_IF + b"\0" + END for n in range(depth))
    return opening + closing + GET


def _declared(count: int) -> bytes:
    """So many locals of type i32, the parameter among them."""
    return vector([unsigned(count - 1) + b"\x7f"])


def _constant(value: int) -> bytes:
    return b"\x41" + signed(value)


CALLS = [
    b"\0" + GET + _constant(n) + ADD + GET + b"\x6c" + (b"\x10" + unsigned(n + 1) if n < 7_999 else b"") + END
    for n in range(8_000)
]
WIDE_TYPE = b"\x60" + sized(b"\x7e" * 128) + sized(b"\x7e" * 16)
WIDE_BODY = b"\0" + b"".join(get(n) for n in range(112, 128)) + END
WIDE_CALL = b"\0" + b"".join(get(n) for n in range(128)) + b"\x10\1" + END
MODULES = {
    **{shape.name: module(shape.code, shape.locals) for shape in SHAPES},
    "2,000 loops over 500 locals": module(loops_over(500, 2_000), _declared(500)),
    "5,000 loops over 50 locals": module(loops_over(50, 5_000), _declared(50)),
    "500 loops within each other, 8 locals": module(loops_within(500, 8), _declared(8)),
    "500 loops within each other, 100 locals": module(loops_within(500, 100), _declared(100)),
    "8,000 small functions": functions(CALLS),
    "200 functions of 128 parameters and 16 results": functions([WIDE_CALL] + [WIDE_BODY] * 200, WIDE_TYPE),
    "stores of one base": module(b"".join(GET + GET + b"\x36\2" + unsigned(4 * n) for n in range(12_000)) + GET),
    "divisions": module(GET + (GET + b"\x6d") * 20_000),
    "growing again and again": module((CONST + b"\x40\0" + DROP + GET + LOAD + DROP) * 9_000 + GET),
}
"""By what they are."""
