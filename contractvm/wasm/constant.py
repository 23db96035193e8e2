"""Constant expressions: initial values of globals, offsets of segments, items of element segments.

Source: WebAssembly core specification, section 3.3.10 (constant expressions), with the extended-const proposal; the
arithmetic is the table's. Never: traps or costs gas (entering a frame pays for its segments).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from contractvm.errors import Fatal
from contractvm.wasm.externs import Func, Global
from contractvm.wasm.module import Code
from contractvm.wasm.opcodes import BY_CODE


def evaluate(code: Code, globals_: Sequence[Global], function: Callable[[int], Func]) -> Any:
    """Return the value of a validated constant expression: a bit pattern, a function, or None for a null reference."""
    stack: list[Any] = []
    for opcode, imm in zip(code.ops, code.imms, strict=True):
        op = BY_CODE[opcode]
        match op.name:
            case "i32.const" | "i64.const":
                stack.append(imm)
            case "global.get":
                stack.append(globals_[imm].value)  # type: ignore[call-overload]
            case "ref.null":
                stack.append(None)
            case "ref.func":
                stack.append(function(imm))  # type: ignore[arg-type]
            case "end":
                return stack[-1]
            case _ if op.fn is not None:
                operands = stack[-len(op.params) :]
                del stack[-len(op.params) :]
                stack.append(op.fn(*operands))
            case _:
                break
    raise Fatal(f"constant expression at byte {code.offsets[0]:#x} was validated but cannot be evaluated")


def is_fixed(code: Code) -> bool:
    """Whether the expression is a number that does not depend on the instance."""
    return not any(BY_CODE[op].name in ("global.get", "ref.func", "ref.null") for op in code.ops)
