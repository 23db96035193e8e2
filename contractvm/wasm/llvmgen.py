"""The native tier's code generator: a wasm module to LLVM IR, in the compile worker's process.

Source: WebAssembly core specification, section 4.4; `native.glue` has the conventions. Never: runs or loads anything.
"""

from __future__ import annotations

from collections.abc import Iterable

from contractvm.native import crossing, glue
from contractvm.native.stack import STACK_RATIO
from contractvm.native.translation import Translation
from contractvm.wasm import llvmops
from contractvm.wasm.compiled import Compiled
from contractvm.wasm.decode import decode
from contractvm.wasm.foundry import payload_of
from contractvm.wasm.llvmbody import Body
from contractvm.wasm.llvmcalls import LOWER, runtime
from contractvm.wasm.llvmmodule import ModuleFacts


def generate(data: bytes) -> Translation:
    """Translate accepted code. Raises: Refused."""
    code, rules = payload_of(data)
    return translate(Compiled(decode(code, rules), rules))


def translate(compiled: Compiled) -> Translation:
    """Translate a valid module. Raises: Refused."""
    facts = ModuleFacts(compiled, LOWER)
    module, first = compiled.module, compiled.module.imported_functions
    functions = [Body(facts, first + n).text() for n in range(len(module.functions))]
    entries = [(f"f{index}", facts.entry(module.signature(index)).name) for index in facts.layout.entries]
    parts = [
        glue.prelude(),
        llvmops.DECLARATIONS,
        runtime(compiled.dynamic),
        *_tables(facts),
        *functions,
        *(reading.text() for reading in facts.readings.values()),
        *(callout.text() for callout in facts.callouts.values()),
        *(entry.text() for entry in facts.entries.values()),
        crossing.methods(entries),
    ]
    stack = {f"f{first + n}": STACK_RATIO * compiled.plan(first + n).weight for n in range(len(module.functions))}
    return Translation("\n".join(parts), stack)


def _tables(facts: ModuleFacts) -> Iterable[str]:
    """Tables that nobody changes: code and type of each entry."""
    row = "{ptr, i64}"
    module = facts.compiled.module
    for table, entries in facts.layout.tables.items():
        rows = [
            f"{row} {{ptr null, i64 -1}}"
            if index is None
            else f"{row} {{ptr @f{index}, i64 {facts.types[module.signature(index)]}}}"
            for index in entries
        ]
        yield f"@table.{table} = internal constant [{len(rows)} x {row}] [{', '.join(rows)}]"
