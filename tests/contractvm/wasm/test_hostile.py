"""Bodies made to blow up whoever compiles them: the code written for each stays within a small multiple of its bytes.

Counted in characters, lines and Python variables, never timed. Every shape is valid under a chain's own limits, and is
run on the reference tier as well where it can be. What the native tier makes of them: `attack.test_compiling`.
"""

from __future__ import annotations

import pytest

from contractvm.errors import Invalid
from contractvm.wasm.compiled import Compiled
from contractvm.wasm.encode import signed
from contractvm.wasm.engine import Engine
from contractvm.wasm.pybody import MAX_PENDING, Body
from contractvm.wasm.pygen import generate
from contractvm.wasm.pystructured import Structured
from contractvm.wasm.sections import BASE_WEIGHT, SLOT_WEIGHT
from gas.meter import Meter
from tests.contractvm.wasm.shapes import BR_IF, CONST, DROP, END, GET, RULES, SHAPES, Shape, module

CHARACTERS_A_BYTE = 80
LINES_A_BYTE = 4


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
        assert outcome("portable", compiled) == outcome("reference", compiled)


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
