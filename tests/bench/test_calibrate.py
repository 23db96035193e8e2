"""The calibration's probes: each is WAT that compiles, of a price that exists; each instruction's price has one."""

from __future__ import annotations

import pytest
import wasmtime

from contractvm.wasm.opcodes import OPS
from gas.schedule import load
from tests.bench.calibrate import MODULE, Probe, engine, probes

UNMEASURED = {"wasm.structure", "wasm.unreachable", "wasm.return"}
"""Free; once a call; part of the call's figure."""


@pytest.mark.parametrize("probe", list(probes()), ids=lambda probe: f"{probe.price} {probe.name}")
def test_probe_compiles(probe: Probe) -> None:
    assert probe.price in load("cvm1").prices
    wat = MODULE.replace("BODY", probe.body()).replace("DATA", "")
    wasmtime.Module.validate(engine(), wasmtime.wat2wasm(wat))


def test_every_price_of_instructions_is_measured_or_says_why_not() -> None:
    assert {op.cost for op in OPS} - {probe.price for probe in probes()} == UNMEASURED
