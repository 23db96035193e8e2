"""What is done to a function when all of it is written: locals that nobody reads are gone, the others are counted anew.

Locals beyond a function's first 32 cost gas at each call (gas/schedules, `wasm.frame.local`), so none is declared for
nothing. Those of one type stand together, because that is how a module declares them; the most used of each come first.
Never: moves an instruction.
"""

from __future__ import annotations

from collections import Counter

from contractvm.wasm.module import I32, I64
from sdk.compiler.back.asm import Body
from sdk.compiler.back.shorten import Instruction, shorten

_LOCAL = frozenset({"local.get", "local.set", "local.tee"})


def tidy(body: Body) -> None:
    """Change a finished body for the better."""
    _forget(body)
    _renumber(body)


def _forget(body: Body) -> None:
    """Drop what is written to a local that nobody reads; again, because that may have read the only use of another."""
    while True:
        read = {one.imm for one in body.code if one.name == "local.get"}
        kept: list[Instruction] = []
        for one in body.code:
            if one.name == "local.tee" and one.imm not in read:
                continue
            if one.name == "local.set" and one.imm not in read:
                one.name, one.imm = "drop", None
                if shorten(kept, "drop", None):
                    continue
            kept.append(one)
        if len(kept) == len(body.code):
            return
        body.code[:] = kept


def _renumber(body: Body) -> None:
    params = len(body.params)
    used = Counter(one.imm for one in body.code if one.name in _LOCAL)
    numbers: dict[object, int] = {local: local for local in range(params)}
    declared: list[int] = []
    for type_ in (I64, I32):
        locals_ = [params + i for i, local in enumerate(body.locals) if local == type_ and used[params + i]]
        for local in sorted(locals_, key=lambda local: (-used[local], local)):
            numbers[local] = params + len(declared)
            declared.append(type_)
    for one in body.code:
        if one.name in _LOCAL:
            one.imm = numbers[one.imm]
    body.locals[:] = declared
