"""What a row of an instruction table is; each machine's table is a tuple of these.

One row feeds the decoder, the encoder, the validator, the gas meter, every tier, the disassembler, the fuzzer and the
generated reference. Never: behaviour of its own beyond looking rows up.
"""

from __future__ import annotations

from collections.abc import Callable

from contractvm.dataclass import dataclass


@dataclass(frozen=True, slots=True)
class Op:
    """One instruction.

    `code` is the opcode byte, or 0xFC00 | sub-opcode behind the 0xFC prefix. `imm` names the immediates' form, `sig`
    the stack effect ("i32 i32 -> i32"; "" when it depends on immediates or context), `cost` the price's name in the
    gas schedule, `feature` what `Rules` must switch on. `fn` is the meaning as a pure function of non-negative ints
    (None where the meaning needs the instance or is control flow); `traps` tells whether it can trap. For memory
    access `width` is the number of bytes in memory.
    """

    code: int
    name: str
    imm: str
    sig: str
    cost: str
    feature: str
    fn: Callable[..., int] | Callable[..., tuple[int, ...]] | None = None
    traps: bool = False
    width: int = 0

    @property
    def params(self) -> tuple[str, ...]:
        """Operand types, the deepest first."""
        return tuple(self.sig.split("->")[0].split())

    @property
    def results(self) -> tuple[str, ...]:
        """Result types."""
        return tuple(self.sig.split("->")[1].split()) if self.sig else ()
