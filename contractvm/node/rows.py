"""A method of the node: its name, parameters, result and handler, in one row; and how a row is called.

The rows feed the dispatcher, the OpenRPC document, `rpc_modules`, the fuzzer and `docs/rpc.md`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar

from contractvm.node.fault import Fault, bad_params
from contractvm.node.values import Kind

H = TypeVar("H", bound=Callable[..., Any])


class _Required:
    """The absence of a default."""


REQUIRED: Final = _Required()


@dataclass(frozen=True, slots=True)
class Param:
    """A parameter; without a `default` it must be there. null counts as absent where there is a default."""

    name: str
    kind: Kind
    default: Any = REQUIRED

    @property
    def required(self) -> bool:
        """Whether it must be given."""
        return self.default is REQUIRED


@dataclass(frozen=True, slots=True)
class Method:
    """A row. `handler` takes the node, the session first if `session`, and the parameters; it returns the result or an
    awaitable of it. `result` says what that is; `aliases` are other names of the same.
    """

    name: str
    params: tuple[Param, ...]
    result: str
    handler: Callable[..., Any | Awaitable[Any]]
    summary: str
    aliases: tuple[str, ...] = ()
    session: bool = False
    _readers: tuple[Callable[[Any], Any], ...] = field(init=False, repr=False, compare=False)
    _defaults: list[Any] = field(init=False, repr=False, compare=False)
    _least: int = field(init=False, repr=False, compare=False)
    """Parameters up to the last one that must be there."""

    def __post_init__(self) -> None:
        params = self.params
        object.__setattr__(self, "_readers", tuple(param.kind.read for param in params))
        object.__setattr__(self, "_defaults", [param.default for param in params])
        object.__setattr__(self, "_least", max((n for n, param in enumerate(params, 1) if param.required), default=0))

    def read(self, given: object) -> list[Any]:
        """The parameters in order, from a list, an object by name, or nothing. Raises: Fault."""
        if isinstance(given, list):
            values = given
        elif isinstance(given, dict):
            values = self._by_name(given)
        elif given is None:
            values = []
        else:
            raise bad_params("params must be a list or an object")
        count = len(values)
        if count > len(self.params):
            raise bad_params(f"{self.name} takes {self._count()}, {count} given")
        read, readers = self._defaults.copy(), self._readers
        for place in range(count):
            value = values[place]
            if value is not None:
                read[place] = readers[place](value)
            elif read[place] is REQUIRED:
                raise self._missing(place)
        if count < self._least:
            raise self._missing(read.index(REQUIRED, count))
        return read

    def _by_name(self, given: Mapping[str, Any]) -> list[Any]:
        unknown = given.keys() - {param.name for param in self.params}
        if unknown:
            raise bad_params(f"{self.name} has no parameter {sorted(unknown)[0]!r}; it takes {self._count()}")
        return [given.get(param.name) for param in self.params]

    def _missing(self, place: int) -> Fault:
        return bad_params(f"missing value for required argument {self.params[place].name!r} of {self.name}")

    def _count(self) -> str:
        names = ", ".join(param.name if param.required else f"[{param.name}]" for param in self.params)
        return f"({names})" if names else "no parameters"


class Rows:
    """The methods of one module, as its functions are written down."""

    def __init__(self) -> None:
        self.methods: list[Method] = []

    def method(
        self, name: str, *params: Param, result: str, aliases: Sequence[str] = (), session: bool = False
    ) -> Callable[[H], H]:
        """Make a function a method; the first line of its docstring says what it is for."""

        def add(handler: H) -> H:
            summary = (handler.__doc__ or "").strip().split("\n")[0]
            self.methods.append(Method(name, params, result, handler, summary, tuple(aliases), session))
            return handler

        return add
