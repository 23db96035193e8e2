"""Dataclasses that cost little to import: their methods are made when they are first called.

The standard decorator writes and compiles six functions for every frozen class, which takes half a millisecond, and a
process calls few of them: they were more than half of what importing the engine took. Here it collects the fields and
adds the slots; `__init__` is made on the first call, of code that classes share, and comparison, hash and repr read the
fields. Type checkers see the standard decorator. Source: Python's library reference, "dataclasses".
Never: knows `order`, `kw_only` or `InitVar`: classes that need them use the standard one.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import MISSING, FrozenInstanceError
from functools import cache, partial
from operator import attrgetter
from reprlib import recursive_repr
from types import FunctionType
from typing import TYPE_CHECKING, Any, Final

_FACTORY: Final = object()
"""Stands for an operand that was not given and is made anew each time."""


def _dataclass(
    cls: type | None = None,
    /,
    *,
    frozen: bool = False,
    slots: bool = False,
    eq: bool = True,
    repr: bool = True,
    weakref_slot: bool = False,
) -> Any:
    """Make a class's methods from its fields; the options mean what they mean in the standard library."""

    def made(plain: type) -> type:
        return _made(plain, frozen, slots, eq, repr, weakref_slot)

    return made if cls is None else made(cls)


def _made(plain: type, frozen: bool, slots: bool, eq: bool, repr: bool, weakref_slot: bool) -> type:
    own = plain.__dict__
    hashable = own.get("__hash__") is not None or ("__hash__" in own and "__eq__" not in own)
    collect = dataclasses.dataclass(init=False, repr=False, eq=False, slots=slots, weakref_slot=weakref_slot)
    cls: type = collect(plain)
    methods: dict[str, Any] = {"__init__": _first(cls, "__init__", _init)}
    if repr:
        methods["__repr__"] = _repr
    if eq:
        methods["__eq__"] = _first(cls, "__eq__", _eq)
        if not hashable:
            methods["__hash__"] = _first(cls, "__hash__", _hash) if frozen else None
    if frozen:
        methods |= {"__setattr__": _refuse_set, "__delattr__": _refuse_delete}
        if slots:
            methods |= {"__getstate__": _state, "__setstate__": _set_state}
    for name, method in methods.items():
        if name not in cls.__dict__ or (name == "__hash__" and not hashable):
            setattr(cls, name, method)
    return cls


def _first(cls: type, name: str, make: Callable[[type], Callable[..., Any]]) -> Callable[..., Any]:
    """A method that makes the real one, puts it in its place and goes on there."""

    def first(self: object, /, *operands: Any, **named: Any) -> Any:
        method = make(cls)
        method.__name__, method.__qualname__ = name, f"{cls.__qualname__}.{name}"
        setattr(cls, name, method)
        return method(self, *operands, **named)

    return first


def _init(cls: type) -> Callable[..., None]:
    """The class's `__init__`: frozen fields are set by their slots' own setters, which the class does not forbid.

    Its code is that of every class whose fields are of the same kinds, with this one's names in it.
    """
    frozen = getattr(cls, "__setattr__", None) is _refuse_set
    fields = [field for field in dataclasses.fields(cls) if _kind(field)]
    given = [field for field in fields if field.init]
    make = _maker("".join(_kind(field) for field in fields), frozen, hasattr(cls, "__post_init__"))
    method: FunctionType = make(
        *(_setter(cls, field.name) if frozen else None for field in fields), *map(_value, fields)
    )
    names = {f"a{n}": field.name for n, field in enumerate(fields)}
    code = method.__code__
    method.__code__ = code.replace(
        co_name="__init__",
        co_varnames=tuple(names.get(name, name) for name in code.co_varnames),
        co_names=tuple(names.get(name, name) for name in code.co_names),
    )
    method.__defaults__ = tuple(_FACTORY if "f" in _kind(f) else f.default for f in given if _kind(f) != "p")
    return method


def _kind(field: dataclasses.Field[Any]) -> str:
    """How a field gets its value.

    p: from its parameter; d: the same, with a default; f: the same, made anew; c, m: no parameter, a constant or made
    anew; nothing: it is not set.
    """
    if field.default_factory is not MISSING:
        return "f" if field.init else "m"
    if field.default is not MISSING:
        return "d" if field.init else "c"
    return "p" if field.init else ""


def _value(field: dataclasses.Field[Any]) -> Any:
    """What is needed for a field's value: the constant, or what makes it."""
    return field.default if field.default_factory is MISSING else field.default_factory


def _setter(cls: type, name: str) -> Callable[[object, Any], None]:
    """Sets a field of a frozen class."""
    setter = getattr(getattr(cls, name, None), "__set__", None)
    return partial(_set, name) if setter is None else setter


def _set(name: str, self: object, value: Any) -> None:
    object.__setattr__(self, name, value)


@cache
def _maker(kinds: str, frozen: bool, checked: bool) -> Callable[..., Any]:
    """What makes an `__init__` for fields of these kinds out of their setters and values."""
    values = {"p": "a{n}", "d": "a{n}", "f": "v{n}() if a{n} is _FACTORY else a{n}", "c": "v{n}", "m": "v{n}()"}
    setting = "s{n}(self, {value})" if frozen else "self.a{n} = {value}"
    body = [setting.format(n=n, value=values[kind].format(n=n)) for n, kind in enumerate(kinds)]
    body += ["self.__post_init__()"] if checked else []
    outer = ", ".join([f"{letter}{n}" for letter in "sv" for n in range(len(kinds))])
    inner = ", ".join(["self", *(f"a{n}" for n, kind in enumerate(kinds) if kind in "pdf")])
    names: dict[str, Any] = {"_FACTORY": _FACTORY}
    lines = "\n  ".join(body or ["pass"])
    exec(f"def make({outer}):\n def __init__({inner}):\n  {lines}\n return __init__", names)
    return names["make"]  # type: ignore[no-any-return]


def _compared(cls: type) -> Callable[[object], Any]:
    """Reads the fields that are compared: a tuple of them, or the only one."""
    names = [field.name for field in dataclasses.fields(cls) if field.compare]
    return attrgetter(*names) if names else lambda _: ()


def _eq(cls: type) -> Callable[[object, object], bool]:
    read = _compared(cls)

    def __eq__(self: object, other: object) -> bool:
        if other.__class__ is not self.__class__:
            return NotImplemented
        return bool(read(self) == read(other))

    return __eq__


def _hash(cls: type) -> Callable[[object], int]:
    read = _compared(cls)

    def __hash__(self: object) -> int:
        return hash(read(self))

    return __hash__


@recursive_repr()
def _repr(self: Any) -> str:
    shown = [f"{field.name}={getattr(self, field.name)!r}" for field in dataclasses.fields(self) if field.repr]
    return f"{type(self).__qualname__}({', '.join(shown)})"


def _refuse_set(self: object, name: str, value: object) -> None:
    """Raises: FrozenInstanceError."""
    raise FrozenInstanceError(f"cannot assign to field {name!r}")


def _refuse_delete(self: object, name: str) -> None:
    """Raises: FrozenInstanceError."""
    raise FrozenInstanceError(f"cannot delete field {name!r}")


def _state(self: Any) -> list[Any]:
    return [getattr(self, field.name) for field in dataclasses.fields(self)]


def _set_state(self: Any, state: list[Any]) -> None:
    for field, value in zip(dataclasses.fields(self), state, strict=True):
        object.__setattr__(self, field.name, value)


if TYPE_CHECKING:
    from dataclasses import dataclass as dataclass
else:
    dataclass = _dataclass
