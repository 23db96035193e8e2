"""What a machine's generator hands to the compile worker: LLVM IR, and how much stack its functions may take.

A generator is a function `generate(payload: bytes) -> Translation` of any machine; it runs in the worker's process
and finds everything it needs in the payload. Never: imports LLVM or a machine.
"""

from __future__ import annotations

from collections.abc import Mapping

from contractvm.dataclass import dataclass
from contractvm.errors import ContractVMError


class Refused(ContractVMError):
    """This code cannot be had natively, today or tomorrow: it stays on the other tiers. `reason` says why."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Translation:
    """A module of LLVM IR as text; `stack` maps a function's symbol to the most bytes of stack a call of it may take.

    The bytes of a call include its return address. A function that `stack` does not name may take any fixed amount.
    """

    ir: str
    stack: Mapping[str, int]
