"""State files: what is written is read again, to the same root; what is damaged, foreign or changed is refused."""

from __future__ import annotations

import gzip
import hashlib
import io
import random
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from contractvm.chain import Chain
from contractvm.crypto import keccak_function
from contractvm.devaccounts import dev_accounts
from contractvm.genesis import Allocation, Genesis
from contractvm.identity import IncompatibleChain
from contractvm.node.config import Config
from contractvm.node.opening import open_chain
from contractvm.node.statefile import Entries, StateFileError
from contractvm.node.states import dumped, loaded, read_through, save
from contractvm.types import Address
from contractvm.wasm.machine import WasmMachine
from sdk.build import build
from state.codec import pack
from state.errors import StoreFull
from state.store import MemoryStore
from state.world import World
from tests.contractvm.node.local import local
from tests.contractvm.node.process import NodeProcess
from tests.contractvm.node.test_dispatch import signed
from tests.sources import ROOT

MACHINES = (WasmMachine("portable"),)
MOST = 1 << 24


def grown(accounts: int = 30, slots: int = 5) -> Chain:
    """A chain with contracts, storage of all sizes, and accounts that hold nothing."""
    code = build(ROOT / "contracts" / "token" / "token.c").code
    chance = random.Random(7)
    alloc = {
        Address(chance.randbytes(20)): Allocation(
            balance=chance.choice([0, 1, 2**255]),
            nonce=chance.choice([0, 3, 2**63]),
            code=code if at % 3 == 0 else b"",
            storage={
                chance.randbytes(chance.randrange(1, 40)): chance.randbytes(chance.choice([1, 32, 5_000]))
                for _ in range(slots)
            }
            if at % 3 == 0
            else {},
        )
        for at in range(accounts)
    }
    return Chain(MemoryStore(), Genesis(chain_id=77, timestamp=1_000, alloc=alloc), machines=MACHINES)


@pytest.fixture(scope="module")
def content() -> Iterator[bytes]:
    """A state, as a file has it."""
    with grown() as chain:
        yield dumped(chain)


def opened(path: Path, chain_id: int | None = None) -> Chain:
    """A chain in memory that begins with a file."""
    return open_chain(Config(state=path, chain_id=chain_id), [Address(bytes(20))], MACHINES)


@pytest.mark.parametrize(("accounts", "slots"), [(0, 0), (1, 1), (30, 5), (4, 3_000), (9_000, 1)])
def test_a_chain_begins_where_another_was(accounts: int, slots: int, tmp_path: Path) -> None:
    path = tmp_path / "state"
    with grown(accounts, slots) as chain:
        chain.produce(timestamp=5_000)
        count = save(chain, path)
        root, account = chain.head.state_root, chain.head
        assert dumped(chain) == path.read_bytes()
    assert count == accounts
    with opened(path) as chain:
        assert (chain.chain_id, chain.head.number, chain.head.timestamp) == (77, 0, 5_000)
        assert (chain.head.state_root, chain.gas_limit) == (root, account.gas_limit)
        assert dumped(chain)[4:]  # and it can be written again
        chain.produce()


def test_loading_is_a_block_and_keeps_other_accounts(content: bytes) -> None:
    payee = Address(b"\x11" * 20)
    with grown() as source, Chain(MemoryStore(), machines=MACHINES) as chain:
        chain.edit(lambda world: world.set_balance(payee, 5))
        block = chain.edit(loaded(chain, content, MOST))
        assert block.number == 2
        assert chain.world().balance(payee) == 5
        mine, theirs = chain.world(), source.world()
        for entry in Entries(io.BytesIO(content), keccak_function()):
            if entry.address is not None:
                assert mine.balance(entry.address) == theirs.balance(entry.address)
                assert mine.code(entry.address) == theirs.code(entry.address)


def test_a_file_that_is_cut_short_or_changed_is_refused(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "state"
    chance = random.Random(5)
    raw = gzip.decompress(content)
    damaged = [content[: chance.randrange(len(content))] for _ in range(40)]
    damaged += [gzip.compress(raw[: chance.randrange(len(raw))], 1) for _ in range(40)]
    for _ in range(60):
        at = chance.randrange(len(raw))
        damaged.append(gzip.compress(raw[:at] + bytes([raw[at] ^ 1 << chance.randrange(8)]) + raw[at + 1 :], 1))
    damaged += [content + b"x", content + content]
    for wrong in damaged:
        path.write_bytes(wrong)
        with pytest.raises(StateFileError, match=str(path)):
            opened(path)


def test_something_else_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "state"
    for content in (b"", b"x", b"dear reader" * 99, gzip.compress(b'{"accounts": {}}' * 9)):
        path.write_bytes(content)
        with pytest.raises(StateFileError, match=str(path)):
            opened(path)
        assert path.read_bytes() == content


def reframed(change: Callable[[list[object]], None], content: bytes) -> bytes:
    """A file with changed frames and a checksum that is right for them."""
    from state.codec import unpack

    raw, at, frames = gzip.decompress(content), 0, []
    while at < len(raw):
        size = int.from_bytes(raw[at : at + 4], "big")
        frames.append(unpack(raw[at + 4 : at + 4 + size]))
        at += 4 + size
    change(frames)  # type: ignore[arg-type]
    digest, out = hashlib.sha256(), b""
    for frame in frames:
        if isinstance(frame, list) and frame[0] == "end":
            frame[2] = digest.digest()
        packed = pack(frame)
        packed = len(packed).to_bytes(4, "big") + packed
        digest.update(packed)
        out += packed
    return gzip.compress(out)


def edit(place: int, item: int, value: object) -> Callable[[list[object]], None]:
    """A change of one item of one frame."""

    def change(frames: list[object]) -> None:
        frame = frames[place]
        assert isinstance(frame, list)
        frame[item] = value

    return change


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (edit(0, 0, "other"), "no state file"),
        (edit(0, 1, 2), "format 2, this version reads 1"),
        (edit(0, 2, {}), "does not say whose state"),
        (edit(1, 1, b"short"), "none of a state file"),
        (edit(1, 3, bytes(33)), "none of a state file"),
        (edit(1, 4, bytes(32)), "not in the file|another hash"),
        (edit(-1, 1, 99), "checksum"),
        (lambda frames: frames.insert(1, ["s", [b"k", b"v"]]), "none of a state file"),
        (lambda frames: frames.insert(2, ["s", [b"k"]]), "none of a state file"),
        (lambda frames: frames.insert(2, ["s", [b"k", b""]]), "none of a state file"),
        (lambda frames: frames.insert(2, ["s", [b"k", 5]]), "none of a state file"),
        (lambda frames: frames.insert(2, 7), "none of a state file"),
    ],
)
def test_frames_that_make_no_sense_are_refused(
    change: Callable[[list[object]], None], says: str, content: bytes
) -> None:
    wrong = io.BytesIO(reframed(change, content))
    with pytest.raises(StateFileError, match=says):
        read_through(wrong, lambda code: None)


def test_a_state_of_another_root_is_refused(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "state"
    path.write_bytes(reframed(edit(1, 2, 123_456), content))
    with pytest.raises(IncompatibleChain, match="root"):
        opened(path)


def test_other_chains_and_bad_code_are_refused(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "state"
    path.write_bytes(content)
    with pytest.raises(StateFileError, match="of chain id 77, not 5"):
        opened(path, 5)
    keccak = keccak_function()

    def evil(frames: list[object]) -> None:
        for frame in frames:
            if isinstance(frame, list) and frame[0] == "a" and frame[5]:
                frame[5] = b"\0asm\1\0\0\0\xff"
                frame[4] = keccak(frame[5])
                return

    path.write_bytes(reframed(evil, content))
    with pytest.raises(StateFileError, match=r"is refused|not in the file"):
        opened(path)


def test_what_unpacks_to_too_much_is_refused(content: bytes) -> None:
    with grown() as chain, pytest.raises(StateFileError, match="too large"):
        loaded(chain, content, 1_000)
    bomb = gzip.compress((200 << 20).to_bytes(4, "big") + bytes(200 << 20))
    with grown() as chain, pytest.raises(StateFileError, match="too large"):
        loaded(chain, bomb, MOST)


def test_a_node_goes_on_where_it_ended(tmp_path: Path) -> None:
    path = tmp_path / "state.gz"
    somebody = Address(b"\x22" * 20)

    def give(world: World) -> None:
        world.set_balance(somebody, 44)

    with local(Config(state=path)) as node:
        assert not path.exists()
        node.on_loop(node.node.miner.edit(lambda: node.node.chain.edit(give)))
    with local(Config(state=path)) as node:
        assert int(node.rpc("eth_getBalance", "0x" + somebody.hex()), 16) == 44
        assert node.rpc("eth_blockNumber") == "0x0"
    with local(Config(data=tmp_path / "chain", state=path)) as node:
        assert int(node.rpc("eth_getBalance", "0x" + somebody.hex()), 16) == 44
    with pytest.raises(StateFileError, match="holds one already"):
        open_chain(Config(data=tmp_path / "chain", state=path), [], MACHINES)
    open_chain(Config(data=tmp_path / "chain"), [], MACHINES).close()


def test_a_file_that_cannot_be_written(tmp_path: Path) -> None:
    with grown(3) as chain, pytest.raises(StoreFull, match="cannot be written"):
        save(chain, tmp_path / "no" / "such" / "folder")


def test_a_process_that_is_told_to_end_leaves_its_state(tmp_path: Path) -> None:
    path = tmp_path / "state.gz"
    with NodeProcess("--state", str(path)).ready() as node:
        digest = node.connect().rpc("eth_sendRawTransaction", signed())
        assert node.connect().rpc("eth_getTransactionReceipt", digest)["status"] == "0x1"
        assert node.end() == 0
    with NodeProcess("--state", str(path)).ready() as node:
        assert node.connect().rpc("eth_getTransactionCount", "0x" + dev_accounts()[0].address.hex()) == "0x1"
        with NodeProcess("--fork-url", node.url).ready() as fork:
            assert fork.connect().rpc("eth_getTransactionCount", "0x" + dev_accounts()[0].address.hex()) == "0x1"
    path.write_bytes(path.read_bytes()[:-9])
    with NodeProcess("--state", str(path)) as node:
        complaint = node.complaint()
        assert node.process.returncode == 1
        # Which of the two words depends on whether the last byte of the content or only of the checksum is gone.
        assert re.search(re.escape(f"{path}: the file is ") + "(damaged or )?cut short at", complaint)
        assert "Traceback" not in complaint
