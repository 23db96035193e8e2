"""A contract's entry `call` run again and again in outermost frames of one host: what stays the same is found once.

Most calls that a node is asked for are short, and many of them go to the same contract. For those the way to the code
takes longer than the code. Here an instance on the native tier is kept out of the others' turns (`Idle`) and entered
for each frame as `WasmMachine.run` enters it: the same charges in the same order, the same memory and globals.
Never: decides what a frame costs or sees; what compiled code cannot finish by itself is left to the machine.
"""

from __future__ import annotations

from collections.abc import Callable

from contractvm.host import Finish, Host
from contractvm.nesting import untie
from contractvm.wasm.contract import Contract
from contractvm.wasm.mapped import NativeCode
from contractvm.wasm.runner import MOST_GAS_COUNTED, Idle, Native
from contractvm.wasm.unwinding import NoRoom, TailCall


class Repeated:
    """One contract's, for one host. Belongs to the host's thread; `end` gives the instance back."""

    __slots__ = ("_cost", "_entry", "_hash", "_host", "_idle", "_keep", "_pages", "_runner", "_weight")

    def __init__(
        self,
        contract: Contract,
        code: NativeCode,
        code_hash: bytes,
        cold: int,
        host: Host,
        idle: Idle,
        keep: Callable[[], bool],
    ) -> None:
        """`cold` is what code costs that is not warm, in milligas; `keep` whether the instance may wait for others at
        the end.
        """
        self._hash = code_hash
        self._cost = cold + contract.outermost_cost
        self._pages = contract.pages
        self._host = host
        self._idle = idle
        self._keep = keep
        self._weight = host.limits.stack_weight
        runner = idle.take(contract, host, code)
        self._runner = runner if isinstance(runner, Native) else Native(contract, host, code)
        self._entry, _ = self._runner.linkage.enter(contract.entries["call"])

    def begin(self) -> None:
        """See to what stays the same in a transaction; see `machine.Repeat`.

        The code is warm from then on: `run` charges for it each time as if it were not.
        """
        self._host.world.warm_address(self._hash)
        self._runner.linkage.serve(self._host)

    def run(self) -> bytes | None:
        """Run the frame of the host's input and meter as they are now; see `machine.Repeat`."""
        host, runner = self._host, self._runner
        if host.meter.limit > MOST_GAS_COUNTED:
            return None
        host.charge(self._cost)
        if not host.session.pages.take(self._pages):
            return None
        runner.again(host)
        try:
            return self._entry(self._weight) or b""
        except Finish as finish:
            untie(finish)
            return finish.data
        except (NoRoom, TailCall):
            return None
        finally:
            runner.memory.shrink()

    def end(self) -> None:
        """Let others have the instance."""
        self._idle.put(self._runner, self._host, self._keep())
