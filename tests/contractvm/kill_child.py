"""The process that `test_kill` kills: makes blocks as fast as it can, and says each one only after `produce` returned.

Run as `python -m tests.contractvm.kill_child DIRECTORY BACKEND [BYTES]`; a line is number, block hash, transaction
hashes. No file may become larger than BYTES: then the disk is full, and the process ends with that error.
"""

from __future__ import annotations

import os
import resource
import signal
import sys
from dataclasses import replace

from contractvm.chain import Chain
from contractvm.devaccounts import dev_accounts
from contractvm.transaction import Transaction
from state.directory import open_store
from tests.contractvm.chains import adder
from tests.contractvm.fake import FakeMachine, init

ALICE, BOB = dev_accounts()[:2]


def main(directory: str, backend: str, most_bytes: int = 0) -> None:
    """Go on until killed, or until a file would have to grow above `most_bytes`."""
    if most_bytes:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (most_bytes, most_bytes))
    with Chain(open_store(directory, create=True, backend=backend), machines=[FakeMachine({"adder": adder})]) as chain:
        shape = Transaction(max_fee=10**10, max_tip=1, gas_limit=200_000, chain_id=chain.chain_id)
        while True:
            nonce = chain.next_nonce(ALICE.address)
            for step in range(1 + nonce % 4):
                what = replace(shape, to=BOB.address, value=1) if step % 2 else replace(shape, data=init("adder"))
                chain.submit(replace(what, nonce=nonce + step).sign(ALICE.secret))
            block = chain.produce()
            words = [str(block.number), block.hash.hex(), *(tx.hash.hex() for tx in block.transactions)]
            os.write(1, (" ".join(words) + "\n").encode())


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], *map(int, sys.argv[3:]))
