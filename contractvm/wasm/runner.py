"""What a frame of a contract runs in: on the reference tier a new instance, on the others one used in turn.

Closing generated functions over an instance costs more than a short contract runs, and memory that was just used is
cheaper to clear than new memory is to get. So an instance whose frame has ended waits for the next frame of the same
contract, and everything that a frame can change is reset before it is entered again.
Never: shared by two frames at once; nothing of a frame is left for the next one to see.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from types import CellType, MethodType
from typing import Any

from contractvm.errors import Fatal
from contractvm.host import Finish, Host
from contractvm.native.context import MOST_GAS
from contractvm.nesting import untie
from contractvm.types import MILLI
from contractvm.wasm import interpreter, native, portable
from contractvm.wasm.contract import Contract
from contractvm.wasm.externs import Memory
from contractvm.wasm.instance import Instance
from contractvm.wasm.interpreter import Trace
from contractvm.wasm.mapped import NativeCode

MOST_GAS_COUNTED = MOST_GAS // MILLI
"""Whole gas that compiled code can count."""
IDLE_PAGES = 1_024
"""Memory pages (of 64 KiB) that waiting instances may hold together."""


class Interpreted:
    """A frame on the reference tier."""

    __slots__ = ("instance", "memory")

    def __init__(self, contract: Contract, host: Host) -> None:
        self.instance = Instance(contract.compiled, bind(contract, host), host.meter, host.session.pages)
        self.memory = host.memory = memory_of(self.instance)

    def run(self, index: int, weight: int, trace: Trace | None = None) -> bytes:
        """Enter the contract and return its output. Raises: Revert, Trap (with its place), OutOfGas."""
        self.instance.initialize()
        try:
            interpreter.run(self.instance.function(index), [], weight, trace)
        except Finish as finish:
            return finish.data
        return b""


class Portable:
    """An instance on the portable tier, for one frame after another."""

    __slots__ = ("code", "contract", "gas", "instance", "linkage", "memory")

    def __init__(self, contract: Contract, host: Host) -> None:
        """Make it, for its first frame."""
        self.contract = contract
        self.code: NativeCode | None = None
        self.gas = CellType(0)
        host.count_in(self.gas)
        self.instance = Instance(contract.compiled, bind(contract, host), host.meter, host.session.pages)
        self.linkage = portable.prepare(self.instance)
        self.memory = host.memory = memory_of(self.instance)
        self.instance.initialize()

    def renew(self, host: Host) -> None:
        """Make it ready for another frame."""
        host.count_in(self.gas)
        host.memory = self.memory
        self.instance.renew(bind(self.contract, host), host.meter, host.session.pages)
        self.linkage.rebind()

    def run(self, index: int, weight: int) -> bytes:
        """Enter the contract and return its output. Raises: Revert, Trap (with its place), OutOfGas."""
        try:
            portable.run_entry(self.linkage, index, weight)
        except Finish as finish:
            untie(finish)
            return finish.data
        return b""

    def release(self) -> None:
        """Free the memory, and untie what would be freed in too deep a recursion."""
        self.linkage.release()
        free(self.memory)


class Native:
    """An instance on the native tier, for one frame after another."""

    __slots__ = ("_variables", "code", "contract", "instance", "linkage", "memory")

    def __init__(self, contract: Contract, host: Host, code: NativeCode) -> None:
        """Make it, for its first frame."""
        self.contract = contract
        self.code = code
        self._variables = code.first_globals is None
        imports = self._imports(host) or [*contract.imports]
        self.instance = Instance(contract.compiled, imports, host.meter, host.session.pages)
        self.linkage = native.prepare(self.instance, code, contract.imports)
        self.linkage.serve(host)
        self.memory = host.memory = memory_of(self.instance)
        self.instance.initialize()

    def _imports(self, host: Host) -> list[Callable[..., Any]] | None:
        """What references to imported functions lead to, if there are any: compiled code calls the functions itself."""
        return [*bind(self.contract, host)] if self.code.layout.refers_to_imports else None

    def renew(self, host: Host) -> None:
        """Make it ready for another frame."""
        host.memory = self.memory
        imports = self._imports(host) if self.code.layout.refers_to_imports else None
        self.instance.renew(imports, host.meter, host.session.pages, variables=self._variables)
        self.linkage.renew()
        self.linkage.serve(host)

    def again(self, host: Host) -> None:
        """Make it ready for another frame of the host that it serves, with another input."""
        self.instance.renew(None, host.meter, host.session.pages, variables=self._variables)
        self.linkage.renew()
        self.linkage.hand_over(host)

    def run(self, index: int, weight: int) -> bytes:
        """Enter the contract and return its output. Raises: Revert, Trap (with its place), OutOfGas."""
        try:
            return native.run_entry(self.linkage, index, weight)
        except Finish as finish:
            untie(finish)
            return finish.data

    def release(self) -> None:
        """Free the memory."""
        free(self.memory)
        self.linkage.renew()


Runner = Portable | Native


class Idle:
    """Runners that wait for a frame of their contract, the longest waiting first; one a contract."""

    __slots__ = ("_waiting", "pages")

    def __init__(self) -> None:
        self._waiting: OrderedDict[int, Runner] = OrderedDict()
        self.pages = 0

    def take(self, contract: Contract, host: Host, code: NativeCode | None) -> Runner:
        """Return a runner made ready for a frame: one that waited, or a new one. It runs `code`, if there is such."""
        if code is not None and host.meter.limit > MOST_GAS_COUNTED:
            code = None
        runner = self._waiting.pop(id(contract), None)
        if runner is not None:
            self.pages -= contract.pages
            if runner.code is code:
                runner.renew(host)
                return runner
            runner.release()
        return Portable(contract, host) if code is None else Native(contract, host, code)

    def put(self, runner: Runner, host: Host, keep: bool) -> None:
        """Take back a runner whose frame has ended; the frame's meter counts on its own again.

        It waits for another frame if `keep` says that its contract is still known and no other runner waits.
        """
        if runner.code is None:
            host.count_in(CellType(0))
        contract = runner.contract
        place = id(contract)
        if not keep or place in self._waiting:
            runner.release()
            return
        runner.memory.shrink()
        self._waiting[place] = runner
        self.pages += contract.pages
        while self.pages > IDLE_PAGES:
            _, oldest = self._waiting.popitem(last=False)
            self._let_go(oldest)

    def forget(self, contract: Contract) -> None:
        """Let go of a contract's runner, which holds the contract and all that was made from it."""
        runner = self._waiting.pop(id(contract), None)
        if runner is not None:
            self._let_go(runner)

    def _let_go(self, runner: Runner) -> None:
        self.pages -= runner.contract.pages
        runner.release()


def free(memory: Memory) -> None:
    """Free the pages of an instance that runs no more.

    The instance is a cycle and waits for the collector, which does not count its megabytes. An emptied bytearray would
    wait with it: its last byte keeps what was freed before it from the next large memory.
    """
    memory.data = memory.cell.cell_contents = bytearray()


def bind(contract: Contract, host: Host) -> list[MethodType]:
    """The host functions that a contract imports, bound to a frame's host."""
    return [MethodType(fn, host) for fn in contract.imports]


def memory_of(instance: Instance) -> Memory:
    """A contract's one memory."""
    if instance.memory is None:
        raise Fatal("a contract without memory was accepted")
    return instance.memory
