"""Decodes a module: bytes to facts, section by section.

What the grammar of the binary format demands is checked here, with the limits of `Rules` on everything that is
counted; types and indices are the validator's. A module that mentions floats is decoded to its end and then refused,
so that the refusal can give names and say where else floats are.
Source: WebAssembly core specification, section 5.5 (modules).
Never: allocates by a count that the bytes do not back, recurses, or raises anything but Malformed and Invalid.
"""

from __future__ import annotations

from collections.abc import Callable

from contractvm.errors import Invalid, Malformed, ModuleError, Place
from contractvm.rules import Rules
from contractvm.wasm import names
from contractvm.wasm.binary import U32, Reader
from contractvm.wasm.bodies import END, Context, FloatMention, decode_code, reference_type, value_type
from contractvm.wasm.module import (
    FUNC,
    FUNCREF,
    GLOBAL,
    MEMORY,
    TABLE,
    Code,
    Custom,
    Data,
    Element,
    Export,
    Function,
    FuncType,
    Global,
    GlobalType,
    Import,
    Limit,
    Module,
    TableType,
)
from contractvm.wasm.opcodes import BY_NAME

MAGIC = b"\0asm"
VERSION = b"\1\0\0\0"
_REF_FUNC = BY_NAME["ref.func"].code
_SECTIONS = (
    *("custom", "type", "import", "function", "table", "memory", "global"),
    *("export", "start", "element", "code", "data", "data count"),
)
"""Names of the sections by id."""
_ORDER = (0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 11, 12, 10)
"""Place of each section id in a module: the data count stands before the code."""


class FloatRefused(Invalid):
    """The module mentions floats. `mentions` has the first place in each function, functions by index first."""

    def __init__(self, mentions: tuple[FloatMention, ...]) -> None:
        first, more = mentions[0], len(mentions) - 1
        also = f" (and {more} more {'places' if more > 1 else 'place'})" if more else ""
        super().__init__(f"floats are not deterministic: {first.what}{also}", first.place)
        self.mentions = mentions


def decode(data: bytes, rules: Rules) -> Module:
    """Decode a binary module.

    Raises: Malformed when the bytes are not the format; Invalid beyond a limit, for an unknown memory or block type;
    FloatRefused when floats are mentioned. Places carry the function's name where the module tells it.
    """
    decoder = _Decoder(rules)
    try:
        decoder.run(data)
    except ModuleError as error:
        function = error.place.function
        if function is None or isinstance(error, FloatRefused):
            raise
        known = names.debug_names(decoder.module) | names.find(data)
        place = Place(error.place.offset, function, known.get(function))
        raise type(error)(error.reason, place) from None
    return decoder.module


class _Decoder:
    """The module so far; lives for one call of `decode`. `last` is the last section read that is not custom."""

    def __init__(self, rules: Rules) -> None:
        self.limits = rules.limits
        self.module = Module()
        self.context = Context(self.module.types, rules.limits)
        self.type_floats: dict[int, FloatMention] = {}
        self.declared: list[int] = []
        self.last = 0
        self.readers: dict[int, Callable[[Reader], None]] = {
            0: self.custom,
            1: self.types,
            2: self.imports,
            3: self.functions,
            4: self.tables,
            5: self.memories,
            6: self.globals,
            7: self.exports,
            8: self.start,
            9: self.elements,
            10: self.code,
            11: self.data,
            12: self.data_count,
        }

    def run(self, data: bytes) -> None:
        """Decode the whole module."""
        module, limits = self.module, self.limits
        module.size = len(data)
        if not data.startswith(MAGIC):
            short = len(data) < len(MAGIC) and MAGIC.startswith(data)
            raise Malformed("unexpected end" if short else "magic header not detected", Place(0))
        if data[4:8] != VERSION:
            raise Malformed("unexpected end" if len(data) < 8 else "unknown binary version", Place(4))
        if len(data) > limits.code_bytes:
            raise Invalid(f"module too large: {len(data)} bytes, the limit is {limits.code_bytes}")
        r = Reader(data)
        r.pos = 8
        while r.left:
            self.section(r)
        self.finish(r)

    def section(self, r: Reader) -> None:
        """Decode one section behind the section `last`."""
        start, last = r.offset, self.last
        kind = r.byte()
        if kind not in self.readers:
            reason = ": exception handling is not in the profile" if kind == 13 else ""
            raise r.malformed(f"malformed section id {kind}{reason}", start)
        content = r.slice(r.length())
        if kind and _ORDER[kind] <= _ORDER[last]:
            again = "a second" if kind == last else f"the {_SECTIONS[last]} section is followed by the"
            raise r.malformed(f"unexpected content after last section: {again} {_SECTIONS[kind]} section", start)
        self.readers[kind](content)
        if content.left:
            raise content.malformed(
                f"section size mismatch: {content.left} bytes left in the {_SECTIONS[kind]} section"
            )
        self.last = kind or last

    def finish(self, r: Reader) -> None:
        """Check what needs the whole module, name the functions, refuse floats."""
        module = self.module
        if len(self.declared) != len(module.functions):
            raise r.malformed("function and code section have inconsistent lengths")
        if module.data_count is not None and module.data_count != len(module.data):
            raise r.malformed("data count and data section have inconsistent lengths")
        module.names = names.debug_names(module)
        if self.type_floats or self.context.floats:
            raise FloatRefused(self.float_mentions())

    def float_mentions(self) -> tuple[FloatMention, ...]:
        """Gather mentions by function; a float in a function's type is that function's, however far off it stands."""
        module, found = self.module, self.context.floats
        used = set()
        for function, type_index in enumerate(module.func_types):
            if type_index in self.type_floats:
                used.add(type_index)
                mention = self.type_floats[type_index]
                place = Place(mention.place.offset, function)
                found[function] = FloatMention(f"{mention.what} in the signature", place)
        outside = [found.pop(None)] if None in found else []
        outside += [m for index, m in self.type_floats.items() if index not in used]
        inside = [
            FloatMention(found[f].what, Place(found[f].place.offset, f, module.names.get(f)))
            for f in sorted(f for f in found if f is not None)
        ]
        return (*inside, *outside)

    # The sections, in the order of their ids.

    def custom(self, r: Reader) -> None:
        offset = r.offset
        name = r.name(self.limits.name_bytes)
        self.module.customs.append(Custom(name, r.take(r.left), offset, self.last))

    def types(self, r: Reader) -> None:
        outer = self.context.floats
        for index in range(r.count("types", self.limits.types)):
            mentioned: dict[int | None, FloatMention] = {}
            self.context.floats = mentioned
            form = r.byte()
            if form != 0x60:
                gc = ": garbage collection is not in the profile" if form in (0x5E, 0x5F, 0x50, 0x4F, 0x4E) else ""
                raise r.malformed(f"malformed type form {form:#04x}{gc}", r.offset - 1)
            params = self.value_types(r, "parameters", self.limits.params)
            results = self.value_types(r, "results", self.limits.results)
            self.module.types.append(FuncType(params, results))
            if mentioned:
                self.type_floats[index] = mentioned[None]
        self.context.floats = outer

    def value_types(self, r: Reader, what: str, limit: int) -> tuple[int, ...]:
        return tuple([value_type(r, self.context) for _ in range(r.count(what, limit))])

    def imports(self, r: Reader) -> None:
        module, limits = self.module, self.limits
        for _ in range(r.count("imports", limits.imports)):
            offset = r.offset
            names_ = r.name(limits.name_bytes), r.name(limits.name_bytes)
            kind = r.byte()
            desc: int | TableType | Limit | GlobalType
            if kind == FUNC:
                desc = r.u32()
                module.func_types.append(desc)
            elif kind == TABLE:
                desc = self.table_type(r)
                module.table_types.append(desc)
            elif kind == MEMORY:
                desc = self.memory_type(r)
                module.memory_types.append(desc)
            elif kind == GLOBAL:
                desc = self.global_type(r)
                module.global_types.append(desc)
            else:
                reason = ": exception handling is not in the profile" if kind == 4 else ""
                raise r.malformed(f"malformed import kind {kind}{reason}", r.offset - 1)
            module.imports.append(Import(*names_, kind, desc, offset))
        module.imported_functions = len(module.func_types)
        module.imported_globals = len(module.global_types)

    def functions(self, r: Reader) -> None:
        count = r.count("functions", self.limits.functions, len(self.module.func_types))
        self.declared = [r.u32() for _ in range(count)]
        self.module.func_types += self.declared

    def tables(self, r: Reader) -> None:
        module = self.module
        for _ in range(r.count("tables", self.limits.tables, len(module.table_types))):
            module.tables.append(self.table_type(r))
        module.table_types += module.tables

    def table_type(self, r: Reader) -> TableType:
        if r.left and r.data[r.pos] == 0x40:
            reason = "a table with an initial value: typed function references are not in the profile"
            raise Invalid(reason, r.place())
        return TableType(reference_type(r), self.limit(r, "table size must be at most 2^32-1"))

    def limit(self, r: Reader, out_of_range: str) -> Limit:
        flags = r.byte()
        if flags > 1:
            proposal = "threads" if flags < 4 else "memory64" if flags < 8 else ""
            reason = f": {proposal} is not in the profile" if proposal else ""
            raise r.malformed(f"malformed limits flags {flags:#04x}{reason}", r.offset - 1)
        minimum = r.wide_u32(out_of_range)
        return Limit(minimum, r.wide_u32(out_of_range) if flags else None)

    def memories(self, r: Reader) -> None:
        module = self.module
        for _ in range(r.count("memories", U32)):
            module.memories.append(self.memory_type(r))
        module.memory_types += module.memories

    def memory_type(self, r: Reader) -> Limit:
        return self.limit(r, "memory size must be at most 65536 pages (4 GiB)")

    def globals(self, r: Reader) -> None:
        module = self.module
        for _ in range(r.count("globals", self.limits.globals, len(module.global_types))):
            type_ = self.global_type(r)
            module.globals.append(Global(type_, decode_code(r, self.context)))
            module.global_types.append(type_)

    def global_type(self, r: Reader) -> GlobalType:
        value, mutable = value_type(r, self.context), r.byte()
        if mutable > 1:
            raise r.malformed(f"malformed mutability {mutable:#04x}", r.offset - 1)
        return GlobalType(value, mutable == 1)

    def exports(self, r: Reader) -> None:
        for _ in range(r.count("exports", self.limits.exports)):
            offset, name, kind = r.offset, r.name(self.limits.name_bytes), r.byte()
            if kind > GLOBAL:
                reason = ": exception handling is not in the profile" if kind == 4 else ""
                raise r.malformed(f"malformed export kind {kind}{reason}", r.offset - 1)
            self.module.exports.append(Export(name, kind, r.u32(), offset))

    def start(self, r: Reader) -> None:
        self.module.start = r.u32()

    def elements(self, r: Reader) -> None:
        entries = 0
        for _ in range(r.count("element segments", self.limits.element_entries)):
            segment = self.element(r, entries)
            entries += len(segment.items)
            self.module.elements.append(segment)

    def element(self, r: Reader, entries: int) -> Element:
        """Read a segment behind `entries` entries of others. Its flags: 1 not active, 2 more detail, 4 expressions."""
        start = r.offset
        flags = r.u32()
        if flags > 7:
            raise r.malformed(f"malformed elements segment kind {flags}", start)
        passive, detailed, expressions = flags & 1, flags & 2, flags & 4
        mode = "active" if not passive else "declarative" if detailed else "passive"
        table = r.u32() if detailed and not passive else 0
        at = None if passive else decode_code(r, self.context)
        type_ = FUNCREF
        if flags & 3 and expressions:
            type_ = reference_type(r)
        elif flags & 3 and (kind := r.byte()) != 0:
            raise r.malformed(f"malformed element kind {kind:#04x}", r.offset - 1)
        count = r.count("element entries", self.limits.element_entries, entries)
        read = self.element_expression if expressions else self.element_index
        return Element(mode, type_, tuple([read(r) for _ in range(count)]), table, at)

    def element_expression(self, r: Reader) -> Code:
        return decode_code(r, self.context)

    def element_index(self, r: Reader) -> Code:
        offset = r.offset
        return Code([_REF_FUNC, END], [r.u32(), None], [offset, offset])

    def code(self, r: Reader) -> None:
        module = self.module
        if r.count("function bodies", U32) != len(self.declared):
            raise r.malformed("function and code section have inconsistent lengths")
        total = 0
        for index in range(len(self.declared)):
            function = self.body(r, module.imported_functions + index, total)
            total += len(function.locals)
            module.functions.append(function)
        if self.context.data_use is not None and module.data_count is None:
            raise Malformed("data count section required", self.context.data_use)

    def body(self, section: Reader, index: int, total: int) -> Function:
        """Read a body of function `index`, where the bodies before it declare `total` locals."""
        section.function = index
        start = section.offset
        size = section.length()
        if size > self.limits.body_bytes:
            reason = f"function body too large: {size} bytes, the limit is {self.limits.body_bytes}"
            raise Invalid(reason, section.place(start))
        r = section.slice(size, index)
        section.function = None
        offset = r.offset
        locals_ = self.locals(r, index, total)
        ran_out = "END opcode expected" if section.left else "unexpected end of section or function"
        code = decode_code(r, self.context, ran_out)
        self.module.opcodes.update(code.ops)
        if r.left:
            raise r.malformed(f"section size mismatch: {r.left} bytes behind the body's end")
        return Function(self.declared[index - self.module.imported_functions], locals_, code, offset, size)

    def locals(self, r: Reader, function: int, total: int) -> tuple[int, ...]:
        module, limits, start = self.module, self.limits, r.offset
        groups = [(r.u32(), value_type(r, self.context)) for _ in range(r.count("groups of locals", U32))]
        count = sum(n for n, _ in groups)
        if count > U32:
            raise r.malformed(f"too many locals: {count}", start)
        type_index = module.func_types[function]
        params = len(module.types[type_index].params) if type_index < len(module.types) else 0
        if count + params > limits.locals:
            raise Invalid(f"too many locals: {count + params}, the limit is {limits.locals}", r.place(start))
        if total + count > limits.module_locals:
            reason = f"too many locals in the module: {total + count}, the limit is {limits.module_locals}"
            raise Invalid(reason, r.place(start))
        return tuple([code for n, code in groups for _ in range(n)])

    def data(self, r: Reader) -> None:
        module = self.module
        for _ in range(r.count("data segments", self.limits.data_segments)):
            start = r.offset
            flags = r.u32()
            if flags > 2:
                raise r.malformed(f"malformed data segment kind {flags}", start)
            if flags == 2 and (memory := r.u32()) != 0:
                raise Invalid(f"unknown memory {memory}: multi-memory is not in the profile", r.place(start))
            at = None if flags == 1 else decode_code(r, self.context)
            module.data.append(Data("passive" if flags == 1 else "active", r.take(r.length()), at))

    def data_count(self, r: Reader) -> None:
        self.module.data_count = r.u32()
