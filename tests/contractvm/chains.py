"""What the tests of the chain share: a chain of fake contracts with a clock that stands, and what can be seen of it.

Never: asserts anything about a chain.
"""

from __future__ import annotations

from dataclasses import replace

from contractvm.chain import Chain
from contractvm.clock import Clock
from contractvm.devaccounts import dev_accounts
from contractvm.errors import Revert
from contractvm.genesis import Genesis
from contractvm.host import Host
from contractvm.transaction import Transaction
from contractvm.types import Address, Hash
from state.store import MemoryStore, Store
from tests.contractvm.fake import Contract, FakeMachine, host_call, init, poke, store

ALICE, BOB, CAROL = dev_accounts()[:3]
TRANSFER = Transaction(max_fee=2 * 10**9, max_tip=3, gas_limit=100_000, to=BOB.address, value=5, chain_id=31_337)


def adder(host: Host, entry: str) -> bytes:
    """Counts its calls under `n` and logs each; call data `no` reverts."""
    if host.call.input == b"no":
        raise Revert(b"no")
    count = int.from_bytes(host.world.storage(host.self_address, b"n"), "big") + 1
    store(host, b"n", count.to_bytes(4, "big"))
    poke(host, 0, b"counted".ljust(32))
    host_call(host, "log", 0, 1, 0, 7)
    return count.to_bytes(4, "big")


def open_chain(where: Store | None = None, genesis: Genesis | None = None, **contracts: Contract) -> Chain:
    """A chain on fake machines with a clock that stands."""
    machine = FakeMachine({"adder": adder, **contracts})
    return Chain(
        MemoryStore() if where is None else where, genesis, machines=[machine], clock=Clock(lambda: 1_700_000_000.0)
    )


def send(chain: Chain, tx: Transaction, who: int = 0) -> Hash:
    """Sign with the next nonce and submit."""
    account = dev_accounts()[who]
    return chain.submit(replace(tx, nonce=chain.next_nonce(account.address)).sign(account.secret))


def deploy(chain: Chain, name: str = "adder") -> Address:
    """Deploy in a block of its own."""
    digest = send(chain, replace(TRANSFER, to=None, value=0, data=init(name), gas_limit=1_000_000))
    chain.produce()
    receipt = chain.receipt(digest)
    assert receipt is not None and receipt.created is not None
    return receipt.created


def fingerprint(chain: Chain) -> tuple[object, ...]:
    """What can be seen of a chain's end."""
    head = chain.head
    return (
        head.hash,
        [chain.block(number).hash for number in range(head.number + 1)],
        [receipt.transaction_hash for number in range(head.number + 1) for receipt in chain.receipts(number)],
        [chain.world().balance(account.address) for account in dev_accounts()],
        [tx.hash for tx in chain.pool],
        chain.clock.after(head.timestamp),
    )
