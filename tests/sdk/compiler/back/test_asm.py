"""The assembler and the linker: labels, code out of reach, pairs of instructions, locals, constants, limits, places."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from contractvm.wasm.engine import Engine
from contractvm.wasm.module import I32, I64
from sdk.compiler.back.asm import Assembly, Body, Routine, Types
from sdk.compiler.back.debug import debug_module, read_map
from sdk.compiler.back.link import TooLarge, link
from sdk.compiler.symbols import Span
from sdk.envelope import bare, seal


@cache
def engine() -> Engine:
    return Engine(tier="portable")


def assembled(write: Callable[[Body], None], params: Types = (), results: Types = (I32,)) -> tuple[Assembly, Body]:
    assembly = Assembly()
    defined = assembly.declare("f", params, results)
    body = Body(assembly, defined)
    write(body)
    assembly.exports.append(("f", defined))
    return assembly, body


def run(write: Callable[[Body], None], *arguments: int, params: Types = (), results: Types = (I32,)) -> Any:
    assembly, _ = assembled(write, params, results)
    instance = engine().instantiate(engine().load(link(assembly).module), {})
    (result,) = engine().invoke(instance, "f", list(arguments))
    return result


def written(write: Callable[[Body], None], params: Types = (), results: Types = (I32,)) -> list[str]:
    """The names of the instructions of the finished function."""
    assembly, body = assembled(write, params, results)
    link(assembly)
    return [one.name for one in body.code]


def test_labels_are_counted_from_where_one_is() -> None:
    def write(b: Body) -> None:
        with b.block() as outer, b.loop(), b.block() as inner:
            b.get(0)
            b.br_if(inner)
            with b.block():
                b.br(outer)
        b.i32(7)

    assert run(write, 0, params=(I32,)) == 7


def test_what_cannot_be_reached_is_not_written() -> None:
    def write(b: Body) -> None:
        with b.block():
            b.i32(1)
            b.return_()
            b.i32(2)
            with b.if_():
                b.i32(3)
                b.otherwise()
                b.host("caller")
            b.op("drop")
        b.i32(4)

    assert written(write) == ["block", "i32.const", "return", "end", "unreachable"]
    assert run(write) == 1


def test_behind_a_block_that_something_jumps_out_of_all_is_written() -> None:
    def write(b: Body) -> None:
        with b.block() as out:
            b.get(0)
            b.br_if(out)
            b.i32(1)
            b.return_()
        b.i32(4)

    assert [run(write, n, params=(I32,)) for n in (0, 1)] == [1, 4]


@pytest.mark.parametrize("left", [(False, False), (False, True), (True, False), (True, True)])
def test_behind_an_if(left: tuple[bool, bool]) -> None:
    """Only where both sides are left by jumps is there nothing behind it."""

    def write(b: Body) -> None:
        b.get(0)
        with b.if_():
            if left[0]:
                b.i32(1)
                b.return_()
            b.otherwise()
            if left[1]:
                b.i32(2)
                b.return_()
        b.i32(3)

    assert run(write, 1, params=(I32,)) == (1 if left[0] else 3)
    assert run(write, 0, params=(I32,)) == (2 if left[1] else 3)
    assert ("unreachable" in written(write, params=(I32,))) == all(left)


def test_an_if_without_else_that_is_left_goes_on() -> None:
    def write(b: Body) -> None:
        b.get(0)
        with b.if_():
            b.i32(1)
            b.return_()
        b.i32(3)

    assert [run(write, n, params=(I32,)) for n in (0, 1)] == [3, 1]


def test_a_set_and_a_get_are_a_tee() -> None:
    def write(b: Body) -> None:
        (local,) = b.fresh((I32,))
        b.i32(5)
        b.set(local)
        b.get(local)
        b.get(local)
        b.op("i32.add")

    assert written(write) == ["i32.const", "local.tee", "local.get", "i32.add"]
    assert run(write) == 10


def test_what_is_dropped_is_not_pushed() -> None:
    def write(b: Body) -> None:
        b.i64(5)
        b.op("drop")
        b.get(0)
        b.op("drop")
        b.i32(1)

    assert written(write, (I32,)) == ["i32.const"]


def test_locals_that_nobody_reads_are_gone() -> None:
    def write(b: Body) -> None:
        unread, between, kept = b.fresh((I32, I64, I32))
        b.i32(5)
        b.set(unread)
        b.i64(1)
        b.set(between)
        b.get(between)
        b.op("i32.wrap_i64")
        b.tee(unread)
        b.set(kept)
        b.get(kept, kept)
        b.op("i32.add")

    assembly, body = assembled(write)
    link(assembly)
    assert body.locals == [I32]
    assert run(write) == 2


@pytest.mark.parametrize(
    ("name", "denied"), [("eq", "ne"), ("lt_s", "ge_s"), ("gt_s", "le_s"), ("lt_u", "ge_u"), ("gt_u", "le_u")]
)
@pytest.mark.parametrize("width", ["i32", "i64"])
def test_a_comparison_is_denied_by_its_opposite(width: str, name: str, denied: str) -> None:
    type_ = I32 if width == "i32" else I64
    bits = 32 if width == "i32" else 64

    def plain(b: Body) -> None:
        b.get(0, 1)
        b.op(f"{width}.{name}")

    def write(b: Body) -> None:
        plain(b)
        b.op("i32.eqz")

    assert written(write, (type_, type_)) == ["local.get", "local.get", f"{width}.{denied}"]
    for left, right in [(1, 2), (2, 1), (1, 1), (2**bits - 1, 0), (0, 2**bits - 1)]:
        assert run(write, left, right, params=(type_, type_)) == 1 - run(plain, left, right, params=(type_, type_))


def test_a_constant_added_to_an_address_is_an_offset() -> None:
    def write(b: Body) -> None:
        address = b.assembly.constant(bytes(range(1, 50)))
        b.get(0)
        b.i32(address)
        b.op("i32.add")
        b.load("i32.load8_u", 3)

    assert written(write, (I32,)) == ["local.get", "i32.load8_u"]
    assert run(write, 4, params=(I32,)) == 8


def test_routines_are_written_once_and_only_when_called() -> None:
    inner = Routine("inner", (), (I32,), lambda b: b.i32(20))

    def twice(b: Body) -> None:
        b.call(inner)
        b.call(inner)
        b.op("i32.add")

    outer = Routine("outer", (), (I32,), twice)
    Routine("unused", (), (), lambda b: b.unreachable())

    def write(b: Body) -> None:
        b.call(outer)
        b.call(outer)
        b.op("i32.add")

    assembly, _ = assembled(write)
    linked = link(assembly)
    assert run(write) == 80
    assert [one.name for one in assembly.functions] == ["f", "outer", "inner"]
    assert b"outer" in linked.names.content and b"unused" not in linked.names.content


def test_the_same_assembly_gives_the_same_bytes() -> None:
    def write(b: Body) -> None:
        b.i32(b.assembly.constant(b"abc"))
        b.i32(b.assembly.area("a", 9))
        b.op("i32.add")

    one, other = (link(assembled(write)[0]).module for _ in "ab")
    assert one == other


def test_a_function_that_is_too_large_says_which() -> None:
    def write(b: Body) -> None:
        for local in b.fresh((I32,) * 3_000):
            b.i32(1)
            b.set(local)
            b.get(local)
            b.get(local)
            b.do("drop", "drop")
        b.i32(1)

    def read(b: Body) -> None:
        locals_ = b.fresh((I32,) * 3_000)
        b.i32(1)
        for local in locals_:
            b.get(local)
            b.op("i32.add")

    link(assembled(write)[0])  # none of them is read, so none is left
    with pytest.raises(TooLarge, match=r"^f is too large for the chain: .*2048$"):
        link(assembled(read)[0])


def test_code_that_is_not_well_formed_is_our_bug() -> None:
    with pytest.raises(ValueError, match="no WebAssembly"):
        link(assembled(lambda b: b.i64(1))[0])


def test_places_and_branches_are_found_again_by_offset() -> None:
    first, second = Span(0, 3, 4, 3, 9), Span(0, 5, 0, 6, 2)

    def write(b: Body) -> None:
        b.span = first
        b.get(0)
        b.op("i32.eqz")
        with b.if_():
            b.mark(first, False)
            b.span = second
            b.i32(1)
            b.return_()
        b.span = None
        b.i32(2)

    linked = link(assembled(write, (I32,))[0])
    debug = debug_module(linked, (Path("token.py"),))
    found = read_map(debug)
    assert found is not None
    assert bare(debug) == bare(seal(linked.module)) and debug.startswith(seal(linked.module))
    code = seal(linked.module)
    (branch,) = found.branches
    assert code[branch.offset] == 0x04 and branch.span == first and branch.when is False
    assert found.at(branch.offset) == first
    assert found.at(branch.offset + 2) == second
    assert found.at(len(code) - 3) is None and found.at(0) is None
    assert found.lines() == {(0, 3), (0, 5)}
    assert found.files == (Path("token.py"),)


def test_a_module_without_a_map() -> None:
    assert read_map(seal(link(assembled(lambda b: b.i32(1))[0]).module)) is None
