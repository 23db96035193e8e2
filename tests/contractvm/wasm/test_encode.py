"""Encoding: decoding gives back what was encoded, whatever form it came in; the form is the shortest."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contractvm.errors import ModuleError
from contractvm.rules import bare_rules
from contractvm.table import Op
from contractvm.wasm.decode import decode
from contractvm.wasm.encode import encode, section, signed, sized, unsigned, vector
from contractvm.wasm.module import FUNCREF, I32, Code, Custom, Element, Export, Function, FuncType, Limit, Module
from contractvm.wasm.opcodes import OPS
from contractvm.wasm.validate import validate
from tests.contractvm.wasm.modules import HEADER, NO_TYPE, one_function, pack_commands

IMMEDIATES: dict[str, object] = {
    "": None,
    "block": FuncType((), ()),
    "labels": (3, 300, 0),
    "type_table": (1, 300),
    "types": (FUNCREF,),
    "memarg": (2, 0xFFFF_FFFF),
    "memory": None,
    "memory_memory": None,
    "data_memory": 200,
    "elem_table": (200, 1),
    "table_table": (1, 200),
    "i32": 0x8000_0000,
    "i64": 0xFFFF_FFFF_FFFF_FFFE,
    "reftype": FUNCREF,
}


def facts(module: Module) -> Module:
    """The module without what tells where its bytes stood: offsets, sizes, and which sections customs follow."""

    def code(c: Code) -> Code:
        return Code(c.ops, c.imms, [])

    def element(e: Element) -> Element:
        return replace(e, items=tuple(map(code, e.items)), at=e.at and code(e.at))

    return replace(
        module,
        size=0,
        imports=[replace(i, offset=0) for i in module.imports],
        functions=[replace(f, code=code(f.code), offset=0, size=0) for f in module.functions],
        globals=[replace(g, init=code(g.init)) for g in module.globals],
        elements=[element(e) for e in module.elements],
        data=[replace(d, at=d.at and code(d.at)) for d in module.data],
        customs=[replace(c, offset=0, after=0) for c in module.customs],
    )


def test_modules_of_the_pack_come_back() -> None:
    rules, seen = bare_rules(), 0
    for command, data in pack_commands("module", "assert_invalid", "assert_unlinkable", "assert_uninstantiable"):
        try:
            module = decode(data, rules)
        except ModuleError:
            continue
        seen += 1
        written = encode(module)
        again = decode(written, rules)
        assert facts(again) == facts(module), str(command)
        assert encode(again) == written, str(command)
        assert decode(encode(again), rules) == again, str(command)
        assert len(written) <= len(data), str(command)
    assert seen > 1_000


@pytest.mark.parametrize("op", [op for op in OPS if op.name not in ("end", "else")], ids=lambda op: op.name)
def test_every_row_comes_back(op: Op) -> None:
    imm = IMMEDIATES.get(op.imm, 300)
    closing = [0x0B] if op.imm == "block" else []
    ops = [op.code, *closing, 0x0B]
    imms = [imm, *[None] * (len(closing) + 1)]
    function = Function(0, (I32, I32), Code(ops, imms, []), 0, 0)
    module = Module(types=[FuncType((), ())], functions=[function], data_count=0)
    code = decode(encode(module), bare_rules()).functions[0].code
    assert (code.ops, code.imms) == (ops, imms)


def test_else_comes_back() -> None:
    data = one_function(b"\x41\x00\x04\x40\x05\x0b")
    assert encode(decode(data, bare_rules())) == data


def test_padded_integers_and_empty_sections_become_short() -> None:
    padded = HEADER + b"\x01\x84\x80\x00\x01\x60\x00\x00" + b"\x02\x01\x00" + b"\x05\x04\x01\x00\x81\x00"
    assert encode(decode(padded, bare_rules())) == HEADER + NO_TYPE + section(5, b"\x01\x00\x01")


def test_custom_sections_stay_where_they_were() -> None:
    first, between, last = (section(0, sized(name) + b"payload") for name in (b"cvm", b"between", b"last"))
    data = HEADER + first + NO_TYPE + between + section(5, b"\x01\x00\x01") + last
    assert encode(decode(data, bare_rules())) == data
    module = replace(Module(), types=[FuncType((), ())], customs=[Custom("c", b"")])
    assert encode(module) == HEADER + NO_TYPE + section(0, sized(b"c"))


@pytest.mark.parametrize("flags", range(8))
def test_segments_of_every_form_come_back(flags: int) -> None:
    table = b"\x00" if flags & 3 == 2 else b""
    at = b"" if flags & 1 else b"\x41\x00\x0b"
    kind = b"" if not flags & 3 else b"\x70" if flags & 4 else b"\x00"
    item = b"\xd2\x00\x0b" if flags & 4 else b"\x00"
    segment = bytes([flags]) + table + at + kind + vector([item])
    between = section(4, b"\x01\x70\x00\x01") + section(9, vector([segment]))
    module = decode(one_function(b"", between=between), bare_rules())
    validate(module, bare_rules())
    assert facts(decode(encode(module), bare_rules())) == facts(module)


def test_an_expression_that_is_no_index_stays_one() -> None:
    segment = b"\x05\x70" + vector([b"\xd0\x70\x0b", b"\xd2\x00\x0b"])
    data = one_function(b"", between=section(9, vector([segment])))
    assert encode(decode(data, bare_rules())) == data


def test_a_block_type_must_be_among_the_types() -> None:
    wide = FuncType((I32,), ())
    code = Code([0x02, 0x0B, 0x0B], [wide, None, None], [])
    with pytest.raises(ValueError, match="not among the module's types"):
        encode(Module(types=[FuncType((), ())], functions=[Function(0, (), code, 0, 0)]))


def test_a_negative_index_is_refused() -> None:
    with pytest.raises(ValueError, match="negative"):
        encode(Module(exports=[Export("f", 0, -1)]))


def test_an_invalid_module_is_written_as_it_is() -> None:
    module = Module(memories=[Limit(5, 1)])
    assert decode(encode(module), bare_rules()).memories == [Limit(5, 1)]


@given(st.integers(0, 1 << 70))
def test_unsigned_is_shortest(value: int) -> None:
    assert len(unsigned(value)) == max(1, -(-value.bit_length() // 7))


@given(st.integers(-(1 << 63), (1 << 63) - 1))
def test_signed_is_shortest(value: int) -> None:
    bits = (value if value >= 0 else ~value).bit_length() + 1
    assert len(signed(value)) == -(-bits // 7)
