"""Makes a linker's module smaller without changing what it does: what every call would pay for and nobody needs.

A linker pads numbers to five bytes, keeps a table that nothing calls through and writes zeros into memory that starts
as zeros. Here numbers get their shortest form, an unused table goes, and data segments are cut at runs of zeros.
Never: touches an instruction.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from contractvm.rules import bare_rules
from contractvm.wasm.decode import decode
from contractvm.wasm.encode import encode
from contractvm.wasm.module import TABLE, Code, Data
from contractvm.wasm.opcodes import BY_NAME

I32_CONST = BY_NAME["i32.const"].code
TABLE_OPS = frozenset(op.code for name, op in BY_NAME.items() if "indirect" in name or name.startswith("table."))
DATA_OPS = frozenset(BY_NAME[name].code for name in ("memory.init", "data.drop"))
ZEROS = re.compile(rb"\0{12,}")
"""A run of zeros worth a segment's own header, which takes about nine bytes."""


def tidy(module: bytes) -> bytes:
    """Return a smaller module with the same meaning and the same function names.

    Raises: Malformed, Invalid (FloatRefused with the function's name) when the module is not one that can run here.
    """
    decoded = decode(module, bare_rules())
    used = {op for function in decoded.functions for op in function.code.ops}
    if not used & TABLE_OPS and not decoded.elements and not any(e.kind == TABLE for e in decoded.exports):
        decoded.tables.clear()
    if not used & DATA_OPS:
        decoded.data[:] = [part for segment in decoded.data for part in cut(segment)]
        decoded.data_count = None
    return encode(decoded)


def cut(segment: Data) -> Iterator[Data]:
    """Divide an active segment at its runs of zeros; a passive one, or one at a computed address, stays whole."""
    at = segment.at
    base = at.imms[0] if at is not None and at.ops[0] == I32_CONST else None
    if at is None or not isinstance(base, int):
        yield segment
        return
    start = 0
    for run in (*ZEROS.finditer(segment.content), None):
        end = run.start() if run else len(segment.content.rstrip(b"\0"))
        if start < end:
            yield replace(segment, content=segment.content[start:end], at=moved(at, base + start))
        start = run.end() if run else end


def moved(at: Code, address: int) -> Code:
    return Code([*at.ops], [address, *at.imms[1:]], [*at.offsets])
