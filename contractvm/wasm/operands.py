"""The operand stack and the control stack of the validation algorithm.

Operands are type codes in a list. Below the operands of every open block lies a fence, a code that is no type: whoever
compares the top of the list with the types it needs cannot reach below its block by mistake, and needs no height.
Source: WebAssembly core specification, appendix "Validation Algorithm" (7.3).
Never: knows what an instruction takes.
"""

from __future__ import annotations

from collections.abc import Sequence

from contractvm.dataclass import dataclass
from contractvm.errors import Invalid
from contractvm.wasm.module import TYPE_NAMES, FuncType
from contractvm.wasm.opcodes import BY_NAME

FENCE, UNKNOWN = 0, 1
"""Among the type codes: the bottom of a block; an operand that unreachable code makes up."""
_SHOWN = 8
"""Types of a row that an error names at most."""
BLOCK, LOOP, IF, ELSE = (BY_NAME[name].code for name in ("block", "loop", "if", "else"))


def type_name(code: int) -> str:
    """Name a type for an error."""
    return TYPE_NAMES.get(code, "any")


def type_list(types: Sequence[int]) -> str:
    """Name a row of types for an error: of a long one, its end, the top of the stack."""
    shown = " ".join(map(type_name, types[-_SHOWN:]))
    return f"[... {shown}]" if len(types) > _SHOWN else f"[{shown}]"


@dataclass(slots=True)
class Frame:
    """An open block. `height` is the stack's length above its fence."""

    op: int
    type: FuncType
    height: int
    unreachable: bool = False

    @property
    def label(self) -> tuple[int, ...]:
        """What a branch to it takes."""
        return self.type.params if self.op == LOOP else self.type.results


class Operands:
    """Both stacks of one function body or constant expression that leaves `results`. Errors have no place yet."""

    __slots__ = ("frames", "results", "types")

    def __init__(self, results: tuple[int, ...]) -> None:
        self.results = results
        self.types: list[int] = [FENCE]
        self.frames = [Frame(BLOCK, FuncType((), results), 1)]

    def push(self, types: tuple[int, ...]) -> None:
        """Put operands on top."""
        self.types.extend(types)

    def expect(self, types: tuple[int, ...]) -> list[int]:
        """Check that `types` are on top. Returns: the operands there, in unreachable code perhaps fewer than types.

        Raises: Invalid.
        """
        frame = self.frames[-1]
        found = self.types[max(frame.height, len(self.types) - len(types)) :]
        if tuple(found) == types:
            return found
        enough = len(found) == len(types) or frame.unreachable
        pairs = zip(reversed(types), reversed(found), strict=False)
        if not enough or any(have not in (want, UNKNOWN) for want, have in pairs):
            raise Invalid(f"type mismatch: {type_list(types)} needed, {type_list(found)} on the stack")
        return found

    def pop_all(self, types: tuple[int, ...]) -> None:
        """Take operands of these types. Raises: Invalid."""
        found = self.expect(types)
        if found:
            del self.types[-len(found) :]

    def pop_any(self) -> int:
        """Take an operand and tell its type. Raises: Invalid."""
        if self.types[-1] != FENCE:
            return self.types.pop()
        if self.frames[-1].unreachable:
            return UNKNOWN
        raise Invalid("type mismatch: a value needed, [] on the stack")

    def open(self, op: int, type_: FuncType) -> None:
        """Enter a block, whose parameters become its operands. Raises: Invalid."""
        self.pop_all(type_.params)
        self.types.append(FENCE)
        self.frames.append(Frame(op, type_, len(self.types)))
        self.types.extend(type_.params)

    def close(self) -> Frame:
        """Leave the innermost block, which must hold its results and nothing else; they are taken. Raises: Invalid."""
        frame = self.frames[-1]
        self.pop_all(frame.type.results)
        if len(self.types) != frame.height:
            rest = type_list(self.types[frame.height :])
            raise Invalid(f"type mismatch: {rest} left on the stack at the end of the block")
        self.types.pop()
        return self.frames.pop()

    def abandon(self) -> None:
        """Mark the rest of the innermost block as unreachable: it has whatever operands it asks for."""
        frame = self.frames[-1]
        del self.types[frame.height :]
        frame.unreachable = True

    def label(self, depth: int) -> tuple[int, ...]:
        """What a branch out of `depth` blocks takes. Raises: Invalid."""
        if depth >= len(self.frames):
            raise Invalid(f"unknown label {depth}")
        return self.frames[-1 - depth].label
