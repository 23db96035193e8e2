"""Statements, tests, loops and calls, run on two tiers."""

from __future__ import annotations

from typing import Any

import pytest

from sdk.compiler.tree import (
    Assign,
    Augment,
    Break,
    Chain,
    Conditional,
    Continue,
    Discard,
    Expression,
    ForEach,
    ForRange,
    Function,
    If,
    Local,
    Logical,
    Unpack,
    While,
)
from sdk.compiler.types import BOOL, BYTES, NOTHING, U8, U64, U256, Array, List, Tuple, Type
from tests.sdk.compiler.back.rig import (
    TIERS,
    Panicked,
    Rig,
    S,
    call,
    compare,
    const,
    function,
    get,
    index,
    items,
    let,
    made,
    member,
    op,
    place,
    ret,
    run,
    struct,
    tup,
)

each_tier = pytest.mark.parametrize("tier", TIERS)


@each_tier
def test_if_and_else(tier: str) -> None:
    x = Local("x", U64)
    body = If(
        compare("lt", get(x), const(10)),
        (ret(const(1)),),
        (If(compare("eq", get(x), const(10)), (ret(const(2)),), (), S),),
        S,
    )
    rig = Rig(function("f", [x], U64, body, ret(const(3))), tier=tier)
    assert [rig.call("f", n) for n in (0, 9, 10, 11)] == [1, 1, 2, 3]


@each_tier
def test_nothing_is_written_behind_two_returns(tier: str) -> None:
    x = Local("x", U64)
    body = If(compare("lt", get(x), const(10)), (ret(const(1)),), (ret(const(2)),), S)
    rig = Rig(function("f", [x], U64, body, ret(const(3))), tier=tier)
    assert [rig.call("f", n) for n in (3, 30)] == [1, 2]
    assert b"\x42\x03\x0f" not in rig.linked.module  # i64.const 3, return


@pytest.mark.parametrize(
    ("start", "stop", "step"),
    [
        (0, 5, 1),
        (5, 5, 1),
        (6, 5, 1),
        (0, 10, 3),
        (0, 9, 3),
        (10, 0, -3),
        (3, 0, -1),
        (0, 3, -1),
        (2**64 - 3, 2**64 - 1, 1),
        (2**64 - 10, 2**64 - 1, 4),
        (0, 2**64 - 1, 2**63),
        (0, 2**64 - 1, 2**70),
        (5, 0, -7),
    ],
)
@each_tier
def test_ranges(tier: str, start: int, stop: int, step: int) -> None:
    """As Python counts: how many steps, and the exclusive or of the indices in an order-minding sum."""
    a, b, i, total = Local("a", U64), Local("b", U64), Local("i", U64), Local("t", U64)
    count = op("add", op("mul", get(total), const(3), False), get(i), False)
    loop = ForRange(i, get(a), get(b), step, (let(total, count),), S)
    rig = Rig(function("f", [a, b], U64, let(total, const(0)), loop, ret(get(total))), tier=tier)
    expected = 0
    for n in range(start, stop, step):
        expected = (expected * 3 + n) % 2**64
    assert rig.call("f", start, stop) == expected


@each_tier
def test_break_and_continue(tier: str) -> None:
    n, i, total = Local("n", U64), Local("i", U64), Local("t", U64)
    loop = ForRange(
        i,
        const(0),
        get(n),
        1,
        (
            If(compare("eq", get(i), const(3)), (Continue(S),), (), S),
            If(compare("eq", get(i), const(6)), (Break(S),), (), S),
            let(total, op("add", get(total), get(i))),
        ),
        S,
    )
    rig = Rig(function("f", [n], U64, let(total, const(0)), loop, ret(get(total))), tier=tier)
    assert [rig.call("f", k) for k in (0, 3, 5, 100)] == [0, 3, 7, 12]


@each_tier
def test_while_with_both_ways_out(tier: str) -> None:
    n, steps = Local("n", U64), Local("s", U64)
    even = compare("eq", op("mod", get(n), const(2)), const(0))
    loop = While(
        compare("ne", get(n), const(1)),
        (
            let(steps, op("add", get(steps), const(1))),
            If(compare("gt", get(steps), const(100)), (Break(S),), (), S),
            If(even, (let(n, op("floordiv", get(n), const(2))), Continue(S)), (), S),
            let(n, op("add", op("mul", get(n), const(3)), const(1))),
        ),
        S,
    )
    rig = Rig(function("f", [n], U64, let(steps, const(0)), loop, ret(get(steps))), tier=tier)
    assert [rig.call("f", k) for k in (1, 2, 3, 27)] == [0, 1, 7, 101]


@each_tier
def test_endless_loop_left_by_return(tier: str) -> None:
    n = Local("n", U64)
    step = let(n, op("add", get(n), const(1)))
    loop = While(const(True, BOOL), (step, If(compare("gt", get(n), const(9)), (ret(get(n)),), (), S)), S)
    assert Rig(function("f", [n], U64, loop), tier=tier).call("f", 2) == 10


def noting() -> tuple[Function, Local]:
    """A function that appends a number to a list and gives whether it is odd."""
    log, number = Local("log", List(U64)), Local("n", U64)
    from sdk.compiler.tree import Append

    odd = compare("eq", op("mod", get(number), const(2)), const(1))
    return function("note", [log, number], BOOL, Append(place(log), get(number), S), ret(odd)), log


def both(left: Expression, right: Expression) -> Logical:
    return Logical("and", left, right, BOOL, S)


def either(left: Expression, right: Expression) -> Logical:
    return Logical("or", left, right, BOOL, S)


@pytest.mark.parametrize("deciding", ["value", "if", "if else", "while", "conditional"])
@pytest.mark.parametrize("shape", range(4))
@each_tier
def test_and_or_look_at_the_right_side_only_when_they_must(tier: str, shape: int, deciding: str) -> None:
    note, _ = noting()
    for a, b, c in [(i, j, k) for i in (1, 2) for j in (3, 4) for k in (5, 6)]:
        log = Local("log", List(U64))
        x, y, z = (call(note, get(log), const(n)) for n in (a, b, c))
        node = [both(both(x, y), z), either(either(x, y), z), both(either(x, y), z), either(x, both(y, z))][shape]
        looked: list[int] = []

        expected = truth(shape, (a, b, c), looked)
        got = run_test(deciding, note, log, node, tier)
        assert got == (expected, looked)


def truth(shape: int, numbers: tuple[int, int, int], looked: list[int]) -> bool:
    """What Python finds, where a number is true when it is odd, and which numbers it looks at."""

    def see(n: int) -> bool:
        looked.append(n)
        return n % 2 == 1

    a, b, c = numbers
    match shape:
        case 0:
            return see(a) and see(b) and see(c)
        case 1:
            return see(a) or see(b) or see(c)
        case 2:
            return (see(a) or see(b)) and see(c)
    return see(a) or (see(b) and see(c))


def run_test(deciding: str, note: Function, log: Local, test: Expression, tier: str) -> Any:
    """What a test is, told by a statement or an expression that depends on it, and the log."""
    found = Local("found", BOOL)
    yes, no = let(found, const(True, BOOL)), let(found, const(False, BOOL))
    parts: dict[str, tuple[Any, ...]] = {
        "value": (let(found, test),),
        "if": (no, If(test, (yes,), (), S)),
        "if else": (If(test, (yes,), (no,), S),),
        "while": (no, While(test, (yes, Break(S)), S)),
        "conditional": (let(found, Conditional(test, const(True, BOOL), const(False, BOOL), BOOL, S)),),
    }
    returns = Tuple((BOOL, List(U64)))
    f = function("f", [], returns, let(log, items(List(U64))), *parts[deciding], ret(tup(get(found), get(log))))
    return Rig(note, f, tier=tier).call("f")


@pytest.mark.parametrize("type_", [U8, U256])
@each_tier
def test_chains(tier: str, type_: Type) -> None:
    a, b, c = (Local(name, type_) for name in "abc")
    chain = Chain(get(a), (("le", get(b)), ("lt", get(c))), BOOL, S)
    then = function("g", [a, b, c], U64, If(chain, (ret(const(1)),), (), S), ret(const(0)))
    rig = Rig(function("f", [a, b, c], BOOL, ret(chain)), then, tier=tier)
    for values in [(1, 1, 2), (1, 2, 2), (2, 1, 3), (0, 255, 255), (0, 254, 255)]:
        low, middle, high = values
        assert rig.call("f", *values) == (low <= middle < high)
        assert rig.call("g", *values) == (low <= middle < high)


@each_tier
def test_large_conditionals_go_through_locals(tier: str) -> None:
    x = Local("x", BOOL)
    one, two = (tup(*(const(i + n, U256) for i in range(6))) for n in (0, 100))
    rig = Rig(function("f", [x], one.type, ret(Conditional(get(x), one, two, one.type, S))), tier=tier)
    assert rig.call("f", True) == tuple(range(6))
    assert rig.call("f", False) == tuple(range(100, 106))


@each_tier
def test_swaps(tier: str) -> None:
    a, b = Local("a", U256), Local("b", U64)
    c, d = Local("c", U64), Local("d", U64)
    swap = Unpack((place(c), place(d)), tup(get(d), get(c)), S)
    body = (Unpack((place(a), None, place(b)), tup(const(7, U256), const(0), const(8)), S), swap)
    rig = Rig(function("f", [c, d], Tuple((U256, U64, U64, U64)), *body, ret(tup(*map(get, (a, b, c, d))))), tier=tier)
    assert rig.call("f", 1, 2) == (7, 8, 2, 1)


@each_tier
def test_unpacking_assigns_from_the_left(tier: str) -> None:
    xs, a = Local("xs", List(U64)), Local("a", U64)
    unpack = Unpack((place(a), index(place(xs), get(a)), place(a)), tup(const(1), const(9), const(5)), S)
    body = (let(xs, items(List(U64), const(0), const(0))), let(a, const(0)), unpack)
    assert run(Tuple((List(U64), U64)), *body, ret(tup(get(xs), get(a))), tier=tier) == ([0, 9], 5)


@each_tier
def test_augmented_assignment_evaluates_its_place_once(tier: str) -> None:
    note, _ = noting()
    log, xs = Local("log", List(U64)), Local("xs", Array(U256, 2))
    at = Conditional(call(note, get(log), const(4)), const(1), const(0), U64, S)
    body = (
        let(log, items(List(U64))),
        let(xs, items(Array(U256, 2), const(10, U256), const(20, U256))),
        Augment("add", index(place(xs), at), const(5, U256), True, S),
    )
    f = function("f", [], Tuple((List(U64), Array(U256, 2))), *body, ret(tup(get(log), get(xs))))
    assert Rig(note, f, tier=tier).call("f") == ([4], [15, 20])


@each_tier
def test_augmented_item_of_a_list_that_grows_meanwhile(tier: str) -> None:
    """The list moves while the right side is evaluated; the item is where it is then."""
    note, _ = noting()
    xs = Local("xs", List(U64))
    grow = Conditional(call(note, get(xs), const(3)), const(7), const(0), U64, S)
    body = (let(xs, items(List(U64), const(1))), Augment("add", index(place(xs), 0), grow, True, S))
    f = function("f", [], List(U64), *body, ret(get(xs)))
    assert Rig(note, f, tier=tier).call("f") == [8, 3]


@each_tier
def test_text_is_joined_by_augmented_assignment(tier: str) -> None:
    x = Local("x", BYTES)
    body = (let(x, const(b"ab", BYTES)), Augment("add", place(x), const(b"cde", BYTES), True, S))
    assert run(BYTES, *body, ret(get(x)), tier=tier) == b"abcde"


@each_tier
def test_loop_over_lists_looks_at_the_length_each_time(tier: str) -> None:
    from sdk.compiler.tree import Append

    xs, x, i, total = Local("xs", List(U64)), Local("x", U64), Local("i", U64), Local("t", U64)
    body = (
        If(compare("lt", get(x), const(5)), (Append(place(xs), op("add", get(x), const(10)), S),), (), S),
        If(compare("eq", get(x), const(12)), (Continue(S),), (), S),
        let(total, op("add", get(total), op("mul", get(x), op("add", get(i), const(1))))),
    )
    loop = ForEach(i, x, place(xs), body, S)
    start = (let(xs, items(List(U64), const(1), const(2), const(30))), let(total, const(0)))
    got = run(Tuple((U64, List(U64))), *start, loop, ret(tup(get(total), get(xs))), tier=tier)
    assert got == (1 + 4 + 90 + 44, [1, 2, 30, 11, 12])


@each_tier
def test_loop_over_arrays(tier: str) -> None:
    x, i, total = Local("x", U256), Local("i", U64), Local("t", U256)
    of = items(Array(U256, 3), *(const(n, U256) for n in (5, 6, 7)))
    step = let(total, op("add", op("mul", get(total), const(10, U256)), get(x)))
    skip = If(compare("eq", get(i), const(1)), (Continue(S),), (), S)
    assert run(U256, let(total, const(0, U256)), ForEach(i, x, of, (skip, step), S), ret(get(total)), tier=tier) == 57


@each_tier
def test_recursion(tier: str) -> None:
    n = Local("n", U256)
    factorial = function("f", [n], U256)
    rest = op("mul", get(n), call(factorial, op("sub", get(n), const(1, U256))))
    small = compare("lt", get(n), const(2, U256))
    factorial.body.append(ret(Conditional(small, const(1, U256), rest, U256, S)))
    assert Rig(factorial, tier=tier).call("f", 20) == 2432902008176640000
    with pytest.raises(Panicked, match="17"):
        Rig(factorial, tier=tier).call("f", 100)


@each_tier
def test_arguments_are_evaluated_in_the_order_of_the_source(tier: str) -> None:
    note, _ = noting()
    log, a, b = Local("log", List(U64)), Local("a", BOOL), Local("b", BOOL)
    pair = function("pair", [a, b], Tuple((BOOL, BOOL)), ret(tup(get(a), get(b))))
    both_ = call(pair, call(note, get(log), const(1)), call(note, get(log), const(2)), order=(1, 0))
    f = function(
        "f",
        [],
        Tuple((List(U64), Tuple((BOOL, BOOL)))),
        let(log, items(List(U64))),
        Discard(both_, S),
        ret(tup(get(log), both_)),
    )
    assert Rig(note, pair, f, tier=tier).call("f") == ([2, 1, 2, 1], (True, False))


@each_tier
def test_more_parameters_and_results_than_the_chain_allows(tier: str) -> None:
    many = [Local(f"p{i}", U256) for i in range(40)]
    returns = Tuple(tuple(U256 for _ in many))
    turn = function("turn", many, returns, ret(tup(*(get(p) for p in reversed(many)))))
    f = function("f", [], returns, ret(call(turn, *(const(i, U256) for i in range(40)))))
    g = function("g", [], U256, ret(_item(call(turn, *(const(i, U256) for i in range(40))), 3)))
    rig = Rig(turn, g, f, tier=tier)
    assert rig.call("g") == 36


def _item(value: Expression, at: int) -> Expression:
    from sdk.compiler.tree import Item

    assert isinstance(value.type, Tuple)
    return Item(value, at, value.type.items[at], S)


@each_tier
def test_struct_fields_are_made_in_the_order_of_the_source(tier: str) -> None:
    note, _ = noting()
    log = Local("log", List(U64))
    type_ = struct("P", a=BOOL, b=U256, c=BOOL)
    values = (call(note, get(log), const(1)), const(5, U256), call(note, get(log), const(2)))
    p = Local("p", type_)
    f = function(
        "f",
        [],
        Tuple((List(U64), type_, U256)),
        let(log, items(List(U64))),
        let(p, made(type_, *values, order=(2, 1, 0))),
        Assign(member(place(p), 1), op("add", get(member(place(p), 1)), const(1, U256)), S),
        ret(tup(get(log), get(p), get(member(place(p), 1)))),
    )
    assert Rig(note, f, tier=tier).call("f") == ([2, 1], (True, 6, False), 6)


@each_tier
def test_discarded_values_leave_the_stack(tier: str) -> None:
    assert run(NOTHING, Discard(tup(const(1), const(2, U256)), S), tier=tier) is None
