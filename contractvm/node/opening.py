"""How a node comes by its chain: in memory or in a data directory, new or as it was left.

Never: prints; what is found is for the command line to say.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Sequence
from typing import Final

from contractvm.archive import StoreArchive
from contractvm.chain import Chain
from contractvm.devaccounts import ETHER
from contractvm.errors import Rejected
from contractvm.frames import choose
from contractvm.genesis import BASE_FEE, CHAIN_ID, Allocation, Genesis
from contractvm.machine import Machine
from contractvm.node.config import Config
from contractvm.node.fork import ForkArchive, fork
from contractvm.node.statefile import Progress, StateFileError
from contractvm.node.states import genesis_from, save
from contractvm.rules import contract_rules
from contractvm.spill import SpillArchive
from contractvm.types import Address
from contractvm.wasm.machine import WasmMachine
from state.directory import open_store
from state.overlay import OverlayStore
from state.store import MemoryStore, Store
from state.world import World

log: Final = logging.getLogger("contractvm.node")
TELL_EVERY: Final = 1 << 16
"""Accounts of a state file between two lines of the log."""


def open_chain(config: Config, accounts: Iterable[Address], machines: Sequence[Machine] | None = None) -> Chain:
    """The chain that a node's options name; a new one gives `accounts` their ether, or has the state of a file.

    Raises: StoreError, IncompatibleChain, StateFileError, ValueError for a genesis out of bounds; then nothing was
        touched.
    """
    machines = (WasmMachine(config.tier),) if machines is None else machines
    if config.fork_url is not None:
        below, archive = forked(config)
        return endowed(Chain(below, machines=machines, archive=archive), config, accounts)
    if config.data is None:
        store = MemoryStore()
        genesis = genesis_of(config, accounts, machines)
        return Chain(store, genesis, machines=machines, archive=SpillArchive(store))
    kept = open_store(config.data, create=True)
    try:
        return Chain(kept, _named_genesis(config, accounts, machines, kept), machines=machines)
    except BaseException:
        kept.close()
        raise


def forked(config: Config) -> tuple[OverlayStore, ForkArchive]:
    """Where a forked chain's records and blocks are. Raises: RemoteError, IncompatibleChain, ValueError."""
    if config.data is not None or config.state is not None:
        raise ValueError("a forked chain is in memory: leave --data and --state out")
    return fork(config.fork_url or "", config.fork_block, contract_rules(), config.chain_id)


def endowed(chain: Chain, config: Config, accounts: Iterable[Address]) -> Chain:
    """Give the accounts that a forked chain does not have their ether, in a block of its own if there are any."""
    world = chain.world()
    missing = [address for address in accounts if not world.exists(address)]

    def give(world: World) -> None:
        for address in missing:
            world.set_balance(address, config.balance * ETHER)

    if missing and config.balance:
        chain.edit(give)
    return chain


def restart(chain: Chain, config: Config, accounts: Iterable[Address]) -> None:
    """Begin the chain anew: in memory as `open_chain` does, on disk from its first block.

    Raises: HeightError when that block's state is not kept.
    """
    if config.fork_url is not None:
        below, archive = forked(config)
        chain.restart(below, None, archive)
        endowed(chain, config, accounts)
    elif config.data is None:
        store = MemoryStore()
        chain.restart(store, genesis_of(config, accounts, chain.executor.machines), SpillArchive(store))
    else:
        chain.restart(None)


def close_chain(chain: Chain, config: Config, *, read: bool = False) -> None:
    """Leave the state in its file, if there is to be one, and close the chain. Raises: StoreFull, naming the file.

    `read`: others still read the store. One on disk must not be closed under them; it is open until the process ends.
    """
    try:
        if config.state is not None:
            count = save(chain, config.state, _progress("written"))
            log.info("the state of block %d is in %s: %d accounts", chain.head.number, config.state, count)
    finally:
        if not (read and chain.durable):
            chain.close()


def _progress(verb: str) -> Progress:
    """Says from time to time how far a file is."""

    def tell(count: int) -> None:
        if count and count % TELL_EVERY == 0:
            log.info("%d accounts %s", count, verb)

    return tell


def genesis_of(config: Config, accounts: Iterable[Address], machines: Sequence[Machine]) -> Genesis:
    """What a new chain begins with. Raises: ValueError for numbers out of bounds, StateFileError."""
    if config.state is not None and config.state.exists():
        return genesis_from(config.state, config.chain_id, _code_check(machines), _progress("read"))
    return Genesis(
        chain_id=CHAIN_ID if config.chain_id is None else config.chain_id,
        gas_limit=config.gas_limit,
        base_fee=BASE_FEE if config.base_fee is None else config.base_fee,
        alloc={address: Allocation(config.balance * ETHER) for address in accounts},
    )


def _named_genesis(
    config: Config, accounts: Iterable[Address], machines: Sequence[Machine], store: Store
) -> Genesis | None:
    """What to begin with; of a chain that is there only the id is compared, where one was given."""
    if StoreArchive(store).identity() is None:
        return genesis_of(config, accounts, machines)
    if config.state is not None and config.state.exists():
        raise StateFileError(
            f"{config.state}: a chain begins with a state, and {config.data} holds one already; "
            "name another directory, or leave one of the two options out"
        )
    return None if config.chain_id is None else genesis_of(config, accounts, machines)


def _code_check(machines: Sequence[Machine]) -> Callable[[bytes], None]:
    """Refuses code that a deployment would refuse."""
    rules = contract_rules()

    def check(code: bytes) -> None:
        machine = choose(machines, code)
        if machine is None:
            raise Rejected(f"no machine runs code that starts with {code[:4].hex() or 'nothing'}")
        machine.check(code, rules)

    return check
