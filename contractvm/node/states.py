"""A chain's whole state, out of it and into it: `--state FILE`, `anvil_dumpState`, `anvil_loadState`.

Loading into a chain is one block that sets the file's accounts and leaves others as they are; beginning a chain from a
file is its first block, with the file's time, and nothing but the file's accounts: then its state root is the one that
the file was made at. What is loaded is read through twice, first to find it whole, so that nothing half is ever set.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import IO, Final

from contractvm.block import next_base_fee
from contractvm.chain import Chain
from contractvm.crypto import keccak_function
from contractvm.errors import ModuleError, Rejected
from contractvm.genesis import LEAST_GAS_LIMIT, Genesis
from contractvm.node.statefile import About, Entries, Entry, Progress, StateFileError, dump, write_file
from contractvm.types import Address
from state.store import Reader
from state.world import World

TOGETHER: Final = 4_096
"""Accounts and runs of storage that are set together when a chain begins: they are in memory until then."""
Change = Callable[[World], None]


def save(chain: Chain, path: Path, progress: Progress | None = None) -> int:
    """Write the state at the head into a file, which is replaced when it is whole; the number of accounts.

    Raises: StoreFull, naming the file.
    """
    about, records = _frozen(chain)
    return write_file(path, records, about, progress)


def dumped(chain: Chain) -> bytes:
    """The state at the head, as a file has it."""
    about, records = _frozen(chain)
    content = io.BytesIO()
    dump(records, about, content)
    return content.getvalue()


def loaded(chain: Chain, content: bytes, most_bytes: int) -> Change:
    """What to do to a world, by `Chain.edit`, to load a state that was dumped; unpacked it has `most_bytes` at most.

    Raises: StateFileError, and then there is nothing to do.
    """
    read_through(io.BytesIO(content), chain.executor.check_code, most_bytes)

    def change(world: World) -> None:
        put(Entries(io.BytesIO(content), keccak_function()), world)

    return change


def read_through(
    file: IO[bytes],
    check_code: Callable[[bytes], None],
    most_bytes: int | None = None,
    progress: Progress | None = None,
) -> About:
    """Read all of a file and change nothing. Raises: StateFileError, which says why it is no state; OSError."""
    entries = Entries(file, keccak_function(), most_bytes)
    for entry in entries:
        if progress is not None and entry.address is not None:
            progress(entries.count)
        if entry.code and entry.address is not None:
            try:
                check_code(entry.code)
            except (ModuleError, Rejected) as error:
                raise StateFileError(f"the code of 0x{entry.address.hex()} is refused: {error}") from error
    return entries.about


def genesis_from(
    path: Path, chain_id: int | None, check_code: Callable[[bytes], None], progress: Progress | None = None
) -> Genesis:
    """How a chain begins that has the state of a file. `chain_id` None: the file's.

    Raises: StateFileError, naming the file and why it is refused; OSError.
    """
    try:
        with open(path, "rb") as file:
            about = read_through(file, check_code, progress=progress)
        if chain_id not in (None, about.chain_id):
            raise StateFileError(f"it is of chain id {about.chain_id}, not {chain_id}")
        if about.gas_limit < LEAST_GAS_LIMIT:
            raise StateFileError(f"its gas limit, {about.gas_limit}, is below {LEAST_GAS_LIMIT}")
    except StateFileError as error:
        raise StateFileError(f"{path}: {error}") from error
    return Genesis(
        chain_id=about.chain_id,
        timestamp=about.timestamp,
        gas_limit=about.gas_limit,
        base_fee=about.base_fee,
        alloc={},
        steps=lambda: _steps(path),
        state_root=about.state_root,
    )


def put(entries: Iterable[Entry], world: World, last: Address | None = None) -> Address | None:
    """Set accounts and storage; `last` is the account of storage that comes first. Return the last one."""
    for entry in entries:
        if entry.address is not None:
            last = entry.address
            world.set_balance(last, entry.balance)
            world.set_nonce(last, entry.nonce)
            if world.code(last) != entry.code:
                world.set_code(last, entry.code)
        if last is None:
            raise StateFileError("storage comes before its account")
        for key, value in entry.storage:
            world.set_storage(last, key, value)
    return last


def _steps(path: Path) -> Iterator[Change]:
    with open(path, "rb") as file:
        last: Address | None = None
        part: list[Entry] = []

        def change(world: World) -> None:
            nonlocal last
            last = put(part, world, last)

        for entry in Entries(file, keccak_function()):
            part.append(entry)
            if len(part) == TOGETHER:
                yield change
                part = []
        yield change


def _frozen(chain: Chain) -> tuple[About, Reader]:
    """The records at the head, which no later block changes, and what they are the state of."""
    header, records = chain.records()
    return (
        About(
            chain_id=chain.chain_id,
            height=header.number,
            timestamp=header.timestamp,
            gas_limit=header.gas_limit,
            base_fee=next_base_fee(header, chain.rules),
            state_root=header.state_root,
        ),
        records,
    )
