"""The wasm machine: contracts in WebAssembly behind the seam that all machines share.

A frame is a fresh instance. It ends by `finish`, `revert`, a trap, or by returning (empty output). Accepted modules
are kept, by code hash and rules, up to a total of code bytes. Source: design of the chain, "Contracts and the host
table".
Never: touches the world but through the `Host` it is given.
"""

from __future__ import annotations

from collections import OrderedDict

from contractvm.crypto import keccak256
from contractvm.errors import Malformed, Place, Trap, TrapCode
from contractvm.host import Host
from contractvm.rules import Rules
from contractvm.wasm.choice import MACHINE_TIERS, Choice, FellBack
from contractvm.wasm.contract import OPTIONAL_ENTRY, Contract, accept, reload
from contractvm.wasm.interpreter import Trace
from contractvm.wasm.repeated import Repeated
from contractvm.wasm.runner import Idle, Interpreted, free

MAGIC = b"\0asm"
_LENGTH_SECTION = b"\0\x08\x03cvm"
"""A custom section `cvm` of four bytes: the build puts it first, its payload is the module's length."""
_LENGTH_AT = 8 + len(_LENGTH_SECTION)
KEPT_CODE_BYTES = 4 << 20
"""Code of modules kept ready; what a module is prepared into takes a hundred times its bytes, at worst two hundred."""
MOST_REPEATED_PAGES = 16
"""Memory pages (of 64 KiB) of a contract whose instance may be kept out of the others' turns."""

Key = tuple[bytes, int]
"""Code hash, and the identity of the rules; what is kept for it holds the rules, so that no others can take it."""


class WasmMachine:
    """Runs contracts on one tier, or on the best that is ready."""

    name = "wasm"

    def __init__(
        self,
        tier: str = "auto",
        *,
        background: bool = True,
        fell_back: FellBack | None = None,
        trace: Trace | None = None,
    ) -> None:
        """`background` lets the tier `auto` have contracts compiled while they run; see `Choice`.

        `fell_back` is told of contracts that the tier `native` has to leave to the portable one. `trace` is told of
        each instruction, on the tier `reference` alone.

        Raises: ValueError for an unknown tier, or a trace on another one; Unavailable when the native tier is asked for
        and cannot be had.
        """
        if tier not in MACHINE_TIERS:
            raise ValueError(f"no tier {tier!r}; there are: {', '.join(MACHINE_TIERS)}")
        if trace is not None and tier != "reference":
            raise ValueError("a trace needs the reference tier")
        self.tier = tier
        self._trace = trace
        self._choice = Choice(tier, background, fell_back)
        self._kept: OrderedDict[Key, tuple[Contract, int]] = OrderedDict()
        self._kept_bytes = 0
        self._idle = Idle()

    @property
    def kept_code_bytes(self) -> int:
        """Bytes of code whose modules are kept ready."""
        return self._kept_bytes

    @property
    def idle_pages(self) -> int:
        """Memory pages (of 64 KiB) kept by instances that wait for their contract's next frame."""
        return self._idle.pages

    def accepts(self, code: bytes) -> bool:
        return code[:4] == MAGIC

    def split(self, init: bytes) -> tuple[bytes, bytes]:
        """Divide creation data into the module and the constructor's arguments behind it.

        Without a leading section `cvm` all of it is the module. Raises: Malformed.
        """
        if init[8:_LENGTH_AT] != _LENGTH_SECTION:
            return init, b""
        length = int.from_bytes(init[_LENGTH_AT : _LENGTH_AT + 4], "little")
        if not _LENGTH_AT + 4 <= length <= len(init):
            raise Malformed(f"section cvm says {length} bytes of module, {len(init)} are there", Place(_LENGTH_AT))
        return init[:length], init[length:]

    def check(self, code: bytes, rules: Rules) -> None:
        """Accept or refuse a contract. Raises: Malformed, Invalid, Unlinkable."""
        key = keccak256(code), id(rules)
        if key not in self._kept:
            contract = accept(code, rules)
            self._keep(key, contract, len(code))
            self._choice.deployed(contract, key[0])

    def sees_gas(self, code: bytes, code_hash: bytes, rules: Rules) -> bool:
        """Whether a contract imports anything whose result depends on how much gas is left."""
        return self._contract((code_hash, id(rules)), code, rules).sees_gas

    def run(self, code: bytes, code_hash: bytes, entry: str, host: Host) -> bytes:
        """Run "call" or "deploy" in a fresh instance and return the output.

        Raises: Revert, Trap (with its place), OutOfGas.
        """
        rules = host.rules
        key = code_hash, id(rules)
        if entry == OPTIONAL_ENTRY and entry not in self._contract(key, code, rules).entries:
            return b""
        if not host.world.warm_address(code_hash) and (cold := _cold(code, rules)):
            host.charge(cold)  # before it is decoded
        contract = self._contract(key, code, rules)
        host.charge(contract.cost if host.call.depth else contract.outermost_cost)
        index = contract.entries[entry]
        pages = host.session.pages
        if not pages.take(contract.pages):
            raise Trap(TrapCode.MEMORY_LIMIT, f"{contract.pages} pages wanted, {pages.left} left")
        weight = host.limits.stack_weight
        if self.tier == "reference":
            interpreted = Interpreted(contract, host)
            try:
                return interpreted.run(index, weight, self._trace)
            finally:
                pages.release(interpreted.memory.pages)
                free(interpreted.memory)
        compiled = contract.compiled.native or self._choice.code(contract, code_hash)
        runner = self._idle.take(contract, host, compiled)
        before = host.meter.left if compiled is None else 0
        try:
            return runner.run(index, weight)
        finally:
            if compiled is None:
                self._choice.ran(contract, code_hash, before - host.meter.left)
            pages.release(runner.memory.pages)
            self._idle.put(runner, host, keep=key in self._kept)

    def repeat(self, code: bytes, code_hash: bytes, host: Host) -> Repeated | None:
        """Get ready to run "call" in outermost frames of a host; see `machine.Repeating`."""
        key = code_hash, id(host.rules)
        contract = self._contract(key, code, host.rules)
        compiled = contract.compiled.native
        if compiled is None or self.tier == "reference" or contract.pages > MOST_REPEATED_PAGES:
            return None
        return Repeated(
            contract,
            compiled,
            code_hash,
            _cold(code, host.rules),
            host,
            self._idle,
            keep=lambda: key in self._kept,
        )

    def _contract(self, key: Key, code: bytes, rules: Rules) -> Contract:
        kept = self._kept.get(key)
        if kept is not None:
            self._kept.move_to_end(key)
            return kept[0]
        contract = reload(code, rules)
        self._keep(key, contract, len(code))
        return contract

    def _keep(self, key: Key, contract: Contract, size: int) -> None:
        self._kept[key] = contract, size
        self._kept_bytes += size
        while self._kept_bytes > KEPT_CODE_BYTES and len(self._kept) > 1:
            _, (forgotten, freed) = self._kept.popitem(last=False)
            self._kept_bytes -= freed
            self._idle.forget(forgotten)


def _cold(code: bytes, rules: Rules) -> int:
    """Milligas for entering code that the transaction has not entered before."""
    return max(len(code) - rules.covered_code_bytes, 0) * rules.schedule.milli("wasm.frame.code_byte")
