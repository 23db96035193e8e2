"""What every instance of a module begins with: worked out once, so that making an instance does only what is its own.

Tables that no other module can see and whose first contents cannot trap are filled when somebody looks at them: on the
native tier, where code has such a table in it, hardly ever. Source: WebAssembly core specification, section 4.5.4
(instantiation). Never: changes when a trap comes, or state of an instance.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NoReturn

from contractvm.dataclass import dataclass
from contractvm.errors import Fatal
from contractvm.wasm.constant import evaluate, is_fixed
from contractvm.wasm.externs import PAGE
from contractvm.wasm.module import FUNC, TABLE, Code, Module

GAP = 256
"""Zero bytes between two segments that are rather written once more than made two pieces."""


@dataclass(frozen=True, slots=True)
class Beginning:
    """Facts of a valid module."""

    image: tuple[tuple[int, int, bytearray], ...] | None
    """What the active data segments write to new memory, in pieces, each with its first byte and its end; None when
    they must be written one by one. Nobody changes them: as `bytes` they would be copied twice."""
    data: tuple[bytes, ...]
    """Contents of all data segments once the active ones are written."""
    globals: tuple[Any, ...] | None
    """Values of the module's own globals; None when they are not the same numbers in every instance."""
    changing: tuple[int, ...]
    """Which of those globals are mutable."""
    late: bool
    """Whether tables may be filled when somebody looks at them."""
    functions: bool
    """Whether it imports functions alone."""
    exports: Mapping[str, tuple[int, int]]
    """Kind and index of each export."""


def beginning(module: Module) -> Beginning:
    """Work it out."""
    numbers = [_number(definition.init) for definition in module.globals]
    return Beginning(
        image=_image(module),
        data=tuple(b"" if segment.mode == "active" else segment.content for segment in module.data),
        globals=None if None in numbers else tuple(numbers),
        changing=tuple(n for n, definition in enumerate(module.globals) if definition.type.mutable),
        late=_late(module),
        functions=all(wanted.kind == FUNC for wanted in module.imports),
        exports=MappingProxyType({e.name: (e.kind, e.index) for e in module.exports}),
    )


def _number(code: Code) -> int | None:
    """The value of a constant expression that is the same number in every instance."""
    return evaluate(code, (), _no_function) if is_fixed(code) else None


def _no_function(index: int) -> NoReturn:
    raise Fatal(f"a fixed expression refers to function {index}")


def _late(module: Module) -> bool:
    if any(wanted.kind == TABLE for wanted in module.imports) or any(e.kind == TABLE for e in module.exports):
        return False
    for element in module.elements:
        if element.mode == "active" and element.at is not None:
            at = _number(element.at)
            if at is None or at + len(element.items) > module.tables[element.table].limit.minimum:
                return False
    return True


def _image(module: Module) -> tuple[tuple[int, int, bytearray], ...] | None:
    size = module.memories[0].minimum * PAGE if module.memories else 0
    pieces: list[tuple[int, bytearray]] = []
    highest = 0
    for segment in module.data:
        if segment.at is None:
            continue
        at, content = _number(segment.at), segment.content
        if at is None or at + len(content) > size:
            return None
        first, piece = pieces[-1] if pieces else (0, bytearray())
        # Zeros between two segments are no other's bytes as long as none before them reaches so far.
        if pieces and highest <= first + len(piece) <= at <= first + len(piece) + GAP:
            piece += bytes(at - first - len(piece))
            piece += content
        else:
            pieces.append((at, bytearray(content)))
        highest = max(highest, at + len(content))
    return tuple((at, at + len(piece), piece) for at, piece in pieces)
