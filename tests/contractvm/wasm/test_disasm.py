"""The disassembler's text assembles to the module it was made from, and tells what the meter will charge."""

from __future__ import annotations

from typing import Any

import pytest
import wasmtime

from contractvm.errors import ModuleError
from contractvm.rules import bare_rules
from contractvm.wasm.decode import decode
from contractvm.wasm.disasm import disassemble
from contractvm.wasm.module import Code, Module
from contractvm.wasm.validate import validate
from tests.contractvm.wasm.modules import pack_commands


def facts(module: Module) -> list[Any]:
    """Everything of a module but offsets and custom sections."""

    def code(c: Code | None) -> Any:
        return None if c is None else (c.ops, c.imms)

    return [
        module.types,
        [(i.module, i.name, i.kind, i.desc) for i in module.imports],
        [(f.type_index, f.locals, code(f.code)) for f in module.functions],
        module.tables,
        module.memories,
        [(g.type, code(g.init)) for g in module.globals],
        module.exports,
        module.start,
        [(e.mode, e.type, e.table, code(e.at), [code(item) for item in e.items]) for e in module.elements],
        [(d.mode, d.content, code(d.at)) for d in module.data],
    ]


def test_text_assembles_to_the_same_module() -> None:
    rules = bare_rules()
    seen = 0
    for command, data in pack_commands("module", "module_definition"):
        try:
            module = decode(data, rules)
            validate(module, rules)
        except ModuleError:
            continue
        text = "\n".join(disassemble(module, rules))
        again = decode(bytes(wasmtime.wat2wasm(text)), rules)
        assert facts(again) == facts(module), f"{command.script}:{command.line}"
        seen += 1
    assert seen > 300


SOURCE = """(module
  (func $sum (export "sum") (param i32) (result i32)
    (block (br_if 0 (i32.eqz (local.get 0))) (return (i32.const 7)) (drop (i32.const 1)))
    (i32.const 9)))"""


def test_gas_of_each_run_and_unreachable_code_are_told() -> None:
    rules = bare_rules()
    module = decode(bytes(wasmtime.wat2wasm(SOURCE)), rules)
    lines = list(disassemble(module, rules))
    milli = rules.schedule.milli
    first = milli("wasm.local") + milli("wasm.compare") + milli("wasm.br_if")
    runs = [line for line in lines if " gas for " in line]
    assert f"{first / 1000:g} gas for 3" in runs[0]
    assert len(runs) == 3  # up to br_if, up to return, behind the block
    assert sum("unreachable" in line for line in lines) == 2
    assert any("function 0 'sum'" in line and "frame weight 80" in line for line in lines)


def test_one_function() -> None:
    rules = bare_rules()
    module = decode(bytes(wasmtime.wat2wasm(SOURCE)), rules)
    lines = list(disassemble(module, rules, 0))
    assert lines[1].strip().startswith("(func (;0;)")
    assert lines[-1].strip() == ")"


@pytest.mark.parametrize("value", ["-1", "-2147483648", "2147483647"])
def test_constants_are_signed(value: str) -> None:
    rules = bare_rules()
    module = decode(bytes(wasmtime.wat2wasm(f"(module (func (drop (i32.const {value}))))")), rules)
    assert any(f"i32.const {value} " in line for line in disassemble(module, rules))
