"""Our decorator against the standard library's: every class is made by both and has to behave alike."""

from __future__ import annotations

import copy
import dataclasses
import pickle
import typing
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, ClassVar

import pytest

from state.dataclass import dataclass

Make = Callable[..., Any]


def point(make: Make, **options: Any) -> Any:
    @make(**options)
    class Point:
        """A place."""

        x: int
        y: int = 2
        tags: list[str] = dataclasses.field(default_factory=list)
        _seen: int = dataclasses.field(default=7, init=False, compare=False, repr=False)

    return Point


def derived(make: Make, **options: Any) -> Any:
    base: Any = point(make, **options)

    @make(**options)
    class Deep(base):  # type: ignore[misc]
        """A place below another."""

        z: int = 3

        def __post_init__(self) -> None:
            if self.z > 100:
                raise ValueError("too deep")

    return Deep


OPTIONS = [
    {"frozen": frozen, "slots": slots, "eq": eq, "repr": repr}
    for frozen in (False, True)
    for slots in (False, True)
    for eq in (False, True)
    for repr in (False, True)
]


def outcome(act: Callable[[], Any]) -> Any:
    """What an act gives, or that it is refused: of an unknown attribute the standard one says so by chance."""
    try:
        return act()
    except (TypeError, AttributeError, ValueError):
        return "refused"


@pytest.mark.parametrize("options", OPTIONS, ids=str)
@pytest.mark.parametrize("shape", [point, derived])
def test_it_behaves_as_the_standard_one(shape: Callable[..., Any], options: dict[str, bool]) -> None:
    ours, theirs = shape(dataclass, **options), shape(dataclasses.dataclass, **options)
    assert [f.name for f in dataclasses.fields(ours)] == [f.name for f in dataclasses.fields(theirs)]
    assert ours.__match_args__ == theirs.__match_args__
    assert ("__dict__" in dir(ours(1))) == ("__dict__" in dir(theirs(1)))
    acts: list[Callable[[Any], Any]] = [
        lambda c: dataclasses.astuple(c(1)),
        lambda c: dataclasses.astuple(c(1, 5, ["a"])),
        lambda c: dataclasses.astuple(c(y=5, x=3)),
        lambda c: dataclasses.astuple(dataclasses.replace(c(1, 5, ["a"]), x=9)),
        lambda c: dataclasses.astuple(copy.deepcopy(c(1, 5, ["a"]))),
        lambda c: c(1) == c(1),
        lambda c: c(1) == c(2),
        lambda c: c(1) != 1,
        lambda c: c(1)._seen,
        lambda c: c(1).tags is c(1).tags,
        lambda c: c(),
        lambda c: c(1, 2, [], 4, 5, 6),
        lambda c: c(1, w=1),
        lambda c: c(1, z=101),
        lambda c: c.__hash__ is None,
        lambda c: hash(c(1, 2, ())) == hash(c(1, 2, ())),
        lambda c: setattr(c(1), "x", 5),
        lambda c: setattr(c(1), "nothing", 5),
        lambda c: delattr(c(1), "x"),
        lambda c: "x=1, y=2" in repr(c(1)),
    ]
    for number, act in enumerate(acts):
        assert outcome(partial(act, ours)) == outcome(partial(act, theirs)), f"act {number}"


def test_what_a_class_defines_itself_stays() -> None:
    @dataclass(frozen=True, slots=True)
    class Word:
        """Text whose case does not count."""

        text: str

        def __eq__(self, other: object) -> bool:
            return isinstance(other, Word) and self.text.lower() == other.text.lower()

        def __hash__(self) -> int:
            return 5

        def __repr__(self) -> str:
            return "a word"

    assert Word("A") == Word("a")
    assert hash(Word("A")) == 5
    assert repr(Word("A")) == "a word"


def test_without_options_and_without_fields() -> None:
    @dataclass
    class Plain:
        """One that can be changed."""

        x: int = 1

    @dataclass(frozen=True, slots=True)
    class Empty:
        """Nothing at all."""

    plain = Plain()
    plain.x = 4
    assert plain == Plain(4)
    assert Empty() == Empty()
    assert repr(Empty()).endswith("Empty()")


@dataclass(frozen=True, slots=True)
class Kept:
    """A fact that is written to a file."""

    x: int
    y: tuple[int, ...] = ()


def test_a_frozen_fact_can_be_pickled() -> None:
    assert pickle.loads(pickle.dumps(Kept(1, (2,)))) == Kept(1, (2,))


def test_one_that_holds_itself_has_a_repr() -> None:
    @dataclass(slots=True)
    class Ring:
        """A link."""

        next: Any = None

    ring = Ring()
    ring.next = ring
    assert "..." in repr(ring)


def test_the_first_calls_may_come_from_many_threads() -> None:
    for _ in range(50):
        make = derived(dataclass, frozen=True, slots=True)
        with ThreadPoolExecutor(4) as pool:
            assert [one.x for one in pool.map(make, range(4))] == [0, 1, 2, 3]


@pytest.mark.parametrize("before", range(7))
@pytest.mark.parametrize("frozen", [False, True])
def test_an_instance_is_made_alike_however_many_there_were(before: int, frozen: bool) -> None:
    acts: list[Callable[[Any], Any]] = [
        lambda c: dataclasses.astuple(c(1)),
        lambda c: dataclasses.astuple(c(1, z=5, tags=["a"])),
        lambda c: c(1).tags is c(1).tags,
        lambda c: c(1, 2, [], 4, 5),
        lambda c: c(),
        lambda c: c(1, x=1),
        lambda c: c(1, _seen=1),
        lambda c: c(1, w=1),
        lambda c: c(1, z=101),
        lambda c: setattr(c(1), "x", 5),
    ]
    for number, act in enumerate(acts):
        ours, theirs = (derived(make, frozen=frozen, slots=True) for make in (dataclass, dataclasses.dataclass))
        for _ in range(before):
            ours(3)
        assert outcome(partial(act, ours)) == outcome(partial(act, theirs)), f"act {number}"


def test_a_wrong_operand_is_named_from_the_first_instance_on() -> None:
    ours = derived(dataclass, frozen=True, slots=True)
    with pytest.raises(TypeError, match=r"__init__\(\) got an unexpected keyword argument 'w'"):
        ours(1, w=1)


def test_what_belongs_to_the_class_is_no_field() -> None:
    @dataclass(frozen=True, slots=True)
    class Counted:
        """A fact, and how many there may be."""

        most: ClassVar[int] = 3
        least: typing.ClassVar = 1
        number: int = 0

    assert [field.name for field in dataclasses.fields(Counted)] == ["number"]
    assert (Counted.most, Counted.least, Counted(5)) == (3, 1, Counted(number=5))


def test_what_the_standard_library_asks_for_is_there() -> None:
    made: object = point(dataclass, frozen=True, slots=True)
    assert dataclasses.is_dataclass(made)
    Point: Any = made
    assert [(field.name, field.init, field.compare) for field in dataclasses.fields(Point)][2:] == [
        ("tags", True, True),
        ("_seen", False, False),
    ]
    assert dataclasses.asdict(Point(1)) == {"x": 1, "y": 2, "tags": [], "_seen": 7}
    assert Point(1).__replace__(y=3) == Point(1, 3)
    match Point(1, 4):
        case Point(x, y):
            assert (x, y) == (1, 4)


def test_a_standard_one_can_stand_on_ours() -> None:
    @dataclasses.dataclass(slots=True)
    class Wide(point(dataclass, slots=True)):  # type: ignore[misc]
        """A place with a width."""

        width: int = 1

    assert dataclasses.astuple(Wide(5, width=2)) == (5, 2, [], 7, 2)
