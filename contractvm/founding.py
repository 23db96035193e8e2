"""Opening the chain in a store: the state and identity of what is there, or a first block where nothing is.

Never: touches a store that holds anything else.
"""

from __future__ import annotations

from collections.abc import Callable

from contractvm.archive import HEAD, IDENTITY, Archive
from contractvm.block import Block, Header
from contractvm.crypto import keccak_function
from contractvm.genesis import Genesis
from contractvm.identity import Identity, IncompatibleChain
from contractvm.rules import Rules
from contractvm.types import Hash
from state.database import StateDB
from state.store import Store
from state.world import World

CheckCode = Callable[[bytes], None]


def open_state(
    store: Store, archive: Archive, genesis: Genesis | None, rules: Rules, check_code: CheckCode
) -> tuple[StateDB, Identity]:
    """The state of the chain in a store, and what that chain is; an empty store gets `genesis`.

    With a `genesis`, an existing chain must have its id.

    Raises: IncompatibleChain, what `check_code` raises for code in the genesis, StoreCorrupt; then nothing was touched.
    """
    record = archive.identity()
    if record is None:
        if any(True for _ in store.keys(b"", None)):
            raise IncompatibleChain(
                "the store holds something that is no chain of ours, or only its beginning; give an empty one"
            )
        state = StateDB(store, keccak_function())
        return state, _found(store.backend, state, archive, genesis or Genesis(), rules, check_code)
    identity = Identity.unpack(record)
    identity.check(genesis.chain_id if genesis else None, rules, store.backend)
    return StateDB(store, keccak_function()), identity


def head_of(archive: Archive) -> Header:
    """Header of the last block of a chain that was opened. Raises: IncompatibleChain."""
    number = archive.head()
    header = None if number is None else archive.header(number)
    if header is None:
        raise IncompatibleChain(f"the store has an identity but no head (record {HEAD.hex()}): it is damaged")
    return header


def _found(
    backend: str, state: StateDB, archive: Archive, genesis: Genesis, rules: Rules, check_code: CheckCode
) -> Identity:
    """Write the first block to an empty store.

    Raises: IncompatibleChain when the state has not the root that was announced.
    """
    world = World(state.view())
    genesis.allocate(world, check_code)
    prepared = state.prepare(world, 0)
    for change in genesis.steps() if genesis.steps is not None else ():
        state.commit(prepared)
        change(world := World(state.view()))
        prepared = state.prepare(world, 0)
    if genesis.state_root not in (None, prepared.root):
        raise IncompatibleChain(f"the first state has root {prepared.root.hex()}, not what was said it has")
    header = genesis.header(Hash(prepared.root))
    identity = Identity(genesis.chain_id, rules.digest, header.hash, backend)
    records = archive.add(Block(header), [])
    records[IDENTITY] = identity.pack()
    state.commit(prepared, records, sync=True)
    return identity
