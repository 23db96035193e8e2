"""Factories of the portable tier: one Python function that closes all of a module's known functions over an instance.

Making functions one by one from their code costs an instance more than running a short contract. So once functions
have been generated, a function `make` is compiled that holds a placeholder for each, with the same free variables,
and the real code takes the placeholders' places. Calling `make` then binds everything in a few bytecodes a function.
Never: generates code of a wasm function.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import CodeType

from contractvm.errors import Fatal
from contractvm.wasm.compiled import Compiled

SMALLEST = 4
"""Misses before a factory is worth building again."""

_BOUNCE = """  def f{index}({weight}):
   result = b{index}({weight})
   while result.__class__ is Tail: result = result.enter()
   return result
"""
_STUB = "  def f{index}({weight}): return define({index})({weight})\n"


@dataclass(frozen=True, slots=True)
class Factory:
    """The code of `make`, which takes imported functions and returns the module's."""

    code: CodeType
    imports: tuple[int, ...]
    """Indices of the imported functions that `make` takes."""
    positions: dict[int, tuple[int, int]]
    """Function index -> where its entry and its body are in what `make` returns."""


def factory_for(compiled: Compiled) -> Factory | None:
    """Return the module's factory, built anew when functions made without it have paid for that."""
    found = compiled.factory
    size = 0 if found is None else len(found.positions)
    if compiled.misses > max(SMALLEST, size // 2):
        found = compiled.factory = _build(compiled)
        compiled.misses = 0
    return found


def _build(compiled: Compiled) -> Factory:
    first = compiled.module.imported_functions
    codes = {index: made.code for index, made in sorted(compiled.generated.items())}
    names = {name for code in codes.values() for name in code.co_freevars}
    functions = {int(name[1:]) for name in names if name[0] == "f"}
    imports = tuple(sorted(index for index in functions if index < first))
    cells = sorted({name for name in names if name[0] != "f"} | {"define"})
    source: list[str] = []
    returned: list[str] = []
    positions: dict[int, tuple[int, int]] = {}
    bodies: dict[str, CodeType] = {}
    for index, code in codes.items():
        tail = compiled.generated[index].tail
        body = f"b{index}" if tail else f"f{index}"
        bodies[body] = code
        source.append(f"  def {body}(): return ({''.join(name + ', ' for name in code.co_freevars)})\n")
        if tail:
            source.append(_BOUNCE.format(index=index, weight=_operands(compiled, index)))
        positions[index] = len(returned) + tail, len(returned)
        returned += [body, f"f{index}"] if tail else [body]
    for index in sorted(functions - codes.keys() - set(imports)):
        source.append(_STUB.format(index=index, weight=_operands(compiled, index)))
    text = (
        f"def outer({', '.join(cells)}):\n"
        f" def make({', '.join(f'f{index}' for index in imports)}):\n"
        f"{''.join(source)}"
        f"  return ({''.join(name + ', ' for name in returned)})\n"
    )
    outer = _inner(compile(text, "<wasm factory>", "exec"), "outer")
    make = _inner(outer, "make")
    return Factory(make.replace(co_consts=tuple(_real(c, bodies) for c in make.co_consts)), imports, positions)


def _operands(compiled: Compiled, index: int) -> str:
    return ", ".join([*(f"a{n}" for n in range(len(compiled.module.signature(index).params))), "sp"])


def _inner(code: CodeType, name: str) -> CodeType:
    return next(c for c in code.co_consts if isinstance(c, CodeType) and c.co_name == name)


def _real(constant: object, bodies: dict[str, CodeType]) -> object:
    """The code that a placeholder stands for; everything else as it is."""
    if not isinstance(constant, CodeType) or constant.co_name not in bodies:
        return constant
    real = bodies[constant.co_name]
    if real.co_freevars != constant.co_freevars:
        raise Fatal(f"CPython orders the free variables of {constant.co_name} otherwise than expected")
    return real
