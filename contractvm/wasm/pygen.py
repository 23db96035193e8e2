"""The portable tier's code generator: one wasm function to one Python function, as source text.

The function takes its operands and the stack weight left, and closes over cells: `gas` (milligas left), `n`
(instructions counted), `mem` (the memory's bytes), `inst` (the instance), `fN` (functions), `gN` (globals). The line
a traceback names is the instruction that trapped, so exactness costs the hot path nothing. Code is shared by all
instances of a module.
Source: WebAssembly core specification, section 4.4. Never: runs anything.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import CodeType

from contractvm.dataclass import dataclass
from contractvm.errors import Fatal
from contractvm.wasm.compiled import Compiled
from contractvm.wasm.module import EXTERNREF, FUNCREF
from contractvm.wasm.pybody import Body, Line
from contractvm.wasm.pystates import States
from contractvm.wasm.pystructured import Structured, TooDeep

FORMS = ("nested", "structured", "states")
_MARK = re.compile("\x01([0-9]+)\x02")


@dataclass(frozen=True, slots=True)
class Generated:
    """A function's code, to be closed over an instance's cells in the order of `code.co_freevars`."""

    code: CodeType
    source: str
    instructions: Mapping[int, int]
    """Source line -> index of the instruction that traps there."""
    tail: bool
    """Whether it may return a `Tail`."""
    form: str


def generate(compiled: Compiled, index: int, form: str | None = None) -> Generated:
    """Translate a defined function, by its index in the whole index space.

    `form` asks for one of FORMS; otherwise it is the first that CPython can compile.
    Raises: TooDeep when the form asked for cannot say the function.
    """
    for candidate in (form,) if form else FORMS:
        body = Body(compiled, index)
        try:
            if candidate == "states":
                States(body).translate()
            else:
                Structured(body, nest=candidate == "nested").translate()
        except TooDeep:
            if form:
                raise
            continue
        source, lines = _assemble(body)
        return Generated(_compile(source, f"f{index}"), source, lines, body.tail, candidate)
    raise Fatal(f"no form of the portable tier fits function {index}")


def _assemble(body: Body) -> tuple[str, dict[int, int]]:
    """Write the source text; say which line belongs to which instruction."""
    operands = [f"l{n}" for n in range(len(body.type.params))]
    out = [f"def make({', '.join(sorted(body.free))}):" if body.free else "def make():"]
    out.append(f"  def f{body.index}({', '.join([*operands, 'sp'])}):")
    if body.writes:
        out.append(f"   nonlocal {', '.join(sorted(body.writes))}")
    out.append(f"   if sp < {body.plan.weight}: raise Trap(STACK_EXHAUSTED)")
    for group, value in ((False, "0"), (True, "None")):
        names = [
            f"l{n}"
            for n in range(len(operands), len(body.local_types))
            if (body.local_types[n] in (FUNCREF, EXTERNREF)) == group
        ]
        if names:
            out.append(f"   {' = '.join(names)} = {value}")
    out.extend(f"   {line}" for line in body.prologue)
    lines: dict[int, int] = {}
    for line in body.lines or [Line(1, "pass", None)]:
        _write(line, out, lines)
    out.append(f"  return f{body.index}")
    return "\n".join(out) + "\n", lines


def _write(line: Line, out: list[str], lines: dict[int, int]) -> None:
    """Append a statement; each marked expression in it starts a line of its own, within the brackets around it."""
    parts = _MARK.split(line.text)
    out.append(" " * (line.indent + 2) + parts[0])
    if line.at is not None:
        lines[len(out)] = line.at
    for number, text in zip(parts[1::2], parts[2::2], strict=True):
        out.append(text)
        lines[len(out)] = int(number)


def _compile(source: str, name: str) -> CodeType:
    """Compile and return the inner function's code."""
    code = compile(source, f"<wasm {name}>", "exec")
    for wanted in ("make", name):
        inner = [c for c in code.co_consts if isinstance(c, CodeType) and c.co_name == wanted]
        if not inner:
            raise Fatal(f"{wanted} was not found in what the compiler made of {name}")
        code = inner[0]
    return code
