"""Constant expressions: their values, what they may refer to, and which are the same in every instance."""

from __future__ import annotations

import pytest

from contractvm.errors import Fatal
from contractvm.wasm.constant import evaluate, is_fixed
from contractvm.wasm.externs import Func, Global
from contractvm.wasm.instance import not_entered
from contractvm.wasm.module import FUNCREF, I32, I64, Code, FuncType, GlobalType
from contractvm.wasm.opcodes import BY_NAME

MAX32, MAX64 = 0xFFFF_FFFF, 0xFFFF_FFFF_FFFF_FFFF
GLOBALS = [Global(GlobalType(I32, False), 7), Global(GlobalType(I64, False), MAX64)]


def code(*instructions: tuple[str, object]) -> Code:
    """An expression from names and immediates, its `end` added."""
    whole = [*instructions, ("end", None)]
    return Code([BY_NAME[name].code for name, _ in whole], [imm for _, imm in whole], list(range(40, 40 + len(whole))))


def function(index: int) -> Func:
    return Func(FuncType((), ()), ">", None, index, *not_entered(index))


def value(*instructions: tuple[str, object]) -> object:
    return evaluate(code(*instructions), GLOBALS, function)


@pytest.mark.parametrize(
    ("instructions", "expected"),
    [
        ([("i32.const", 0)], 0),
        ([("i64.const", MAX64)], MAX64),
        ([("global.get", 0)], 7),
        ([("global.get", 1)], MAX64),
        ([("i32.const", MAX32), ("i32.const", 2), ("i32.add", None)], 1),
        ([("i32.const", 1), ("i32.const", 2), ("i32.sub", None)], MAX32),
        ([("i64.const", MAX64), ("i64.const", MAX64), ("i64.mul", None)], 1),
        ([("global.get", 0), ("i32.const", 3), ("global.get", 0), ("i32.mul", None), ("i32.sub", None)], MAX32 - 13),
        ([("ref.null", FUNCREF)], None),
    ],
)
def test_values(instructions: list[tuple[str, object]], expected: object) -> None:
    assert value(*instructions) == expected


def test_a_function_is_asked_for_by_index() -> None:
    made = value(("ref.func", 3))
    assert isinstance(made, Func)
    assert made.index == 3


@pytest.mark.parametrize(
    ("instructions", "fixed"),
    [
        ([("i32.const", 4)], True),
        ([("i32.const", 4), ("i32.const", 4), ("i32.mul", None)], True),
        ([("global.get", 0)], False),
        ([("i32.const", 4), ("global.get", 0), ("i32.add", None)], False),
        ([("ref.func", 0)], False),
        ([("ref.null", FUNCREF)], False),
    ],
)
def test_what_is_the_same_in_every_instance(instructions: list[tuple[str, object]], fixed: bool) -> None:
    assert is_fixed(code(*instructions)) == fixed


def test_what_validation_would_refuse_is_our_bug() -> None:
    with pytest.raises(Fatal, match="byte 0x28"):
        value(("memory.size", None))
