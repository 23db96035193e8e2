"""Dataclasses that cost little to import: their methods are made when they are first called.

The standard decorator writes and compiles six functions for every frozen class, which takes half a millisecond, and a
process calls few of them: they were more than half of what importing the engine took. Here a class gets its slots, and
no more. `__init__` is compiled, as code that classes share, for the fifth instance: of most classes there are fewer.
Comparison, hash and repr read the fields. What `dataclasses.fields` gives, the standard decorator makes when somebody
asks. Type checkers see the standard decorator. Source: Python's library reference, "dataclasses".
Never: knows `order`, `kw_only` or `InitVar`: classes that need them use the standard one.
"""

from __future__ import annotations

import dataclasses
import inspect
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import MISSING, FrozenInstanceError
from functools import cache, partial
from operator import attrgetter
from reprlib import recursive_repr
from types import FunctionType
from typing import TYPE_CHECKING, Any, ClassVar, Final

_FACTORY: Final = object()
"""Stands for an operand that was not given and is made anew each time."""
_FEW: Final = 4
"""Instances that are made without compiling anything: together they take a fraction of what compiling takes."""


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
    annotations = {name: kind for name, kind in _annotations(plain).items() if not _of_the_class(kind)}
    values = {name: own[name] for name in annotations if name in own}
    fields = _inherited(plain) | {name: _Field(name, values.get(name, MISSING)) for name in annotations}
    cls = _slotted(plain, fields, weakref_slot) if slots else _with_defaults(plain, values)
    operands = tuple(name for name, field in fields.items() if field.init)
    methods: dict[str, Any] = {
        "_fields_": fields,
        "__dataclass_fields__": _Later(cls, annotations, values),
        "__match_args__": operands,
        "__init__": _first_init(cls, operands),
        "__replace__": dataclasses.replace,
    }
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


class _Field:
    """What the methods made here know of a field: `value` is its default, or what makes it.

    `kind`, how it gets its value: p, from its parameter; d, the same, with a default; f, the same, made anew; c and m,
    no parameter, a constant or made anew; none, it is not set.
    """

    __slots__ = ("compare", "init", "kind", "name", "repr", "value")

    def __init__(self, name: str, given: Any) -> None:
        self.name = name
        self.init = self.compare = self.repr = True
        self.value = given
        made = False
        if isinstance(given, dataclasses.Field):
            self.init, self.compare, self.repr = given.init, given.compare, given.repr
            made = given.default_factory is not MISSING
            self.value = given.default_factory if made else given.default
        if made:
            self.kind = "f" if self.init else "m"
        elif self.value is not MISSING:
            self.kind = "d" if self.init else "c"
        else:
            self.kind = "p" if self.init else ""


class _Later:
    """Stands for a class's `__dataclass_fields__` until somebody asks."""

    __slots__ = ("_cls", "_namespace")

    def __init__(self, cls: type, annotations: dict[str, Any], values: dict[str, Any]) -> None:
        self._cls: Any = cls
        self._namespace = {"__module__": cls.__module__, "__doc__": "", "__annotations__": annotations, **values}

    def __get__(self, instance: object, owner: type) -> dict[str, dataclasses.Field[Any]]:
        cls = self._cls
        shape: Any = type(cls.__name__, cls.__bases__, dict(self._namespace))
        shape = dataclasses.dataclass(init=False, repr=False, eq=False, match_args=False)(shape)
        cls.__dataclass_params__ = shape.__dataclass_params__
        cls.__dataclass_fields__ = fields = shape.__dataclass_fields__
        return fields  # type: ignore[no-any-return]


def _annotations(plain: type) -> dict[str, Any]:
    """A class's own annotations."""
    if sys.version_info >= (3, 14):
        import annotationlib

        return annotationlib.get_annotations(plain, format=annotationlib.Format.FORWARDREF)
    return inspect.get_annotations(plain)


def _of_the_class(annotation: Any) -> bool:
    """Whether an annotation is a `ClassVar`: written down, or as text."""
    if isinstance(annotation, str):
        return annotation.partition("[")[0].endswith("ClassVar")
    return getattr(annotation, "__origin__", annotation) is ClassVar


def _inherited(plain: type) -> dict[str, _Field]:
    """The fields of a class's bases."""
    fields: dict[str, _Field] = {}
    for base in plain.__mro__[:0:-1]:
        fields |= base.__dict__.get("_fields_", {})
    return fields


def _slotted(plain: type, fields: Mapping[str, _Field], weakref_slot: bool) -> type:
    """The same class with slots for the fields, inherited ones too where the bases have none."""
    there = {slot for base in plain.__mro__[1:] for slot in _slots(base)}
    wanted = [*fields, "__weakref__"] if weakref_slot else [*fields]
    dropped = {*wanted, "__dict__", "__weakref__"}
    namespace = {name: value for name, value in plain.__dict__.items() if name not in dropped}
    namespace["__slots__"] = tuple(name for name in wanted if name not in there)
    cls = type(plain)(plain.__name__, plain.__bases__, namespace)
    cls.__qualname__ = plain.__qualname__
    return cls


def _slots(base: type) -> Sequence[str]:
    """The slots of a base class."""
    slots: str | Sequence[str] = base.__dict__.get("__slots__", ())
    return (slots,) if isinstance(slots, str) else slots


def _with_defaults(plain: type, values: Mapping[str, Any]) -> type:
    """The class with the defaults of its fields as attributes, where they are described and not written."""
    for name, value in values.items():
        if isinstance(value, dataclasses.Field):
            if value.default is MISSING:
                delattr(plain, name)
            else:
                setattr(plain, name, value.default)
    return plain


def _first(cls: type, name: str, make: Callable[[type], Callable[..., Any]]) -> Callable[..., Any]:
    """A method that makes the real one, puts it in its place and goes on there."""

    def first(self: object, /, *operands: Any, **named: Any) -> Any:
        method = make(cls)
        method.__name__, method.__qualname__ = name, f"{cls.__qualname__}.{name}"
        setattr(cls, name, method)
        return method(self, *operands, **named)

    return first


def _first_init(cls: type, names: Sequence[str]) -> Callable[..., None]:
    """An `__init__` that needs no code of its own; after `_FEW` instances it puts one in its place that has it."""
    compiled = _first(cls, "__init__", _init)
    made = 0

    def first(self: object, /, *operands: Any, **named: Any) -> None:
        nonlocal made
        made += 1
        given = dict(zip(names, operands, strict=False)) | named
        fits = made <= _FEW and len(given) == len(operands) + len(named)
        if not fits or not _set_one_by_one(self, cls, given):
            compiled(self, *operands, **named)

    return first


def _set_one_by_one(self: object, cls: Any, given: dict[str, Any]) -> bool:
    """Do what `__init__` does; or nothing, where the operands do not fit: a function of its own says it better."""
    values: dict[str, Any] = {}
    used = 0
    for name, field in cls._fields_.items():
        kind = field.kind
        if field.init and name in given:
            values[name] = given[name]
            used += 1
        elif kind == "p":
            return False
        elif kind:
            values[name] = field.value if kind in "dc" else field.value()
    if used != len(given):
        return False
    set_one = object.__setattr__ if cls.__setattr__ is _refuse_set else setattr
    for name, value in values.items():
        set_one(self, name, value)
    if hasattr(cls, "__post_init__"):
        cls.__post_init__(self)
    return True


def _init(cls: type) -> Callable[..., None]:
    """The class's `__init__`: frozen fields are set by their slots' own setters, which the class does not forbid.

    Its code is that of every class whose fields are of the same kinds, with this one's names in it.
    """
    frozen = getattr(cls, "__setattr__", None) is _refuse_set
    fields = [field for field in _fields(cls) if field.kind]
    given = [field for field in fields if field.init]
    kinds = "".join(field.kind for field in fields).replace("d", "p")  # a default is no part of the code
    make = _maker(kinds, frozen, hasattr(cls, "__post_init__"))
    method: FunctionType = make(
        *(_setter(cls, field.name) if frozen else None for field in fields), *(field.value for field in fields)
    )
    names = {f"a{n}": field.name for n, field in enumerate(fields)}
    code = method.__code__
    method.__code__ = code.replace(
        co_name="__init__",
        co_varnames=tuple(names.get(name, name) for name in code.co_varnames),
        co_names=tuple(names.get(name, name) for name in code.co_names),
    )
    method.__defaults__ = tuple(_FACTORY if f.kind == "f" else f.value for f in given if f.kind != "p")
    return method


def _fields(cls: Any) -> list[_Field]:
    return [*cls._fields_.values()]


def _setter(cls: type, name: str) -> Callable[[object, Any], None]:
    """Sets a field of a frozen class."""
    setter = getattr(getattr(cls, name, None), "__set__", None)
    return partial(_set, name) if setter is None else setter


def _set(name: str, self: object, value: Any) -> None:
    object.__setattr__(self, name, value)


@cache
def _maker(kinds: str, frozen: bool, checked: bool) -> Callable[..., Any]:
    """What makes an `__init__` for fields of these kinds out of their setters and values."""
    values = {"p": "a{n}", "f": "v{n}() if a{n} is _FACTORY else a{n}", "c": "v{n}", "m": "v{n}()"}
    setting = "s{n}(self, {value})" if frozen else "self.a{n} = {value}"
    body = [setting.format(n=n, value=values[kind].format(n=n)) for n, kind in enumerate(kinds)]
    body += ["self.__post_init__()"] if checked else []
    outer = ", ".join([f"{letter}{n}" for letter in "sv" for n in range(len(kinds))])
    inner = ", ".join(["self", *(f"a{n}" for n, kind in enumerate(kinds) if kind in "pf")])
    names: dict[str, Any] = {"_FACTORY": _FACTORY}
    lines = "\n  ".join(body or ["pass"])
    exec(f"def make({outer}):\n def __init__({inner}):\n  {lines}\n return __init__", names)
    return names["make"]  # type: ignore[no-any-return]


def _compared(cls: type) -> Callable[[object], Any]:
    """Reads the fields that are compared: a tuple of them, or the only one."""
    names = [field.name for field in _fields(cls) if field.compare]
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
    shown = [f"{field.name}={getattr(self, field.name)!r}" for field in _fields(type(self)) if field.repr]
    return f"{type(self).__qualname__}({', '.join(shown)})"


def _refuse_set(self: object, name: str, value: object) -> None:
    """Raises: FrozenInstanceError."""
    raise FrozenInstanceError(f"cannot assign to field {name!r}")


def _refuse_delete(self: object, name: str) -> None:
    """Raises: FrozenInstanceError."""
    raise FrozenInstanceError(f"cannot delete field {name!r}")


def _state(self: Any) -> list[Any]:
    return [getattr(self, field.name) for field in _fields(type(self))]


def _set_state(self: Any, state: list[Any]) -> None:
    for field, value in zip(_fields(type(self)), state, strict=True):
        object.__setattr__(self, field.name, value)


if TYPE_CHECKING:
    from dataclasses import dataclass as dataclass
else:
    dataclass = _dataclass
