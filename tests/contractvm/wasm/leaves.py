"""A process that uses the native tier and ends at some moment: `python -m tests.contractvm.wasm.leaves TIER SECONDS`.

Prints what a frame answered and the id of the compile worker, or 0. With `auto` it leaves while the worker starts or
works, unless it waits for long. Never: waits for the compiler itself.
"""

from __future__ import annotations

import sys
import time

from contractvm.wasm.foundry import foundry
from contractvm.wasm.machine import WasmMachine
from tests.contractvm.host.rig import RULES
from tests.contractvm.wasm.foundries import CODE, frame

if __name__ == "__main__":
    machine = WasmMachine(sys.argv[1])
    machine.check(CODE, RULES)
    ended, *_ = frame(machine)
    time.sleep(float(sys.argv[2]))
    print(ended, foundry().compiler.worker or 0)
