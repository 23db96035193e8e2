"""Every row of the instruction table runs on every tier and means what the row's own function says."""

from __future__ import annotations

from contextlib import suppress
from itertools import product
from random import Random

import pytest

from contractvm.errors import OutOfGas, Trap
from contractvm.rules import bare_rules
from contractvm.table import Op
from contractvm.wasm.encode import encode
from contractvm.wasm.engine import Engine
from contractvm.wasm.module import FUNC, I32, I64, MEMORY, TYPE_NAMES, Code, Export, Function, FuncType, Limit, Module
from contractvm.wasm.opcodes import BY_NAME, OPS
from gas.meter import MILLI, Meter
from tests.fuzz.generate import generate
from tests.fuzz.host import Host
from tests.fuzz.tiers import imports
from tests.tiers import each_tier

TYPE_CODES = {name: code for code, name in TYPE_NAMES.items()}
BITS = {"i32": 32, "i64": 64}
PURE = [op for op in OPS if op.fn is not None and op.imm == ""]
ACCESSES = [op for op in OPS if op.imm == "memarg"]
STRUCTURE = {"block", "loop", "else", "end"}
"""Markers: a tier may erase them, and the trace passes over those that are nothing to execute."""


def edges(type_: str) -> list[int]:
    bits = BITS[type_]
    top = 1 << (bits - 1)
    return [0, 1, 2, 7, 31, 32, 63, 0x80, 0xFF, 0x8000, top - 1, top, top + 1, 2 * top - 2, 2 * top - 1]


def operand_sets(op: Op) -> list[tuple[int, ...]]:
    """Edges against edges, as far as that stays small, and random ones. The same on every run."""
    rng = Random(op.code)
    random = [tuple(rng.getrandbits(BITS[t]) for t in op.params) for _ in range(40)]
    all_edges = list(product(*(edges(t) for t in op.params))) if len(op.params) < 3 else []
    some = [tuple(rng.choice(edges(t)) for t in op.params) for _ in range(100)]
    return random + (all_edges or some)


def one_instruction(op: Op, imm: object = None) -> bytes:
    """A module whose `f` takes the row's operands, executes it and returns its results."""
    type_ = FuncType(tuple(TYPE_CODES[t] for t in op.params), tuple(TYPE_CODES[t] for t in op.results))
    names = [("local.get", i) for i in range(len(op.params))] + [(op.name, imm), ("end", None)]
    code = Code([BY_NAME[n].code for n, _ in names], [i for _, i in names], [0] * len(names))
    exports = [Export("f", FUNC, 0), Export("memory", MEMORY, 0)]
    module = Module(types=[type_], functions=[Function(0, (), code, 0, 0)], memories=[Limit(1, 1)], exports=exports)
    module.func_types, module.memory_types = [0], [Limit(1, 1)]
    return encode(module)


def meaning(op: Op, operands: tuple[int, ...]) -> tuple[int, ...] | str:
    """What the row's function says: results, or the trap's name."""
    assert op.fn is not None
    try:
        result = op.fn(*operands)
    except Trap as trap:
        return str(trap.code)
    return result if isinstance(result, tuple) else (result,)


@each_tier()
@pytest.mark.parametrize("op", PURE, ids=lambda op: op.name)
def test_a_pure_row_means_its_function(op: Op, tier: str) -> None:
    engine = Engine(tier=tier)
    instance = engine.instantiate(engine.load(one_instruction(op)))
    for operands in operand_sets(op):
        got: tuple[int, ...] | str
        try:
            got = tuple(engine.invoke(instance, "f", operands))
        except Trap as trap:
            got = str(trap.code)
        assert got == meaning(op, operands), operands


@each_tier()
@pytest.mark.parametrize("op", ACCESSES, ids=lambda op: op.name)
def test_a_memory_access_reads_or_writes_its_width_and_no_more(op: Op, tier: str) -> None:
    engine = Engine(tier=tier)
    offset = 5
    instance = engine.instantiate(engine.load(one_instruction(op, (0, offset))))
    memory = instance.memory
    assert memory is not None
    assert op.fn is not None
    pattern = bytes(range(0x71, 0x71 + 64))
    last = len(memory.data) - op.width - offset
    for address in (0, 1, 17, last):
        at = address + offset
        memory.data[at - 4 : at + 16] = pattern[: len(memory.data[at - 4 : at + 16])]
        before = bytes(memory.data)
        if op.results:
            read = int.from_bytes(before[at : at + op.width], "little")
            assert engine.invoke(instance, "f", [address]) == [op.fn(read)]
            assert memory.data == before
        else:
            value = 0x8182_8384_8586_8788 & ((1 << BITS[op.params[1]]) - 1)
            engine.invoke(instance, "f", [address, value])
            written = value.to_bytes(8, "little")[: op.width]
            assert memory.data == before[:at] + written + before[at + op.width :]
    for address in (last + 1, 0xFFFF_FFFF):
        before = bytes(memory.data)
        with pytest.raises(Trap, match="out of bounds memory access"):
            engine.invoke(instance, "f", [address, 0][: len(op.params)])
        assert memory.data == before


def test_every_row_is_executed_by_generated_modules() -> None:
    """With `test_fuzz`, which compares the tiers on such modules: each tier handles each row."""
    seen: set[str] = set()

    def trace(function: int, offset: int, name: str, immediate: object, left: int, stack: list[object]) -> None:
        seen.add(name)

    for seed in range(400):
        case, meter = generate(seed), Meter(40_000)
        engine = Engine(tier="reference", trace=trace)
        with suppress(Trap, OutOfGas):
            instance = engine.instantiate(engine.load(case.wasm), imports(Host()), meter)
            for name, operands in case.calls:
                meter.left = 40_000 * MILLI
                with suppress(Trap, OutOfGas):
                    engine.invoke(instance, name, operands)
    assert {op.name for op in OPS} - seen - STRUCTURE == set()


def test_every_row_with_a_function_is_tried_above() -> None:
    tried = {op.name for op in (*PURE, *ACCESSES)}
    assert {op.name for op in OPS if op.fn is not None} - tried == {"i32.const", "i64.const"} & {
        op.name for op in OPS if op.fn is not None
    }


@each_tier()
@pytest.mark.parametrize(("name", "type_"), [("i32.const", I32), ("i64.const", I64)])
def test_constants(name: str, type_: int, tier: str) -> None:
    engine = Engine(tier=tier)
    for value in edges(TYPE_NAMES[type_]):
        compiled = engine.load(one_instruction(BY_NAME[name], value))
        assert engine.invoke(engine.instantiate(compiled), "f") == [value]


def test_every_row_is_priced() -> None:
    schedule = bare_rules().schedule
    free = {op.name for op in OPS if schedule.milli(op.cost) == 0}
    assert free == STRUCTURE
