"""Makes a module of an assembly: numbers what was named, encodes it, and says where in the source each byte is from.

Never: changes the order of anything; the same assembly gives the same bytes.
"""

from __future__ import annotations

from contractvm.dataclass import dataclass
from contractvm.errors import Invalid
from contractvm.rules import contract_rules
from contractvm.wasm.decode import decode
from contractvm.wasm.encode import encode, name, sized, unsigned, vector
from contractvm.wasm.module import (
    FUNC,
    I32,
    MEMORY,
    Code,
    Custom,
    Data,
    Export,
    Function,
    FuncType,
    Global,
    GlobalType,
    Import,
    Limit,
    Module,
)
from contractvm.wasm.opcodes import BY_NAME
from contractvm.wasm.validate import validate
from sdk.compiler.back.asm import HOST_TYPES, Assembly, Body, Defined
from sdk.compiler.back.tidy import tidy
from sdk.compiler.symbols import Span
from sdk.errors import BuildError

PAGE = 65_536
HOST_MODULE = "cvm1"


@dataclass(frozen=True, slots=True)
class Linked:
    """A module in bytes, without custom sections, and what debuggers want to know of it."""

    module: bytes
    names: Custom
    """The name section."""
    spans: tuple[tuple[int, Span | None], ...]
    """Byte offset in `module` of each instruction whose place differs from the one before, in order."""
    branches: tuple[tuple[int, Span, bool], ...]
    """Byte offset of each `br_if` and `if` that decides a test of the source, where the test is, and whether an i32
    other than 0 means that it holds."""


class TooLarge(BuildError):
    """A contract, or one function of it (by its name in the assembly), that is larger than the chain accepts."""

    def __init__(self, function: str, reason: str) -> None:
        super().__init__(f"{function or 'the contract'} is too large for the chain: {reason}")
        self.function = function


def link(assembly: Assembly) -> Linked:
    """Finish an assembly.

    Raises: TooLarge for what passes a limit of the chain; ValueError for code that is not well-formed: our bug.
    """
    assembly.write_routines()
    for defined in assembly.functions:
        tidy(_body(defined))
    module = Module()
    types: dict[FuncType, int] = {}

    def type_index(type_: FuncType) -> int:
        return types.setdefault(type_, len(types))

    indices: dict[object, int] = {}
    for imported in assembly.imports:
        indices[imported] = len(indices)
        module.imports.append(Import(HOST_MODULE, imported, FUNC, type_index(HOST_TYPES[imported]), 0))
    for defined in assembly.functions:
        indices[defined] = len(indices)
    for defined in assembly.functions:
        module.functions.append(_function(_body(defined), type_index(defined.type), indices, types))
    module.memories.append(Limit(-(-(assembly.heap + 1) // PAGE), None))
    module.globals += [
        Global(GlobalType(type_, True), _constant(type_, assembly.heap if initial is None else initial))
        for type_, initial in assembly.globals
    ]
    module.exports.append(Export("memory", MEMORY, 0))
    module.exports += [Export(exported, FUNC, indices[defined]) for exported, defined in assembly.exports]
    module.data += [Data("active", content, _constant(I32, address)) for address, content in assembly.static]
    module.types[:] = types
    encoded = encode(module)
    spans, branches = _places(assembly, _accepted(assembly, encoded))
    return Linked(encoded, _names(assembly, indices), spans, branches)


def _body(defined: Defined) -> Body:
    if defined.body is None:
        raise ValueError(f"function {defined.name} was declared and never written")
    return defined.body


def _function(body: Body, type_: int, indices: dict[object, int], types: dict[FuncType, int]) -> Function:
    ops, imms = [], []
    for instruction in body.code:
        imm = instruction.imm
        if isinstance(imm, FuncType):
            if imm.params or len(imm.results) > 1:
                types.setdefault(imm, len(types))
        elif instruction.name == "call":
            imm = indices[imm]
        ops.append(BY_NAME[instruction.name].code)
        imms.append(imm)
    ops.append(BY_NAME["end"].code)
    imms.append(None)
    return Function(type_, tuple(body.locals), Code(ops, imms, [0] * len(ops)), 0, 0)


def _constant(type_: int, value: int) -> Code:
    const = BY_NAME["i32.const" if type_ == I32 else "i64.const"].code
    return Code([const, BY_NAME["end"].code], [value, None], [0, 0])


def _names(assembly: Assembly, indices: dict[object, int]) -> Custom:
    """The name section: functions only."""
    entries = [unsigned(indices[defined]) + name(defined.name) for defined in assembly.functions]
    return Custom("name", b"\x01" + sized(vector(entries)))


def _accepted(assembly: Assembly, encoded: bytes) -> Module:
    """The module as the chain reads it when it is deployed. The decoder looks at sizes, the validator at types."""
    rules = contract_rules()
    try:
        module = decode(encoded, rules)
    except Invalid as refused:
        at = refused.place.function
        function = "" if at is None else assembly.functions[at - len(assembly.imports)].name
        raise TooLarge(function, refused.reason) from None
    try:
        validate(module, rules)
    except Invalid as wrong:
        raise ValueError(f"the code that was made is no WebAssembly: {wrong}") from wrong
    return module


def _places(
    assembly: Assembly, module: Module
) -> tuple[tuple[tuple[int, Span | None], ...], tuple[tuple[int, Span, bool], ...]]:
    """Spans and branches; the offsets are the decoder's, so that they are what traps and traces say."""
    spans: list[tuple[int, Span | None]] = []
    branches: list[tuple[int, Span, bool]] = []
    for defined, function in zip(assembly.functions, module.functions, strict=True):
        body = _body(defined)
        deciding = {id(branch.instruction): branch for branch in body.branches}
        before: Span | str | None = "none yet"
        for instruction, offset in zip(body.code, function.code.offsets, strict=False):
            if instruction.span != before:
                spans.append((offset, instruction.span))
                before = instruction.span
            branch = deciding.get(id(instruction))
            if branch is not None:
                branches.append((offset, branch.span, branch.when))
    return tuple(spans), tuple(branches)
