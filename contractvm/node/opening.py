"""How a node comes by its chain: in memory or in a data directory, new or as it was left.

Never: prints; what is found is for the command line to say.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from contractvm.archive import StoreArchive
from contractvm.chain import Chain
from contractvm.devaccounts import ETHER
from contractvm.genesis import BASE_FEE, CHAIN_ID, Allocation, Genesis
from contractvm.machine import Machine
from contractvm.node.config import Config
from contractvm.spill import SpillArchive
from contractvm.types import Address
from state.directory import open_store
from state.store import MemoryStore, Store


def open_chain(config: Config, accounts: Iterable[Address], machines: Sequence[Machine] | None = None) -> Chain:
    """The chain that a node's options name; a new one gives `accounts` their ether.

    Raises: StoreError, IncompatibleChain, ValueError for a genesis out of bounds; then nothing was touched.
    """
    if config.data is None:
        store = MemoryStore()
        return Chain(store, genesis_of(config, accounts), machines=machines, archive=SpillArchive(store))
    kept = open_store(config.data, create=True)
    try:
        return Chain(kept, _named_genesis(config, accounts, kept), machines=machines)
    except BaseException:
        kept.close()
        raise


def restart(chain: Chain, config: Config, accounts: Iterable[Address]) -> None:
    """Begin the chain anew: in memory as `open_chain` does, on disk from its first block.

    Raises: HeightError when that block's state is not kept.
    """
    if config.data is None:
        store = MemoryStore()
        chain.restart(store, genesis_of(config, accounts), SpillArchive(store))
    else:
        chain.restart(None)


def genesis_of(config: Config, accounts: Iterable[Address]) -> Genesis:
    """What a new chain begins with. Raises: ValueError for numbers out of bounds."""
    return Genesis(
        chain_id=CHAIN_ID if config.chain_id is None else config.chain_id,
        gas_limit=config.gas_limit,
        base_fee=BASE_FEE if config.base_fee is None else config.base_fee,
        alloc={address: Allocation(config.balance * ETHER) for address in accounts},
    )


def _named_genesis(config: Config, accounts: Iterable[Address], store: Store) -> Genesis | None:
    """What to begin with; of a chain that is there only the id is compared, where one was given."""
    if config.chain_id is None and StoreArchive(store).identity() is not None:
        return None
    return genesis_of(config, accounts)
