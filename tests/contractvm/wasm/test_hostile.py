"""Bodies made to blow up whoever compiles them: the code written for each stays within a small multiple of its bytes.

Counted in characters, lines and Python variables, never timed. Every shape is valid under a chain's own limits, and is
run on the reference tier as well where it can be.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import pytest

from contractvm.errors import Invalid
from contractvm.rules import bare_rules, contract_rules
from contractvm.wasm.compiled import Compiled
from contractvm.wasm.encode import section, signed, sized, unsigned, vector
from contractvm.wasm.engine import Engine
from contractvm.wasm.pybody import MAX_PENDING, Body
from contractvm.wasm.pygen import generate
from contractvm.wasm.pystructured import Structured
from contractvm.wasm.sections import BASE_WEIGHT, SLOT_WEIGHT
from gas.meter import Meter
from tests.contractvm.wasm.modules import HEADER
from tests.tiers import HERE

RULES = replace(bare_rules(), limits=contract_rules().limits)
"""The bare engine, under the limits that hold on a chain."""
GET, CONST, DROP, END, ELSE = b"\x20\0", b"\x41\1", b"\x1a", b"\x0b", b"\x05"
BLOCK, LOOP, IF = b"\x02\x40", b"\x03\x40", b"\x04\x40"
LOAD, STORE, ADD, BR_IF = b"\x28\2\0", b"\x36\2\0", b"\x6a", b"\x0d"
TYPES = [b"\x60\1\x7f\1\x7f", b"\x60\0" + sized(b"\x7f" * 16), b"\x60" + sized(b"\x7f" * 16) + sized(b"\x7f" * 16)]
CHARACTERS_A_BYTE = 80
LINES_A_BYTE = 4


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


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.name)
def test_generated_code_grows_with_the_bytes(shape: Shape) -> None:
    data = module(shape.code, shape.locals)
    compiled = Engine(RULES).load(data)
    made = compiled.generated[0] = generate(compiled, 0)
    assert len(made.source) <= CHARACTERS_A_BYTE * len(data)
    assert made.source.count("\n") <= LINES_A_BYTE * len(data)
    slots = (compiled.plan(0).weight - BASE_WEIGHT) // SLOT_WEIGHT
    assert made.code.co_nlocals <= slots + 8
    assert made.code.co_stacksize <= 200
    if shape.runs:
        for tier in HERE[1:]:
            assert outcome(tier, compiled) == outcome(HERE[0], compiled), tier


def outcome(tier: str, compiled: Compiled) -> tuple[object, ...]:
    """Results, gas left and memory of a call."""
    engine = Engine(RULES, tier)
    instance = engine.instantiate(compiled, meter=Meter(10**9))
    results = engine.invoke(instance, "f", [1])
    assert instance.memory is not None
    return results, instance.meter.left, bytes(instance.memory.data)


def test_operands_that_wait_are_few() -> None:
    """Each of them is looked at whenever something changes."""

    class Watched(Body):
        most = 0

        def push(self, value: object) -> None:
            super().push(value)  # type: ignore[arg-type]
            Watched.most = max(Watched.most, len(self.pending))

    compiled = Engine(RULES).load(module(GET * 5_000 + (CONST + b"\x21\0") * 50 + DROP * 4_999))
    Structured(Watched(compiled, 0), nest=True).translate()
    assert 1 < Watched.most <= MAX_PENDING


def carrying(branches: int) -> bytes:
    """Sixteen operands, one too high, carried by so many branches of four bytes."""
    return module(b"\x02\1" + GET * 17 + (GET + BR_IF + b"\0") * branches + CONST + b"\x0f" + END + DROP * 15)


def test_operands_carried_are_limited_before_anything_is_written() -> None:
    limit = RULES.limits.carried_operands
    most = limit // 16
    compiled = Engine(RULES).load(carrying(most))
    made = generate(compiled, 0)
    assert len(made.source) <= 16 * limit
    with pytest.raises(Invalid, match=f"the limit is {limit}"):
        Engine(RULES).load(carrying(most + 1))


def test_constants_are_written_as_they_are() -> None:
    code = b"".join(b"\x41" + signed(-(1 << 31) + n) + DROP for n in range(5_000)) + CONST
    made = generate(Engine(RULES).load(module(code)), 0)
    assert made.source.count("\n") < 20
