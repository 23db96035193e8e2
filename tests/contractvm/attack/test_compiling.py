"""Modules made to blow up the native tier's compiler: it takes or leaves them, and what runs is right either way."""

from __future__ import annotations

import pytest

from contractvm.errors import OutOfGas, Trap
from contractvm.wasm.engine import Engine
from gas.meter import Meter
from tests.contractvm.wasm.shapes import MODULES, RULES
from tests.tiers import NATIVE, missing

pytestmark = [pytest.mark.slow, pytest.mark.skipif(missing(NATIVE) is not None, reason=str(missing(NATIVE)))]

GAS = 2_000_000


def ended(engine: Engine, code: bytes) -> tuple[object, ...]:
    """How a call ends: results or trap, gas left, memory."""
    instance = engine.instantiate(engine.load(code), meter=Meter(GAS))
    operands = [1] * len(instance.compiled.module.signature(0).params)
    end: object
    try:
        end = engine.invoke(instance, "f", operands)
    except Trap as trap:
        end = (trap.code, trap.place, trap.backtrace)
    except OutOfGas:
        end = "out of gas"
    assert instance.memory is not None
    return end, instance.meter.left if end != "out of gas" else None, bytes(instance.memory.data)


@pytest.mark.parametrize("name", MODULES)
def test_hostile_modules_compile_or_stay_on_another_tier(name: str) -> None:
    """The worker's deadline and memory limit hold for each: nothing but a refusal may come of them."""
    native = Engine(RULES, NATIVE)
    assert ended(native, MODULES[name]) == ended(Engine(RULES, "reference"), MODULES[name])
    assert all(refusal.reason for refusal in native.refusals)
