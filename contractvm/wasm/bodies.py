"""Decodes instruction sequences: function bodies and constant expressions, up to the `end` that closes them.

One loop over the bytes with the commonest immediates read in place, since it decides how long a deployment takes. It
checks what the grammar says (opcodes, immediates, balance of blocks); types are the validator's. Float instructions
are read to their end and noted, so that a refusal can name all functions that use them.
Source: WebAssembly core specification, section 5.4 (instructions).
Never: recurses, whatever the nesting.
"""

from __future__ import annotations

from dataclasses import field

from contractvm.dataclass import dataclass
from contractvm.errors import Invalid, Place
from contractvm.rules import Limits
from contractvm.wasm.binary import Reader
from contractvm.wasm.module import TYPE_NAMES, Code, FuncType
from contractvm.wasm.opcodes import BY_CODE, BY_NAME, FLOAT_NAMES, FLOAT_TYPES, OPS, PREFIX

END, ELSE, IF = (BY_NAME[name].code for name in ("end", "else", "if"))
EMPTY_BLOCK = 0x40
EMPTY = FuncType((), ())
_ONE_RESULT = {code: FuncType((), (code,)) for code in (*TYPE_NAMES, *FLOAT_TYPES)}
_MULTI_MEMORY_FLAG = 0x40

_PLAIN, _INDEX, _I32, _MEMARG, _I64, _BLOCK, _END, _ELSE, _OTHER = range(9)
_FORMS = {
    "": _PLAIN,
    "label": _INDEX,
    "local": _INDEX,
    "global": _INDEX,
    "func": _INDEX,
    "table": _INDEX,
    "i32": _I32,
    "i64": _I64,
    "memarg": _MEMARG,
    "block": _BLOCK,
}

# What an opcode that is not in the table would have been, so that the refusal can say so.
_PROPOSALS = {
    **dict.fromkeys((0x06, 0x07, 0x08, 0x09, 0x0A, 0x18, 0x19, 0x1F), "exception handling"),
    **dict.fromkeys((0x14, 0x15, 0xD4, 0xD5, 0xD6), "typed function references"),
    **dict.fromkeys((0xD3, 0xFB), "garbage collection"),
    0xFD: "SIMD",
    0xFE: "threads",
}
_TYPE_PROPOSALS = {
    0x7B: "SIMD",
    **dict.fromkeys((0x63, 0x64), "typed function references"),
    **dict.fromkeys((0x69, 0x74), "exception handling"),
    **dict.fromkeys((0x65, 0x6A, 0x6B, 0x6C, 0x6D, 0x6E, 0x71, 0x72, 0x73, 0x77, 0x78), "garbage collection"),
}


def _forms() -> tuple[int, ...]:
    forms = [_OTHER] * 256
    for op in OPS:
        if op.code < 256:
            forms[op.code] = _FORMS.get(op.imm, _OTHER)
    forms[END], forms[ELSE] = _END, _ELSE
    return tuple(forms)


_FORM_OF = _forms()


@dataclass(frozen=True, slots=True)
class FloatMention:
    """One place that mentions a float: `what` is a type ("f64") or an instruction ("f64.add")."""

    what: str
    place: Place


@dataclass(slots=True)
class Context:
    """What decoding bodies needs from the module so far, and what it learns on the way."""

    types: list[FuncType]
    limits: Limits
    floats: dict[int | None, FloatMention] = field(default_factory=dict)
    """The first mention in each function; None for the module outside of functions."""
    data_use: Place | None = None
    """First instruction that needs the data count section."""

    def mention(self, what: str, place: Place) -> None:
        """Note a float, unless its function has one already: memory stays bounded by the functions."""
        self.floats.setdefault(place.function, FloatMention(what, place))


def value_type(r: Reader, context: Context) -> int:
    """Read a value type. Raises: Malformed, naming the proposal that has such a type."""
    code = r.byte()
    if code in TYPE_NAMES:
        return code
    if code in FLOAT_TYPES:
        context.mention(FLOAT_TYPES[code], r.place(r.offset - 1))
        return code
    raise r.malformed(f"malformed value type {code:#04x}" + _of(_TYPE_PROPOSALS.get(code)), r.offset - 1)


def reference_type(r: Reader) -> int:
    """Read a reference type. Raises: Malformed."""
    code = r.byte()
    if code not in (0x70, 0x6F):
        raise r.malformed(f"malformed reference type {code:#04x}" + _of(_TYPE_PROPOSALS.get(code)), r.offset - 1)
    return code


def _of(proposal: str | None) -> str:
    return f": {proposal} is not in the profile" if proposal else ""


def block_type(r: Reader, context: Context) -> FuncType:
    """Read a block type. Raises: Malformed; Invalid for a type index that does not exist."""
    start = r.offset
    code = r.byte()
    if code == EMPTY_BLOCK:
        return EMPTY
    if code in _ONE_RESULT:
        if code in FLOAT_TYPES:
            context.mention(FLOAT_TYPES[code], r.place(start))
        return _ONE_RESULT[code]
    r.pos -= 1
    index = r.signed(33)
    if index < 0:
        raise r.malformed(f"malformed block type {code:#04x}" + _of(_TYPE_PROPOSALS.get(code)), start)
    if index >= len(context.types):
        raise Invalid(f"unknown type {index}", r.place(start))
    return context.types[index]


def memory_argument(r: Reader) -> tuple[int, int]:
    """Read (alignment exponent, offset). Raises: Malformed; Invalid for an offset that needs 64 bits."""
    start = r.offset
    flags = r.u32()
    if flags >= 2 * _MULTI_MEMORY_FLAG:
        raise r.malformed(f"malformed memop flags {flags:#x}", start)
    if flags >= _MULTI_MEMORY_FLAG:
        raise Invalid("a memory index in an access: multi-memory is not in the profile", r.place(start))
    return flags, r.wide_u32("offset out of range")


def memory_index(r: Reader) -> None:
    """Read the index of the one memory. Raises: Invalid for another; Malformed for zero in several bytes."""
    start = r.offset
    index = r.u32()
    if index:
        raise Invalid(f"unknown memory {index}: multi-memory is not in the profile", r.place(start))
    if r.offset - start > 1:
        raise r.malformed("zero byte expected", start)


def _labels(r: Reader, limits: Limits) -> tuple[int, ...]:
    count = r.count("br_table entries", limits.br_table_entries)
    return tuple([r.u32() for _ in range(count + 1)])


def _prefixed(r: Reader, context: Context, start: int) -> tuple[int, object]:
    sub = r.u32()
    code = PREFIX << 8 | sub
    if sub > 0xFF or (code not in BY_CODE and code not in FLOAT_NAMES):
        raise r.malformed(f"illegal opcode {PREFIX:02x} {sub:02x}", start)
    if code in FLOAT_NAMES:
        context.mention(FLOAT_NAMES[code], r.place(start))
        return code, None
    match BY_CODE[code].imm:
        case "data_memory":
            context.data_use = context.data_use or r.place(start)
            index = r.u32()
            memory_index(r)
            return code, index
        case "data":
            context.data_use = context.data_use or r.place(start)
            return code, r.u32()
        case "memory_memory":
            memory_index(r)
            memory_index(r)
            return code, None
        case "memory":
            memory_index(r)
            return code, None
        case "elem_table" | "table_table":
            return code, (r.u32(), r.u32())
        case "elem" | "table":
            return code, r.u32()
        case _:
            return code, None


def _uncommon(r: Reader, code: int, context: Context, start: int) -> tuple[int, object]:
    """Decode what the loop leaves out: `r` stands behind the opcode's first byte. Returns: opcode, immediate."""
    if code == PREFIX:
        return _prefixed(r, context, start)
    if code in FLOAT_NAMES:
        context.mention(FLOAT_NAMES[code], r.place(start))
        if code in (0x43, 0x44):
            r.take(4 if code == 0x43 else 8)
            return code, None
        return code, memory_argument(r) if code < 0x43 else None
    op = BY_CODE.get(code)
    if op is None:
        raise r.malformed(f"illegal opcode {code:02x}" + _of(_PROPOSALS.get(code)), start)
    match op.imm:
        case "labels":
            return code, _labels(r, context.limits)
        case "type_table":
            return code, (r.u32(), r.u32())
        case "memory":
            memory_index(r)
            return code, None
        case "types":
            count = r.count("types", context.limits.results)
            return code, tuple([value_type(r, context) for _ in range(count)])
        case _:
            return code, reference_type(r)


def decode_code(r: Reader, context: Context, ran_out: str = "unexpected end of section or function") -> Code:
    """Decode instructions from `r` to the `end` that closes them and leave `r` behind it.

    Raises: Malformed (`ran_out` is the reason when the bytes end before an instruction); Invalid beyond a limit or for
    an unknown type.
    """
    data, base, pos, forms = r.data, r.base, r.pos, _FORM_OF
    code = Code([], [], [])
    op_, imm_, offset_ = code.ops.append, code.imms.append, code.offsets.append
    nesting = context.limits.nesting
    blocks = [EMPTY_BLOCK]
    imm: object
    try:
        while True:
            start = base + pos
            op = data[pos]
            pos += 1
            form = forms[op]
            if form == _PLAIN:
                imm = None
            elif form == _INDEX:
                n = data[pos]
                if n < 0x80:
                    imm = n
                    pos += 1
                else:
                    r.pos = pos
                    imm = r.unsigned(32)
                    pos = r.pos
            elif form == _I32:
                n = data[pos]
                if n < 0x80:
                    imm = n if n < 0x40 else n + 0xFFFF_FF80
                    pos += 1
                else:
                    r.pos = pos
                    imm = r.signed(32) & 0xFFFF_FFFF
                    pos = r.pos
            elif form == _MEMARG:
                n, m = data[pos], data[pos + 1]
                if n < 0x40 and m < 0x80:
                    imm = (n, m)
                    pos += 2
                else:
                    r.pos = pos
                    imm = memory_argument(r)
                    pos = r.pos
            elif form == _END:
                imm = None
                blocks.pop()
                if not blocks:
                    op_(op)
                    imm_(None)
                    offset_(start)
                    r.pos = pos
                    return code
            elif form == _BLOCK:
                if len(blocks) > nesting:
                    raise Invalid(f"blocks nested too deeply: the limit is {nesting}", r.place(start))
                blocks.append(op)
                r.pos = pos
                imm = block_type(r, context)
                pos = r.pos
            elif form == _I64:
                r.pos = pos
                imm = r.signed(64) & 0xFFFF_FFFF_FFFF_FFFF
                pos = r.pos
            elif form == _ELSE:
                if blocks[-1] != IF:
                    raise r.malformed("END opcode expected: else without if", start)
                blocks[-1] = ELSE
                imm = None
            else:
                r.pos = pos
                op, imm = _uncommon(r, op, context, start)
                pos = r.pos
            op_(op)
            imm_(imm)
            offset_(start)
    except IndexError:
        reason = ran_out if base + pos == start else "unexpected end of section or function"
        raise r.malformed(reason, base + r.end) from None
