"""A method of the node: its name, parameters, result and handler, in one row; and how a row is called.

The rows feed the dispatcher, the OpenRPC document, `rpc_modules`, the fuzzer and `docs/rpc.md`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from contractvm.node.fault import bad_params
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

    def read(self, given: object) -> list[Any]:
        """The parameters in order, from a list, an object by name, or nothing. Raises: Fault."""
        params = self.params
        match given:
            case None:
                values: Sequence[Any] = ()
            case list():
                values = given
            case dict():
                return self._by_name(given)
            case _:
                raise bad_params("params must be a list or an object")
        if len(values) > len(params):
            raise bad_params(f"{self.name} takes {self._count()}, {len(values)} given")
        read = []
        for place, param in enumerate(params):
            value = values[place] if place < len(values) else None
            read.append(self._value(param, value))
        return read

    def _by_name(self, given: Mapping[str, Any]) -> list[Any]:
        unknown = given.keys() - {param.name for param in self.params}
        if unknown:
            raise bad_params(f"{self.name} has no parameter {sorted(unknown)[0]!r}; it takes {self._count()}")
        return [self._value(param, given.get(param.name)) for param in self.params]

    def _value(self, param: Param, value: Any) -> Any:
        if value is None:
            if param.required:
                raise bad_params(f"missing value for required argument {param.name!r} of {self.name}")
            return param.default
        return param.kind.read(value)

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
