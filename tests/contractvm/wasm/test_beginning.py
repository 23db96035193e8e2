"""What instances begin with: the same whether it is worked out once or written piece by piece, filled early or late."""

from __future__ import annotations

from random import Random

import pytest
import wasmtime

from contractvm.errors import Trap, TrapCode
from contractvm.wasm.beginning import Beginning, beginning
from contractvm.wasm.engine import Engine
from contractvm.wasm.externs import Func
from contractvm.wasm.instance import Instance
from gas.meter import Meter
from tests.tiers import each_tier

TABLE = "(table {0} 5 funcref) (elem (i32.const 1) func $a $b) (elem funcref (ref.func $c)) (elem declare func $a)"
FUNCTIONS = """
  (type $t (func (result i32)))
  (func $a (export "a") (type $t) (i32.const 10))
  (func $b (type $t) (i32.const 20))
  (func $c (export "c") (type $t) (i32.const 30))
  (func (export "call") (param i32) (result i32) (call_indirect (type $t) (local.get 0)))
  (func (export "fill") (table.init 0 1 (i32.const 0) (i32.const 0) (i32.const 1)) (elem.drop 1))
  (func (export "set") (param i32) (table.set (local.get 0) (ref.func $c)))"""


def wat(text: str) -> bytes:
    return bytes(wasmtime.wat2wasm(text))


def of(text: str) -> Beginning:
    return beginning(Engine().load(wat(text)).module)


def entries(instance: Instance) -> list[int | None]:
    return [entry.index if isinstance(entry, Func) else None for entry in instance.tables[0].entries]


def pieces(made: Beginning) -> list[tuple[int, int, bytes]]:
    """What is written to new memory; it has to be known beforehand."""
    assert made.image is not None
    return [(start, end, bytes(piece)) for start, end, piece in made.image]


def test_data_that_lies_close_together_is_one_piece() -> None:
    made = of(
        '(module (memory 1) (data (i32.const 8) "ab") (data (i32.const 10) "cd") (data "passive")'
        ' (data (i32.const 14) "e") (data (i32.const 272) "far") (data (i32.const 9) "x"))'
    )
    assert pieces(made) == [(8, 15, b"abcd\0\0e"), (272, 275, b"far"), (9, 10, b"x")]
    assert made.data == (b"", b"", b"passive", b"", b"", b"")


def test_the_zeros_between_two_segments_are_no_other_segments_bytes() -> None:
    """However they lie, the pieces write what the segments write one by one."""
    rng = Random(1)
    for _ in range(200):
        segments = [(rng.randrange(600), bytes(rng.choices(b"abc", k=rng.randrange(40)))) for _ in range(6)]
        text = " ".join(f'(data (i32.const {at}) "{content.decode()}")' for at, content in segments)
        image = pieces(of(f"(module (memory 1) {text})"))
        written, wanted = bytearray(1_000), bytearray(1_000)
        for start, end, piece in image:
            written[start:end] = piece
        for at, content in segments:
            wanted[at : at + len(content)] = content
        assert written == wanted, segments


def test_many_small_segments_take_no_time() -> None:
    """Joined one by one they would be copied 50,000 times: 1.2 GB."""
    segments = "".join(f'(data (i32.const {at}) "x")' for at in range(50_000))
    made = of(f"(module (memory 1) {segments})")
    assert pieces(made) == [(0, 50_000, b"x" * 50_000)]


@pytest.mark.parametrize(
    "text",
    [
        '(memory 1) (data (i32.const 65536) "") (data (i32.const 65535) "ab")',
        '(global $g (import "m" "g") i32) (memory 1) (data (global.get $g) "a")',
        '(import "m" "m" (memory 1)) (data (i32.const 0) "a")',
    ],
    ids=["too far", "anywhere", "not its own"],
)
def test_data_that_must_be_written_one_by_one(text: str) -> None:
    assert of(f"(module {text})").image is None


def test_globals() -> None:
    made = of("(module (global (mut i32) (i32.const 1)) (global i64 (i64.add (i64.const 1) (i64.const 1))))")
    assert (made.globals, made.changing) == ((1, 2), (0,))
    assert of("(module (global funcref (ref.null func)))").globals is None
    assert of('(module (global (import "m" "g") i32) (global i32 (global.get 0)))').globals is None


@pytest.mark.parametrize(
    ("text", "late"),
    [
        (TABLE.format(""), True),
        (TABLE.format('(export "t")'), False),
        ('(table (import "m" "t") 5 funcref)', False),
        ("(table 1 funcref) (elem (i32.const 0) func $a $b)", False),
        ('(global $g (import "m" "g") i32) (table 9 funcref) (elem (global.get $g) func $a)', False),
        ("", True),
    ],
)
def test_which_tables_can_wait(text: str, late: bool) -> None:
    assert of(f"(module {text} (func $a) (func $b) (func $c))").late is late


@each_tier()
@pytest.mark.parametrize("export", ["", '(export "t")'], ids=["late", "early"])
def test_tables_that_wait_are_as_those_that_do_not(tier: str, export: str) -> None:
    engine = Engine(tier=tier)
    compiled = engine.load(wat(f"(module {TABLE.format(export)} {FUNCTIONS})"))
    assert compiled.beginning.late is (export == "")
    instance = engine.instantiate(compiled, None, meter := Meter(1 << 40))
    begun = meter.left
    answers: list[object] = []
    for name, operands in (("call", [1]), ("call", [0]), ("fill", []), ("call", [0]), ("fill", []), ("set", [4])):
        try:
            answers.append(engine.invoke(instance, name, operands))
        except Trap as trap:
            answers.append(trap.code)
    assert answers == [[10], TrapCode.UNINITIALIZED_ELEMENT, [], [30], TrapCode.TABLE_OUT_OF_BOUNDS, []]
    assert entries(instance) == [2, 0, 1, None, 2]
    assert instance.elements == [[], [], []]
    assert instance.tables[0].entries[1] is instance.function(0) is instance.exports["a"]
    reference = Engine(tier="reference")
    again = reference.instantiate(compiled, None, other := Meter(1 << 40))
    for name, operands in (("call", [1]), ("fill", []), ("call", [0]), ("set", [4])):
        reference.invoke(again, name, operands)
    assert begun == (1 << 40) * 1000 > meter.left
    assert other.left > meter.left, "the calls that trapped were paid"


@each_tier()
def test_a_table_that_does_not_fit_traps_at_once(tier: str) -> None:
    engine = Engine(tier=tier)
    compiled = engine.load(wat("(module (memory 1) (table 1 funcref) (func $a) (elem (i32.const 0) func $a $a))"))
    with pytest.raises(Trap) as caught:
        engine.instantiate(compiled)
    assert caught.value.code is TrapCode.TABLE_OUT_OF_BOUNDS


@each_tier()
def test_looking_at_tables_before_they_are_called(tier: str) -> None:
    engine = Engine(tier=tier)
    instance = engine.instantiate(engine.load(wat(f"(module {TABLE.format('')} {FUNCTIONS})")))
    assert entries(instance) == [None, 0, 1, None, None]
    assert [len(items) for items in instance.elements] == [0, 1, 0]
    assert engine.invoke(instance, "call", [2]) == [20]


@each_tier()
def test_reset_tables_are_as_new(tier: str) -> None:
    """As between two frames of a contract, whoever has looked at them."""
    engine = Engine(tier=tier)
    meter = Meter(1 << 40)
    for export in ("", '(export "t")'):
        instance = engine.instantiate(engine.load(wat(f"(module {TABLE.format(export)} {FUNCTIONS})")), None, meter)
        for _ in range(3):
            engine.invoke(instance, "fill")
            engine.invoke(instance, "set", [4])
            assert entries(instance) == [2, 0, 1, None, 2]
            instance.renew((), meter, None)
        assert entries(instance) == [None, 0, 1, None, None]
