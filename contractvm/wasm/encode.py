"""Encodes a module: facts to bytes, in the one canonical form that decoding gives back.

Shortest integers, shortest segment forms, no empty sections, equal neighbouring locals grouped, custom sections where
they stood. Index spaces, offsets and sizes are not read: they follow from the rest.
Source: WebAssembly core specification, section 5 (binary format).
Never: validates. A module that no bytes can say is a ValueError; one that is merely invalid is written as it is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import groupby
from typing import Any

from contractvm.wasm.decode import MAGIC, VERSION
from contractvm.wasm.module import (
    FUNCREF,
    Code,
    Custom,
    Data,
    Element,
    Function,
    FuncType,
    Global,
    GlobalType,
    Import,
    Limit,
    Module,
    TableType,
)
from contractvm.wasm.opcodes import BY_CODE, BY_NAME

_REF_FUNC, _END = BY_NAME["ref.func"].code, BY_NAME["end"].code
_EMPTY_BLOCK = 0x40
_DECLARATIVE_FLAGS = {"active": 0, "passive": 1, "declarative": 3}


def unsigned(value: int) -> bytes:
    """Unsigned LEB128, shortest form. Raises: ValueError for a negative value."""
    if value < 0:
        raise ValueError(f"{value} is negative, an index, count or size must not be")
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def signed(value: int) -> bytes:
    """Signed LEB128, shortest form."""
    out = bytearray()
    while not -0x40 <= value < 0x40:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value & 0x7F)
    return bytes(out)


def indices(values: Iterable[int]) -> bytes:
    """Indices one behind the other."""
    return b"".join(map(unsigned, values))


def sized(content: bytes) -> bytes:
    """Bytes behind their number."""
    return unsigned(len(content)) + content


def vector(items: Sequence[bytes]) -> bytes:
    """Encoded items behind their number."""
    return unsigned(len(items)) + b"".join(items)


def name(text: str) -> bytes:
    """A name in UTF-8."""
    return sized(text.encode("utf-8"))


def section(kind: int, content: bytes) -> bytes:
    """A section with its id and size."""
    return bytes([kind]) + sized(content)


def custom(entry: Custom) -> bytes:
    """A custom section."""
    return section(0, name(entry.name) + entry.content)


def encode(module: Module) -> bytes:
    """Encode a module. Raises: ValueError for a block type that is not among the module's types."""
    code = _CodeEncoder(module.types)
    out = [MAGIC, VERSION]
    out += [custom(c) for c in module.customs if c.after == 0]
    for kind, content in _sections(module, code):
        if content is not None:
            out.append(section(kind, content))
        out += [custom(c) for c in module.customs if c.after == kind]
    return b"".join(out)


def _sections(module: Module, code: _CodeEncoder) -> Iterable[tuple[int, bytes | None]]:
    """Yield each section's id and content, None where there is nothing to say, in the format's order."""

    def items(entries: Sequence[Any], write: Callable[[Any], bytes]) -> bytes | None:
        return vector([write(entry) for entry in entries]) if entries else None

    yield 1, items(module.types, _func_type)
    yield 2, items(module.imports, _import)
    yield 3, items(module.functions, lambda f: unsigned(f.type_index))
    yield 4, items(module.tables, _table_type)
    yield 5, items(module.memories, _limit)
    yield 6, items(module.globals, code.global_)
    yield 7, items(module.exports, lambda e: name(e.name) + bytes([e.kind]) + unsigned(e.index))
    yield 8, None if module.start is None else unsigned(module.start)
    yield 9, items(module.elements, code.element)
    yield 12, None if module.data_count is None else unsigned(module.data_count)
    yield 10, items(module.functions, code.body)
    yield 11, items(module.data, code.data)


def _func_type(type_: FuncType) -> bytes:
    return b"\x60" + sized(bytes(type_.params)) + sized(bytes(type_.results))


def _limit(limit: Limit) -> bytes:
    if limit.maximum is None:
        return b"\x00" + unsigned(limit.minimum)
    return b"\x01" + unsigned(limit.minimum) + unsigned(limit.maximum)


def _table_type(type_: TableType) -> bytes:
    return bytes([type_.element]) + _limit(type_.limit)


def _global_type(type_: GlobalType) -> bytes:
    return bytes([type_.value, type_.mutable])


def _import(entry: Import) -> bytes:
    match entry.desc:
        case int():
            desc = unsigned(entry.desc)
        case TableType():
            desc = _table_type(entry.desc)
        case Limit():
            desc = _limit(entry.desc)
        case GlobalType():
            desc = _global_type(entry.desc)
    return name(entry.module) + name(entry.name) + bytes([entry.kind]) + desc


class _CodeEncoder:
    """Writes what holds instructions; knows the module's types by index."""

    def __init__(self, types: list[FuncType]) -> None:
        self.type_index: dict[FuncType, int] = {}
        for index, type_ in enumerate(types):
            self.type_index.setdefault(type_, index)
        self.immediates: dict[str, Callable[[Any], bytes]] = {
            "": lambda imm: b"",
            "block": self.block_type,
            **dict.fromkeys(("label", "local", "global", "func", "table", "data", "elem"), unsigned),
            "labels": lambda imm: unsigned(len(imm) - 1) + indices(imm),
            **dict.fromkeys(("type_table", "elem_table", "table_table", "memarg"), indices),
            "types": lambda imm: sized(bytes(imm)),
            "reftype": lambda imm: bytes([imm]),
            "i32": lambda imm: signed(imm - (imm >> 31 << 32)),
            "i64": lambda imm: signed(imm - (imm >> 63 << 64)),
            "memory": lambda imm: b"\0",
            "memory_memory": lambda imm: b"\0\0",
            "data_memory": lambda imm: unsigned(imm) + b"\0",
        }  # fmt: skip

    def block_type(self, type_: FuncType) -> bytes:
        if not type_.params and len(type_.results) < 2:
            return bytes(type_.results) or bytes([_EMPTY_BLOCK])
        index = self.type_index.get(type_)
        if index is None:
            raise ValueError(f"block type {type_} is not among the module's types")
        return signed(index)

    def code(self, code: Code) -> bytes:
        """Instructions, the closing `end` included."""
        out: list[bytes] = []
        for opcode, imm in zip(code.ops, code.imms, strict=True):
            op = BY_CODE[opcode]
            out.append(bytes([opcode]) if opcode < 0x100 else bytes([opcode >> 8]) + unsigned(opcode & 0xFF))
            out.append(self.immediates[op.imm](imm))
        return b"".join(out)

    def global_(self, global_: Global) -> bytes:
        return _global_type(global_.type) + self.code(global_.init)

    def body(self, function: Function) -> bytes:
        groups = [unsigned(len(list(group))) + bytes([t]) for t, group in groupby(function.locals)]
        return sized(vector(groups) + self.code(function.code))

    def data(self, data: Data) -> bytes:
        if data.at is None:
            return b"\x01" + sized(data.content)
        return b"\x00" + self.code(data.at) + sized(data.content)

    def element(self, element: Element) -> bytes:
        """Write a segment by indices where it can be, and with table and type only where they are not the default."""
        by_index = element.type == FUNCREF and all(item.ops == [_REF_FUNC, _END] for item in element.items)
        default = element.table == 0 and element.type == FUNCREF
        flags = _DECLARATIVE_FLAGS[element.mode] | (0 if by_index else 4)
        if element.mode == "active" and not default:
            flags |= 2
        out = [unsigned(flags)]
        if flags & 3 == 2:
            out.append(unsigned(element.table))
        if element.at is not None:
            out.append(self.code(element.at))
        if flags & 3:
            out.append(b"\x00" if by_index else bytes([element.type]))
        write: Callable[[Code], bytes] = self.index if by_index else self.code
        out.append(vector([write(item) for item in element.items]))
        return b"".join(out)

    def index(self, item: Code) -> bytes:
        return self.immediates["func"](item.imms[0])
