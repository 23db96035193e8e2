"""Makes a failing case smaller while it still fails: fewer calls, emptied functions, fewer instructions, plain numbers.

Every candidate passes through the encoder, the decoder and the validator; one that is not valid is not tried.
Source: the idea is delta debugging (Zeller, Hildebrandt 2002).
Never: changes what kind of failure is kept; the caller's predicate decides that.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial

from contractvm.errors import ModuleError
from contractvm.rules import bare_rules
from contractvm.wasm.decode import decode
from contractvm.wasm.encode import encode
from contractvm.wasm.module import Code, Function, Module
from contractvm.wasm.opcodes import BY_NAME
from contractvm.wasm.validate import validate
from tests.fuzz.generate import Case

END, UNREACHABLE = BY_NAME["end"].code, BY_NAME["unreachable"].code
OPENERS = frozenset(BY_NAME[name].code for name in ("block", "loop", "if"))
CONSTANTS = frozenset(BY_NAME[name].code for name in ("i32.const", "i64.const"))

Fails = Callable[[Case], bool]


def shrink(case: Case, fails: Fails, attempts: int = 2_000) -> Case:
    """The smallest case found that still fails, within a number of tries.

    After a step that worked the search goes on where it was; what did not work before is tried again in a last round.
    """
    tried, position, improved = 0, 0, False
    while tried < attempts:
        for number, simpler in enumerate(_simplifications(case)):
            if number < position:
                continue
            candidate = simpler()
            tried += candidate is not None
            if candidate is not None and fails(candidate):
                case, position, improved = candidate, number, True
                break
        else:
            if not improved:
                break
            position, improved = 0, False
    return case


def _simplifications(case: Case) -> Iterator[Callable[[], Case | None]]:
    """Ways to a simpler case, the boldest first; each gives None when its module would not be valid."""
    for i in reversed(range(len(case.calls))):
        yield partial(case.without, i)
    called = {name for name, _ in case.calls}
    module = decode(case.wasm, bare_rules())
    for smaller in _modules(module, called):
        yield partial(_case, case, smaller)


def _case(case: Case, module: Module) -> Case | None:
    wasm = _valid(module)
    return None if wasm is None else replace(case, wasm=wasm)


def _valid(module: Module) -> bytes | None:
    """The module's bytes if it is valid."""
    wasm = encode(module)
    try:
        validate(decode(wasm, bare_rules()), bare_rules())
    except ModuleError:
        return None
    return wasm


def _modules(module: Module, called: set[str]) -> Iterator[Module]:
    for segments in ("elements", "data"):
        if getattr(module, segments):
            smaller = copy.copy(module)
            setattr(smaller, segments, getattr(module, segments)[:-1])
            smaller.data_count = None if module.data_count is None else len(smaller.data)
            yield smaller
    for i, export in enumerate(module.exports):
        if export.name in called:
            continue
        smaller = copy.copy(module)
        smaller.exports = module.exports[:i] + module.exports[i + 1 :]
        yield smaller
    for i, function in enumerate(module.functions):
        for code in _codes(function.code):
            yield _with(module, i, replace(function, code=code))
        if function.locals:
            yield _with(module, i, replace(function, locals=function.locals[:-1]))


def _with(module: Module, index: int, function: Function) -> Module:
    smaller = copy.copy(module)
    smaller.functions = [*module.functions[:index], function, *module.functions[index + 1 :]]
    return smaller


def _codes(code: Code) -> Iterator[Code]:
    """Simpler bodies: nothing but a trap, without a stretch, without a block's brackets, with smaller constants."""
    size = len(code.ops) - 1
    if size > 1:
        yield Code([UNREACHABLE, END], [None, None], [0, 0])
    stretch = size
    while stretch:
        for start in range(0, size, stretch):
            yield _without(code, range(start, min(start + stretch, size)))
        stretch //= 2
    for start, op in enumerate(code.ops):
        if op in OPENERS:
            yield _without(code, (start, _matching_end(code, start)))
        elif op in CONSTANTS and code.imms[start] not in (0, 1):
            for value in (0, 1):
                imms = [*code.imms[:start], value, *code.imms[start + 1 :]]
                yield Code(code.ops, imms, code.offsets)


def _without(code: Code, dropped: range | tuple[int, ...]) -> Code:
    kept = [i for i in range(len(code.ops)) if i not in dropped]
    return Code([code.ops[i] for i in kept], [code.imms[i] for i in kept], [0] * len(kept))


def _matching_end(code: Code, start: int) -> int:
    depth = 0
    for i in range(start, len(code.ops)):
        depth += code.ops[i] in OPENERS
        depth -= code.ops[i] == END
        if depth == 0:
            return i
    raise ValueError("a block without its end")
