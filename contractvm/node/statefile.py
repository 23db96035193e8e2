"""A state in a file: every account with balance, nonce, code and storage, to begin a chain from or to add to one.

The file is gzip's (RFC 1952), so that `zcat` unpacks it; what is packed is a run of frames, each four bytes of length
and canonical msgpack (`state.codec`):

    ["contractvm state", FORMAT, {chain_id, height, timestamp, gas_limit, base_fee, state_root}]
    ["a", address, nonce, balance, code hash, code]    code is empty where an account before had the same
    ["s", [key, value, key, value, ...]]               storage of that account by key, in as many frames as it takes
    ["end", accounts, sha256 of all frames before]

It is written and read as a stream, whatever its size. Reading checks all of it, the digest at its end too, before
anything is changed: a file that is cut short, changed or of something else is refused.
Never: blocks, transactions, receipts or keys of accounts. A state is what is there, not how it came to be.
"""

from __future__ import annotations

import gzip
import hashlib
import os
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from struct import Struct
from typing import IO, Any, Final

from contractvm.errors import ContractVMError
from contractvm.types import Address, Hash
from state.account import EMPTY_CODE_HASH, account_of
from state.codec import Packable, PackError, pack, unpack
from state.errors import StoreFull
from state.merkle import EMPTY_ROOT, Keccak
from state.ordered import prefix_end
from state.records import ACCOUNT, CODE, STORAGE
from state.store import Reader

NAME: Final = "contractvm state"
FORMAT: Final = 1
LEVEL: Final = 3
"""Of compression: where gzip is still faster than the state is read."""
BEGINNING: Final = "its beginning"
NO_STATE: Final = "this is no state file; `contractvm node --state FILE` and anvil_dumpState make them"
_LENGTH: Final = Struct(">I")
_FRAME_BYTES: Final = 64 << 10
"""Storage that is written together; single values may be longer."""
_LONGEST_FRAME: Final = 1 << 30

Progress = Callable[[int], None]
"""Is told at each account how many are done."""


class StateFileError(ContractVMError):
    """A file that is no state, or not this chain's; the text names the place and the way out."""


@dataclass(frozen=True, slots=True)
class About:
    """Whose state it is: of the block at `height`. Time in seconds since 1970, gas in whole gas, fee in wei a gas."""

    chain_id: int
    height: int
    timestamp: int
    gas_limit: int
    base_fee: int
    state_root: Hash

    def fields(self) -> dict[str, Packable]:
        """For the first frame; numbers that may pass 64 bits are bytes there."""
        return {
            "chain_id": self.chain_id,
            "height": self.height,
            "timestamp": self.timestamp,
            "gas_limit": self.gas_limit,
            "base_fee": _bytes_of(self.base_fee),
            "state_root": self.state_root,
        }


@dataclass(slots=True)
class Entry:
    """An account of a file, or more storage of the one before: then `address` is None."""

    address: Address | None = None
    nonce: int = 0
    balance: int = 0
    code: bytes = b""
    storage: list[tuple[bytes, bytes]] = field(default_factory=list)


def dump(reader: Reader, about: About, file: IO[bytes], progress: Progress | None = None) -> int:
    """Write the state that `reader` has, an unchanging store or snapshot; return the number of accounts.

    Raises: OSError of the file.
    """
    digest, count = hashlib.sha256(), 0
    with gzip.GzipFile(filename="", mode="wb", compresslevel=LEVEL, fileobj=file, mtime=0) as packed:

        def put(frame: list[Packable]) -> None:
            content = pack(frame)
            content = _LENGTH.pack(len(content)) + content
            digest.update(content)
            packed.write(content)

        put([NAME, FORMAT, about.fields()])
        for count, frame in _frames(reader):
            put(frame)
            if progress is not None and frame[0] == "a":
                progress(count)
        put(["end", count, digest.digest()])
    return count


def _frames(reader: Reader) -> Iterator[tuple[int, list[Packable]]]:
    """The frames of all accounts, each with the number of accounts so far."""
    written: set[bytes] = {EMPTY_CODE_HASH}
    for number, (record, value) in enumerate(reader.iterate(ACCOUNT, prefix_end(ACCOUNT)), 1):
        address, account = record[len(ACCOUNT) :], account_of(value)
        code = b""
        if account.code_hash not in written:
            code = reader.get(CODE + account.code_hash) or b""
            written.add(account.code_hash)
        yield number, ["a", address, account.nonce, _bytes_of(account.balance), account.code_hash, code]
        if account.storage_root == EMPTY_ROOT:
            continue
        prefix = STORAGE + address
        pairs: list[Packable] = []
        size = 0
        for key, content in reader.iterate(prefix, prefix_end(prefix)):
            pairs += [key[len(prefix) :], content]
            size += len(key) + len(content)
            if size >= _FRAME_BYTES:
                yield number, ["s", pairs]
                pairs, size = [], 0
        if pairs:
            yield number, ["s", pairs]


class Entries:
    """The accounts of a file, one after the other. Raises: StateFileError, while it is read."""

    def __init__(self, file: IO[bytes], keccak: Keccak, most_bytes: int | None = None) -> None:
        """Read the first frame. The file may unpack to `most_bytes` bytes; None: whatever it is."""
        self._packed = gzip.GzipFile(fileobj=file, mode="rb")
        self._digest = hashlib.sha256()
        self._keccak = keccak
        self._left = most_bytes
        self._codes: dict[bytes, bytes] = {EMPTY_CODE_HASH: b""}
        self.count = 0
        self.about = self._about(self._frame(BEGINNING))

    def __iter__(self) -> Iterator[Entry]:
        """Each account with the first part of its storage apart, each further part as an entry without address."""
        while True:
            before = self._digest.digest()
            frame = self._frame(f"account {self.count}")
            match frame:
                case ["a", bytes(address), int(nonce), bytes(balance), bytes(code_hash), bytes(code)]:
                    self.count += 1
                    if len(address) != 20 or len(balance) > 32 or nonce < 0:
                        break
                    code = self._code(address, code_hash, code)
                    yield Entry(Address(address), nonce, int.from_bytes(balance, "big"), code)
                case ["s", list(items)] if self.count and len(items) % 2 == 0:
                    if not all(isinstance(item, bytes) for item in items):
                        break
                    pairs = [(bytes(key), bytes(value)) for key, value in zip(items[::2], items[1::2], strict=True)]
                    if not all(value for _, value in pairs):
                        break
                    yield Entry(storage=pairs)
                case ["end", int(count), bytes(digest)]:
                    if count != self.count or digest != before:
                        raise StateFileError("the file was changed since it was written: its checksum is another one")
                    self._finish()
                    return
                case _:
                    break
        raise StateFileError(f"a frame behind account {self.count} is none of a state file")

    def _about(self, frame: list[Any]) -> About:
        match frame:
            case [str(name), int(version), dict(fields)] if name == NAME:
                if version != FORMAT:
                    raise StateFileError(f"the state has format {version}, this version reads {FORMAT}; dump it again")
            case _:
                raise StateFileError(NO_STATE)
        match fields:
            case {
                "chain_id": int(chain_id),
                "height": int(height),
                "timestamp": int(timestamp),
                "gas_limit": int(gas_limit),
                "base_fee": bytes(base_fee),
                "state_root": bytes(root),
            } if len(root) == 32 and min(chain_id, height, timestamp, gas_limit) >= 0:
                fee = int.from_bytes(base_fee, "big")
                return About(chain_id, height, timestamp, gas_limit, fee, Hash(root))
        raise StateFileError("the file does not say whose state it is: it is damaged")

    def _code(self, address: bytes, code_hash: bytes, code: bytes) -> bytes:
        if code:
            if self._keccak(code) != code_hash:
                raise StateFileError(f"the code of 0x{address.hex()} has another hash than the file says")
            self._codes[code_hash] = code
        known = self._codes.get(code_hash)
        if known is None:
            raise StateFileError(f"the code of 0x{address.hex()} is not in the file")
        return known

    def _frame(self, where: str) -> list[Any]:
        head = self._read(_LENGTH.size, where)
        (size,) = _LENGTH.unpack(head)
        if size > _LONGEST_FRAME:
            raise StateFileError(f"the file is damaged at {where}: a frame of {size} bytes")
        if self._left is not None:
            self._left -= size
            if self._left < 0:
                raise StateFileError("the state is too large to be sent; load it with `contractvm node --state FILE`")
        content = self._read(size, where)
        self._digest.update(head)
        self._digest.update(content)
        try:
            frame = unpack(content)
        except PackError as error:
            raise StateFileError(f"the file is damaged at {where}: {error}") from error
        return frame if isinstance(frame, list) else [frame]

    def _read(self, size: int, where: str) -> bytes:
        try:
            content = self._packed.read(size)
        except gzip.BadGzipFile as error:
            raise StateFileError(NO_STATE if where == BEGINNING else f"the file is damaged at {where}") from error
        except (EOFError, zlib.error) as error:
            raise StateFileError(f"the file is damaged or cut short at {where}: {error}") from error
        if len(content) != size:
            raise StateFileError(f"the file is cut short at {where}")
        return content

    def _finish(self) -> None:
        """Read what gzip itself has at the end: a checksum, then nothing."""
        try:
            if not self._packed.read(1):
                return
        except EOFError as error:
            raise StateFileError("the file is cut short at its end") from error
        except (zlib.error, gzip.BadGzipFile) as error:
            raise StateFileError(f"the file is damaged at its end: {error}") from error
        raise StateFileError("something follows the end of the state")


def write_file(path: Path, reader: Reader, about: About, progress: Progress | None = None) -> int:
    """Write a state beside a file and put it in its place when it is whole; return the number of accounts.

    Raises: StoreFull, naming the file; what was there before is still there.
    """
    aside = path.with_name(path.name + ".new")
    try:
        with open(aside, "wb") as file:
            count = dump(reader, about, file, progress)
            file.flush()
            os.fsync(file.fileno())
        os.replace(aside, path)
    except OSError as error:
        aside.unlink(missing_ok=True)
        raise StoreFull(f"{path}: the state cannot be written ({error.strerror}); check its owner and space") from error
    return count


def _bytes_of(number: int) -> bytes:
    return number.to_bytes((number.bit_length() + 7) >> 3, "big")
