"""THE TABLE: every wasm instruction of the profile, one row each.

A row says how the instruction is coded, which immediates it has, what it takes and leaves, what it costs, which
feature it belongs to and what it means; the decoder, the encoder, the validator, the meter, every tier, the
disassembler, the fuzzer and `docs/opcodes.md` read it. Immediates' forms: `block` (a block type), `label`, `labels`
(br_table), `func`, `type_table`, `local`, `global`, `table`, `types`, `memarg`, `memory`, `data_memory`,
`memory_memory`, `elem_table`, `table_table`, `data`, `elem`, `i32`, `i64`, `reftype`, and "" for none.
Source: WebAssembly core specification, section 5.4 (binary format of instructions) and the index of instructions; the
tail-call, sign-extension, bulk-memory, reference-types and wide-arithmetic proposals.
Never: floats. Their opcodes are known by name only, so that a refusal can say what it met.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from contractvm.table import Op
from contractvm.wasm.numeric import MEANINGS

PREFIX = 0xFC
"""First byte of the instructions coded as 0xFC00 | sub-opcode."""


def _op(code: int, name: str, imm: str, sig: str, cost: str, feature: str = "mvp", traps: bool = False) -> Op:
    return Op(code, name, imm, sig, f"wasm.{cost}", feature, MEANINGS.get(name), traps)


def _control() -> tuple[Op, ...]:
    return (
        _op(0x00, "unreachable", "", "", "unreachable", traps=True),
        _op(0x01, "nop", "", "->", "nop"),
        _op(0x02, "block", "block", "", "structure"),
        _op(0x03, "loop", "block", "", "structure"),
        _op(0x04, "if", "block", "", "if"),
        _op(0x05, "else", "", "", "structure"),
        _op(0x0B, "end", "", "", "structure"),
        _op(0x0C, "br", "label", "", "branch"),
        _op(0x0D, "br_if", "label", "", "br_if"),
        _op(0x0E, "br_table", "labels", "", "br_table"),
        _op(0x0F, "return", "", "", "return"),
        _op(0x10, "call", "func", "", "call", traps=True),
        _op(0x11, "call_indirect", "type_table", "", "call_indirect", traps=True),
        _op(0x12, "return_call", "func", "", "call", "tail-call", traps=True),
        _op(0x13, "return_call_indirect", "type_table", "", "call_indirect", "tail-call", traps=True),
        _op(0x1A, "drop", "", "", "drop"),
        _op(0x1B, "select", "", "", "select"),
        _op(0x1C, "select t", "types", "", "select", "reference-types"),
    )


def _variables_and_references() -> tuple[Op, ...]:
    ref = "reference-types"
    return (
        _op(0x20, "local.get", "local", "", "local"),
        _op(0x21, "local.set", "local", "", "local"),
        _op(0x22, "local.tee", "local", "", "local"),
        _op(0x23, "global.get", "global", "", "global"),
        _op(0x24, "global.set", "global", "", "global"),
        _op(0x25, "table.get", "table", "", "table", ref, traps=True),
        _op(0x26, "table.set", "table", "", "table", ref, traps=True),
        _op(0xD0, "ref.null", "reftype", "", "ref", ref),
        _op(0xD1, "ref.is_null", "", "", "ref", ref),
        _op(0xD2, "ref.func", "func", "-> funcref", "ref", ref),
    )


def _access(code: int, name: str, width: int) -> Op:
    kind, value = name.split(".")[1], name[:3]
    if kind.startswith("load"):
        sig, cost = f"i32 -> {value}", "wasm.load"
    else:
        sig, cost = f"i32 {value} ->", "wasm.store"
    return Op(code, name, "memarg", sig, cost, "mvp", MEANINGS[name], True, width)


def _memory() -> tuple[Op, ...]:
    return (
        _access(0x28, "i32.load", 4),
        _access(0x29, "i64.load", 8),
        _access(0x2C, "i32.load8_s", 1),
        _access(0x2D, "i32.load8_u", 1),
        _access(0x2E, "i32.load16_s", 2),
        _access(0x2F, "i32.load16_u", 2),
        _access(0x30, "i64.load8_s", 1),
        _access(0x31, "i64.load8_u", 1),
        _access(0x32, "i64.load16_s", 2),
        _access(0x33, "i64.load16_u", 2),
        _access(0x34, "i64.load32_s", 4),
        _access(0x35, "i64.load32_u", 4),
        _access(0x36, "i32.store", 4),
        _access(0x37, "i64.store", 8),
        _access(0x3A, "i32.store8", 1),
        _access(0x3B, "i32.store16", 2),
        _access(0x3C, "i64.store8", 1),
        _access(0x3D, "i64.store16", 2),
        _access(0x3E, "i64.store32", 4),
        _op(0x3F, "memory.size", "memory", "-> i32", "memory_size"),
        _op(0x40, "memory.grow", "memory", "i32 -> i32", "memory_grow"),
        _op(0x41, "i32.const", "i32", "-> i32", "const"),
        _op(0x42, "i64.const", "i64", "-> i64", "const"),
    )


_COMPARISONS = ("eq", "ne", "lt_s", "lt_u", "gt_s", "gt_u", "le_s", "le_u", "ge_s", "ge_u")
_COUNTS = ("clz", "ctz", "popcnt")
_OPERATORS = (
    ("add", "alu"),
    ("sub", "alu"),
    ("mul", "mul"),
    ("div_s", "div"),
    ("div_u", "div"),
    ("rem_s", "div"),
    ("rem_u", "div"),
    ("and", "alu"),
    ("or", "alu"),
    ("xor", "alu"),
    ("shl", "alu"),
    ("shr_s", "alu"),
    ("shr_u", "alu"),
    ("rotl", "alu"),
    ("rotr", "alu"),
)


def _integers(t: str, test: int, count: int) -> tuple[Op, ...]:
    """Rows of type `t`: comparisons from opcode `test` on, operators from `count` on, in the format's order."""
    binary = f"{t} {t} -> {t}"
    operators = enumerate(_OPERATORS, count + len(_COUNTS))
    return (
        _op(test, f"{t}.eqz", "", f"{t} -> i32", "compare"),
        *(_op(c, f"{t}.{n}", "", f"{t} {t} -> i32", "compare") for c, n in enumerate(_COMPARISONS, test + 1)),
        *(_op(c, f"{t}.{n}", "", f"{t} -> {t}", "bit") for c, n in enumerate(_COUNTS, count)),
        *(_op(c, f"{t}.{n}", "", binary, cost, traps=cost == "div") for c, (n, cost) in operators),
    )


def _conversions() -> tuple[Op, ...]:
    ext = "sign-extension"
    return (
        _op(0xA7, "i32.wrap_i64", "", "i64 -> i32", "alu"),
        _op(0xAC, "i64.extend_i32_s", "", "i32 -> i64", "alu"),
        _op(0xAD, "i64.extend_i32_u", "", "i32 -> i64", "alu"),
        _op(0xC0, "i32.extend8_s", "", "i32 -> i32", "alu", ext),
        _op(0xC1, "i32.extend16_s", "", "i32 -> i32", "alu", ext),
        _op(0xC2, "i64.extend8_s", "", "i64 -> i64", "alu", ext),
        _op(0xC3, "i64.extend16_s", "", "i64 -> i64", "alu", ext),
        _op(0xC4, "i64.extend32_s", "", "i64 -> i64", "alu", ext),
    )


def _prefixed() -> tuple[Op, ...]:
    bulk, ref, wide = "bulk-memory", "reference-types", "wide-arithmetic"
    triple = "i32 i32 i32 ->"
    return (
        _op(0xFC08, "memory.init", "data_memory", triple, "bulk", bulk, traps=True),
        _op(0xFC09, "data.drop", "data", "->", "bulk", bulk),
        _op(0xFC0A, "memory.copy", "memory_memory", triple, "bulk", bulk, traps=True),
        _op(0xFC0B, "memory.fill", "memory", triple, "bulk", bulk, traps=True),
        _op(0xFC0C, "table.init", "elem_table", triple, "bulk", bulk, traps=True),
        _op(0xFC0D, "elem.drop", "elem", "->", "bulk", bulk),
        _op(0xFC0E, "table.copy", "table_table", triple, "bulk", bulk, traps=True),
        _op(0xFC0F, "table.grow", "table", "", "bulk", ref),
        _op(0xFC10, "table.size", "table", "-> i32", "table", ref),
        _op(0xFC11, "table.fill", "table", "", "bulk", ref, traps=True),
        _op(0xFC13, "i64.add128", "", "i64 i64 i64 i64 -> i64 i64", "wide", wide),
        _op(0xFC14, "i64.sub128", "", "i64 i64 i64 i64 -> i64 i64", "wide", wide),
        _op(0xFC15, "i64.mul_wide_s", "", "i64 i64 -> i64 i64", "wide", wide),
        _op(0xFC16, "i64.mul_wide_u", "", "i64 i64 -> i64 i64", "wide", wide),
    )


OPS: tuple[Op, ...] = (
    *_control(),
    *_variables_and_references(),
    *_memory(),
    *_integers("i32", test=0x45, count=0x67),
    *_integers("i64", test=0x50, count=0x79),
    *_conversions(),
    *_prefixed(),
)
"""Every instruction, a row each. A row whose `sig` is "" takes its stack effect from its immediates or context."""

BY_CODE: Mapping[int, Op] = MappingProxyType({op.code: op for op in OPS})
BY_NAME: Mapping[str, Op] = MappingProxyType({op.name: op for op in OPS})


def _float_names() -> dict[int, str]:
    compare = ("eq", "ne", "lt", "gt", "le", "ge")
    unary = ("abs", "neg", "ceil", "floor", "trunc", "nearest", "sqrt")
    binary = ("add", "sub", "mul", "div", "min", "max", "copysign")
    names = {0x2A: "f32.load", 0x2B: "f64.load", 0x38: "f32.store", 0x39: "f64.store"}
    names |= {0x43: "f32.const", 0x44: "f64.const"}
    names |= {code: f"f32.{n}" for code, n in enumerate(compare, 0x5B)}
    names |= {code: f"f64.{n}" for code, n in enumerate(compare, 0x61)}
    names |= {code: f"f32.{n}" for code, n in enumerate(unary + binary, 0x8B)}
    names |= {code: f"f64.{n}" for code, n in enumerate(unary + binary, 0x99)}
    truncations = ("trunc_f32_s", "trunc_f32_u", "trunc_f64_s", "trunc_f64_u")
    names |= {code: f"i32.{n}" for code, n in enumerate(truncations, 0xA8)}
    names |= {code: f"i64.{n}" for code, n in enumerate(truncations, 0xAE)}
    conversions = ("convert_i32_s", "convert_i32_u", "convert_i64_s", "convert_i64_u")
    names |= {code: f"f32.{n}" for code, n in enumerate((*conversions, "demote_f64"), 0xB2)}
    names |= {code: f"f64.{n}" for code, n in enumerate((*conversions, "promote_f32"), 0xB7)}
    reinterpretations = ("i32.reinterpret_f32", "i64.reinterpret_f64", "f32.reinterpret_i32", "f64.reinterpret_i64")
    names |= dict(enumerate(reinterpretations, 0xBC))
    saturating = tuple(n.replace("trunc", "trunc_sat") for n in truncations)
    names |= {code: f"i32.{n}" for code, n in enumerate(saturating, 0xFC00)}
    names |= {code: f"i64.{n}" for code, n in enumerate(saturating, 0xFC04)}
    return names


FLOAT_NAMES: Mapping[int, str] = MappingProxyType(_float_names())
"""Float instructions by opcode, which the decoder refuses by name."""

FLOAT_TYPES: Mapping[int, str] = MappingProxyType({0x7D: "f32", 0x7C: "f64"})
"""Float value types by code, likewise."""
