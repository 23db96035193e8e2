"""Values of every type in memory: made, copied, compared, searched, changed, with Python's own as the measure."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contractvm.errors import Revert
from contractvm.wasm.externs import HostFunction
from contractvm.wasm.module import I32
from sdk.compiler.back.asm import HOST_TYPES, Assembly, Body
from sdk.compiler.back.link import link
from sdk.compiler.back.writer import ALLOCATE
from sdk.compiler.tree import Append, Augment, Contains, Copy, Delete, Expression, Item, Length, Local, Pop, Slice
from sdk.compiler.types import (
    ADDRESS,
    BOOL,
    BYTES,
    U8,
    U64,
    U256,
    Address,
    Array,
    Bool,
    Enum,
    FixedBytes,
    Int,
    List,
    Struct,
    Tuple,
    Type,
)
from tests.sdk.compiler.back.rig import (
    TIERS,
    Panicked,
    Rig,
    S,
    compare,
    const,
    engine,
    function,
    get,
    index,
    items,
    let,
    made,
    member,
    place,
    ret,
    run,
    struct,
    tup,
    value_of,
)
from tests.sdk.compiler.back.values import COLOR, TYPES, default, defaulted, expression, values

each_tier = pytest.mark.parametrize("tier", TIERS)


@st.composite
def typed(draw: st.DrawFn) -> tuple[Type, Any]:
    type_ = draw(TYPES)
    return type_, draw(values(type_))


@given(typed())
@settings(max_examples=120, deadline=None)
def test_a_value_is_what_was_made(pair: tuple[Type, Any]) -> None:
    type_, value = pair
    assert value_of(expression(type_, value)) == value


@given(TYPES)
@settings(max_examples=60, deadline=None)
def test_defaults(type_: Type) -> None:
    assert value_of(defaulted(type_)) == default(type_)


@given(typed())
@settings(max_examples=80, deadline=None)
def test_a_copy_is_equal(pair: tuple[Type, Any]) -> None:
    type_, value = pair
    a, b = Local("a", type_), Local("b", type_)
    body = (let(a, expression(type_, value)), let(b, Copy(get(a), type_, S)))
    found = run(Tuple((BOOL, type_)), *body, ret(tup(compare("eq", get(a), get(b)), get(b))))
    assert found == (True, value)


@given(st.data())
@settings(max_examples=120, deadline=None)
def test_equality_is_pythons(data: st.DataObject) -> None:
    type_ = data.draw(TYPES)
    one = data.draw(values(type_))
    other = data.draw(st.one_of(values(type_), st.just(one)))
    left, right = expression(type_, one), expression(type_, other)
    found = value_of(tup(compare("eq", left, right), compare("ne", left, right)))
    assert found == (one == other, one != other)


@given(st.data())
@settings(max_examples=60, deadline=None)
def test_membership_is_pythons(data: st.DataObject) -> None:
    item = data.draw(TYPES)
    type_ = List(item)
    xs = data.draw(values(type_))
    x = data.draw(st.one_of(values(item), st.sampled_from(xs) if xs else values(item)))
    assert value_of(Contains(expression(item, x), expression(type_, xs), BOOL, S)) == (x in xs)


@given(st.data())
@settings(max_examples=60, deadline=None)
def test_slices_are_pythons_and_share_nothing(data: st.DataObject) -> None:
    item = data.draw(TYPES)
    type_ = List(item)
    xs = data.draw(values(type_))
    start, stop = (data.draw(st.none() | st.integers(0, 6) | st.just(2**64 - 1)) for _ in "ab")
    first, behind = (None if bound is None else const(bound) for bound in (start, stop))
    assert value_of(Slice(expression(type_, xs), first, behind, type_, S)) == xs[start:stop]


@given(st.data())
@settings(max_examples=80, deadline=None)
def test_lists_do_what_pythons_do(data: st.DataObject) -> None:
    """A random run of appends, pops, writes and deletions; a Panic where Python raises."""
    item = data.draw(TYPES)
    type_ = List(item)
    xs: list[Any] = copy.deepcopy(data.draw(values(type_)))
    local, popped = Local("xs", type_), Local("popped", item)
    body: list[Any] = [let(local, expression(type_, xs))]
    panic = 0
    for _ in range(data.draw(st.integers(0, 12))):
        what = data.draw(st.sampled_from(["append", "append", "pop", "set", "delete"]))
        at = data.draw(st.integers(0, 5))
        x = data.draw(values(item))
        match what:
            case "append":
                body.append(Append(place(local), expression(item, x), S))
                xs.append(x)
            case "pop":
                body.append(let(popped, Pop(place(local), item, S)))
                if not xs:
                    panic = 0x31
                    break
                xs.pop()
            case _:
                new = x if what == "set" else default(item)
                where = index(place(local), at)
                body.append(let(where, expression(item, x)) if what == "set" else Delete(where, S))
                if at >= len(xs):
                    panic = 0x32
                    break
                xs[at] = new
    rig = Rig(function("f", [], Tuple((type_, U64)), *body, ret(tup(get(local), Length(place(local), U64, S)))))
    if panic:
        with pytest.raises(Panicked, match=str(panic)):
            rig.call("f")
    else:
        assert rig.call("f") == (xs, len(xs))


@each_tier
def test_copies_are_deep(tier: str) -> None:
    point = struct("Point", x=U64)
    group = struct("Group", points=List(point), pair=Tuple((point, U8)), board=Array(point, 2))
    a, b = Local("a", group), Local("b", group)
    one = [made(point, const(i)) for i in range(5)]
    value = made(
        group, items(List(point), one[0], one[1]), tup(one[2], const(9, U8)), items(Array(point, 2), one[3], one[4])
    )
    deep = member(index(member(place(b), 0), 1), 0)
    board = member(index(member(place(b), 2), 0), 0)
    changes = (let(deep, const(70)), let(board, const(80)))
    found = run(
        Tuple((group, group)),
        let(a, value),
        let(b, Copy(get(a), group, S)),
        *changes,
        ret(tup(get(a), get(b))),
        tier=tier,
    )
    first = ([(0,), (1,)], ((2,), 9), [(3,), (4,)])
    second = ([(0,), (70,)], ((2,), 9), [(80,), (4,)])
    assert found == (first, second)


@each_tier
def test_objects_are_shared_with_a_callee(tier: str) -> None:
    point = struct("Point", x=U64, y=U256)
    p = Local("p", point)
    double = function("double", [p], Tuple(()), Augment("mul", member(place(p), 1), const(2, U256), True, S))
    q = Local("q", point)
    from sdk.compiler.tree import Discard
    from tests.sdk.compiler.back.rig import call

    body = (let(q, made(point, const(1), const(21, U256))), Discard(call(double, get(q)), S), ret(get(q)))
    assert Rig(double, function("f", [], point, *body), tier=tier).call("f") == (1, 42)


@pytest.mark.parametrize("constant", [False, True])
@pytest.mark.parametrize("type_", [List(U256), Array(U256, 3), Array(U8, 3), Array(Tuple((U8, U256)), 3)])
@each_tier
def test_an_index_outside(tier: str, type_: List | Array, constant: bool) -> None:
    def one(n: int) -> Expression:
        number = const(n, type_.item if not isinstance(type_.item, Tuple) else U256)
        return tup(const(n, U8), number) if isinstance(type_.item, Tuple) else number

    xs, i = Local("xs", type_), Local("i", U64)
    made_ = items(type_, *(one(n) for n in (7, 8, 9)))
    for at in (0, 2, 3, 2**32, 2**32 + 1, 2**64 - 1):
        read = get(index(place(xs), at if constant else get(i)))
        rig = Rig(function("f", [i], type_.item, let(xs, made_), ret(read)), tier=tier)
        if at < 3:
            expected = 7 + at
            assert rig.call("f", at) == ((expected, expected) if isinstance(type_.item, Tuple) else expected)
        else:
            with pytest.raises(Panicked, match="50"):
                rig.call("f", at)


@each_tier
def test_long_runs_of_a_constant_are_short_code(tier: str) -> None:
    type_ = Array(U256, 500)
    few, many = (items(type_, *[const(7, U256)] * 500), items(Array(U256, 2), *[const(7, U256)] * 2))
    assert value_of(few, tier) == [7] * 500
    longer, shorter = (len(Rig(function("f", [], node.type, ret(node))).linked.module) for node in (few, many))
    assert longer < shorter + 100


@pytest.mark.parametrize(
    "item", [U8, U256, Int(8, True), Int(128, True), Int(256, True), BOOL, FixedBytes(9), ADDRESS, COLOR, BYTES]
)
@each_tier
def test_runs_of_constants_of_every_type(tier: str, item: Type) -> None:
    """Different ones, equal ones, and what is no constant among them."""

    def value(n: int) -> Any:
        match item:
            case Int(signed=signed):
                return n * (-1 if signed and n % 2 else 1)
            case Bool():
                return n % 2 == 1
            case Enum():
                return (0, 2, 255)[n % 3]
            case FixedBytes(width):
                return bytes(n + i for i in range(width))
            case Address():
                return bytes(n + i for i in range(20))
        return b"ab" * n

    expected = [value(n) for n in (1, 2, 3, 4, 5, 6, *[7] * 9, 8, 0, 9, 10, 11, 12)]
    x = Local("x", item)
    nodes: list[Expression] = [const(one, item) for one in expected]
    nodes[3] = nodes[-2] = get(x)
    expected[3] = expected[-2] = value(20)
    made_ = items(List(item), *nodes)
    assert run(List(item), let(x, const(value(20), item)), ret(made_), tier=tier) == expected


@each_tier
def test_an_array_may_be_sliced(tier: str) -> None:
    type_ = Array(BYTES, 3)
    node = items(type_, *(const(b, BYTES) for b in (b"a", b"bc", b"")))
    assert value_of(Slice(node, const(1), None, List(BYTES), S), tier) == [b"bc", b""]


@each_tier
def test_one_item_of_a_tuple(tier: str) -> None:
    t = Local("t", Tuple((U8, U256, BYTES)))
    value = tup(const(1, U8), const(2, U256), const(b"three", BYTES))
    for at, expected in enumerate((1, 2, b"three")):
        type_ = t.type.items[at] if isinstance(t.type, Tuple) else U8
        assert value_of(Item(value, at, type_, S), tier) == expected
        assert run(type_, let(t, value), ret(Item(get(t), at, type_, S)), tier=tier) == expected


@each_tier
def test_memory_runs_out_with_a_panic(tier: str) -> None:
    from sdk.compiler.tree import While

    xs = Local("xs", List(U256))
    rig = Rig(
        function(
            "f",
            [],
            U64,
            let(xs, items(List(U256))),
            While(const(True, BOOL), (Append(place(xs), const(1, U256), S),), S),
        ),
        tier=tier,
    )
    assert rig.instance.memory is not None
    rig.instance.memory.ceiling = 3
    with pytest.raises(Panicked, match="65"):
        rig.call("f")


def test_two_structs_of_one_name_are_two() -> None:
    one = Struct("P", "a.P", struct("P", x=List(U8)).members)
    other = Struct("P", "b.P", struct("P", x=List(U256)).members)
    values_ = [made(type_, items(List(item), const(300 % 256, item))) for type_, item in ((one, U8), (other, U256))]
    copies = [Copy(node, node.type, S) for node in values_]
    assert value_of(tup(*copies)) == (([44],), ([44],))


@pytest.mark.parametrize("wanted", [2**24 + 1, 2**31, 2**32 - 8, 2**32 - 7, 2**32 - 1])
def test_no_size_is_taken_for_a_small_one(wanted: int) -> None:
    """Sizes that come from outside may be anything; rounding up must not wrap."""
    assembly = Assembly()
    defined = assembly.declare("f", (I32,), (I32,))
    b = Body(assembly, defined)
    b.get(0)
    b.call(ALLOCATE)
    assembly.exports.append(("f", defined))
    caught: list[bytes] = []

    def revert(pointer: int, length: int) -> None:
        assert instance.memory is not None
        caught.append(bytes(instance.memory.data[pointer : pointer + length]))
        raise Revert(caught[0])

    engine_ = engine("portable")
    module = engine_.load(link(assembly).module)
    instance = engine_.instantiate(module, {("cvm1", "revert"): HostFunction(HOST_TYPES["revert"], revert)})
    with pytest.raises(Revert):
        engine_.invoke(instance, "f", [wanted])
    assert caught[0][-1] == 0x41
    (first,), (second,) = (engine_.invoke(instance, "f", [size]) for size in (5, 8))
    assert first % 8 == 0 and second == first + 8
