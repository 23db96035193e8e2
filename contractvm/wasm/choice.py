"""Which tier runs a contract: the policy of `auto`, and what `native` does when code cannot be had natively.

`auto` runs a contract at once on the portable tier, and on the native one from the first frame on that begins when its
object is there: found in the cache, or compiled in the background since the contract was deployed or had used HOT gas.
`native` waits for the compiler instead. What is refused, overran or failed is not tried again by this process (nor, if
it is the code's fault, by any other: the cache remembers) and stays on the portable tier: outcome and gas are the same,
and `fell_back` is told. Never: a frame that changes its tier.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from contractvm.errors import ContractVMError
from contractvm.native import loader
from contractvm.native.compiler import CompileError, Refused, Unavailable, why_not
from contractvm.native.identity import llvmlite_version
from contractvm.native.loader import NoExecutableMemory
from contractvm.wasm.contract import Contract
from contractvm.wasm.foundry import foundry
from contractvm.wasm.mapped import NativeCode

TIERS: Final = ("reference", "portable", "native")
AUTO: Final = "auto"
MACHINE_TIERS: Final = (*TIERS, AUTO)
NATIVE: Final = "native"
HOT: Final = 2_000_000_000
"""Milligas on the portable tier after which a contract is worth a compiler's tenth of a second: about as long."""

FellBack = Callable[[bytes, ContractVMError], None]
"""Takes a code hash and why this code does not run natively though it should."""


def findable() -> bool:
    """Whether the cache can have something for this process: an object belongs to one version of llvmlite."""
    return loader.supported() and llvmlite_version() is not None


class Choice:
    """Chooses for one machine."""

    __slots__ = ("background", "fell_back", "loads", "tier")

    def __init__(self, tier: str, background: bool, fell_back: FellBack | None = None) -> None:
        """`background`: whether `auto` may have code compiled, and not only use what the cache has.

        Raises: Unavailable when `tier` is "native" and nothing can be compiled here.
        """
        self.fell_back = fell_back
        self.tier = tier
        self.loads = findable()
        self.background = background and why_not() is None
        if tier == NATIVE and (reason := why_not()) is not None:
            raise Unavailable(reason)

    def deployed(self, contract: Contract, code_hash: bytes) -> None:
        """A contract was accepted for deployment: it will be called."""
        if self.tier == AUTO and self.background:
            self._look(contract, code_hash)
            self._order(contract, code_hash)
        elif self.tier == NATIVE:
            self.code(contract, code_hash)

    def code(self, contract: Contract, code_hash: bytes) -> NativeCode | None:
        """The compiled form to run now; None for the portable tier, which never has any made."""
        compiled = contract.compiled
        if compiled.native is None and not compiled.asked:
            if self.tier == NATIVE:
                self._make(contract, code_hash)
            elif self.tier == AUTO:
                self._look(contract, code_hash)
        return compiled.native

    def ran(self, contract: Contract, code_hash: bytes, milligas: int) -> None:
        """A frame of the contract has used gas on the portable tier."""
        if self.tier == AUTO and self.background:
            compiled = contract.compiled
            compiled.heat += milligas
            if compiled.heat >= HOT:
                compiled.heat = 0
                compiled.asked = False  # another process may have compiled it meanwhile
                self._look(contract, code_hash)
                self._order(contract, code_hash)

    def _make(self, contract: Contract, code_hash: bytes) -> None:
        """Wait for the contract's compiled form, once."""
        try:
            foundry().make(contract.compiled, code_hash)
        except (Refused, CompileError, NoExecutableMemory) as problem:
            contract.compiled.asked = True
            if self.fell_back is not None:
                self.fell_back(code_hash, problem)

    def _look(self, contract: Contract, code_hash: bytes) -> None:
        """See whether the cache knows the contract, once."""
        compiled = contract.compiled
        if compiled.asked:
            return
        compiled.asked = True
        if not self.loads:
            return
        try:
            foundry().find(compiled, code_hash)
        except (Refused, NoExecutableMemory):
            compiled.ordered = True

    def _order(self, contract: Contract, code_hash: bytes) -> None:
        """Have the contract compiled, once."""
        compiled = contract.compiled
        if compiled.native is None and not compiled.ordered:
            compiled.ordered = True
            foundry().order(compiled, code_hash)
