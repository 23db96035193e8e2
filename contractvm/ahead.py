"""Senders recovered ahead: in processes of their own, while this one is busy with the block before.

Threads are no help there: each of a batch's thousand recoveries would have to wait for the interpreter's lock, which
making a block hardly ever lets go of. A helper is sent transactions as they came, in batches (their number, the length
of each, all their bytes), and answers with their senders' addresses; it is started at the first batch and ends when its
chain is closed or its parent is gone. Source: yellow paper appendix F. Never: decides anything, or holds up a block:
what a helper does not answer is recovered by whoever asks for the sender, with the same result.
"""

from __future__ import annotations

import os
import socket
import struct
import subprocess
import sys
import weakref
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from typing import Final

from contractvm.errors import Rejected
from contractvm.native.child import search_path
from contractvm.processors import processors
from contractvm.recovery import decode_many, decode_raws, recover_senders
from contractvm.transaction import Transaction
from contractvm.types import ZERO_ADDRESS, Address, Hash

BATCH: Final = 256
"""Transactions that a helper is sent at once."""
MOST_WAITING: Final = 2_048
"""Transactions that one helper may owe answers for: those answers fit the socket's buffer, so that it never waits for a
reader that is itself waiting to write. Others are recovered where they are asked for."""
MOST_HELPERS: Final = 7
_NUMBER: Final = struct.Struct(">I")
_ADDRESS: Final = 20
_BOOT: Final = "import sys; sys.path += sys.argv[1:]; from contractvm.ahead import serve; serve()"


class Incoming:
    """Transactions on their way into the pool: decoded, and their senders being worked out."""

    __slots__ = ("_decoded", "_waiting")

    def __init__(
        self, decoded: list[Transaction | Rejected], waiting: list[tuple[Helper, Sequence[Transaction]]]
    ) -> None:
        self._decoded = decoded
        self._waiting = waiting

    def wait(self) -> list[Transaction | Rejected]:
        """The transactions, or why they are refused, in order; their senders are known where they have one."""
        for helper, batch in self._waiting:
            helper.settle(batch)
        self._waiting = []
        return self._decoded


class Ahead:
    """The helpers of one chain, all but one for each processor. Belongs to one thread."""

    __slots__ = ("__weakref__", "_finalizer", "_helpers")

    def __init__(self) -> None:
        """Start nothing yet."""
        self._helpers: list[Helper] = []
        self._finalizer = weakref.finalize(self, _end_all, self._helpers)

    def begin(self, transactions: Iterable[bytes], chain_id: int) -> Incoming:
        """Decode signed transactions and let their senders be recovered meanwhile."""
        decoded = decode_raws(transactions, chain_id)
        asked = [tx for tx in decoded if isinstance(tx, Transaction)]
        waiting: list[tuple[Helper, Sequence[Transaction]]] = []
        for start in range(0, len(asked), BATCH):
            batch = asked[start : start + BATCH]
            helper = self._least_busy()
            if helper is not None and helper.ask(batch):
                waiting.append((helper, batch))
        return Incoming(decoded, waiting)

    def close(self) -> None:
        """End the helpers; batches under way are recovered by whoever waits for them."""
        self._finalizer()

    def _least_busy(self) -> Helper | None:
        for _ in range(len(self._helpers), _most_helpers()):
            self._helpers.append(Helper())
        return min((helper for helper in self._helpers if helper.alive), key=lambda helper: helper.owed, default=None)


class Helper:
    """One process that recovers; `owed` is the number of transactions it has not answered yet.

    Answers have no names: they come in the order of the batches. So whatever keeps a request from being sent whole, or
    an answer from being read whole, ends the helper.
    """

    __slots__ = ("_channel", "_owner", "_process", "_sent", "owed")

    def __init__(self) -> None:
        self.owed = 0
        self._owner = os.getpid()
        self._sent: deque[Sequence[Transaction]] = deque()
        self._channel, theirs = socket.socketpair()
        flags = ["-I", "-S"] + (["-B"] if sys.dont_write_bytecode else [])
        self._process: subprocess.Popen[bytes] | None = None
        with theirs:
            try:
                self._process = subprocess.Popen(
                    [sys.executable, *flags, "-c", _BOOT, *search_path()],
                    stdin=theirs.fileno(),
                    stdout=subprocess.DEVNULL,
                    start_new_session=True,
                    cwd="/",
                )
            except OSError:
                self._channel.close()

    @property
    def alive(self) -> bool:
        """Whether it can be asked: it was not ended, and this process did not come by a fork from its owner."""
        return self._channel.fileno() >= 0 and self._owner == os.getpid()

    @property
    def pid(self) -> int | None:
        """The process's id; None when it could not be started."""
        return None if self._process is None else self._process.pid

    def ask(self, batch: Sequence[Transaction]) -> bool:
        """Send a batch; whether it was taken."""
        if self.owed + len(batch) > MOST_WAITING:
            return False
        raws = [tx.encode() for tx in batch]
        head = struct.pack(f">{1 + len(raws)}I", len(raws), *map(len, raws))
        try:
            self._channel.sendall(head + b"".join(raws))
        except OSError:
            self.end()
            return False
        except BaseException:
            self.end()
            raise
        self._sent.append(batch)
        self.owed += len(batch)
        return True

    def settle(self, batch: Sequence[Transaction]) -> None:
        """Wait for the answers up to this batch's, and let its transactions know their senders."""
        while self.alive and any(sent is batch for sent in self._sent):
            first = self._sent.popleft()
            self.owed -= len(first)
            answer = self._answer(len(first) * _ADDRESS)
            for at, tx in enumerate(first if answer else ()):
                sender = answer[at * _ADDRESS : (at + 1) * _ADDRESS]
                if sender != ZERO_ADDRESS:
                    tx.keep_sender(Address(sender))
        recover_senders([tx for tx in batch if not tx.knows_sender])

    def _answer(self, size: int) -> bytes:
        """So many bytes, or none if the process is gone."""
        parts = bytearray()
        try:
            while len(parts) < size:
                part = self._channel.recv(size - len(parts))
                if not part:
                    raise ConnectionResetError
                parts += part
        except OSError:
            self.end()
            return b""
        except BaseException:
            self.end()
            raise
        return bytes(parts)

    def end(self) -> None:
        """Let the process go."""
        self._channel.close()
        self._sent.clear()
        self.owed = 0
        if self._process is not None and self._owner == os.getpid():
            self._process.kill()
            self._process.wait()


def _most_helpers() -> int:
    """Processors to spare, where this program is run by a Python executable that can be started again."""
    if not sys.executable or getattr(sys, "frozen", False):
        return 0
    return min(processors() - 1, MOST_HELPERS)


def serve() -> None:
    """A helper's work: requests from standard input, a socket, until there are no more or nobody reads the answers."""
    with suppress(OSError, struct.error), socket.socket(fileno=os.dup(0)) as channel:
        stream = channel.makefile("rb")
        while len(head := stream.read(_NUMBER.size)) == _NUMBER.size:
            (count,) = _NUMBER.unpack(head)
            sizes = struct.unpack(f">{count}I", stream.read(count * _NUMBER.size))
            raws = [stream.read(size) for size in sizes]
            channel.sendall(b"".join([_sender(raw) for raw in raws]))


def _sender(raw: bytes) -> bytes:
    """Who signed a transaction that has been decoded before; the zero address when no key fits."""
    try:
        return Transaction.decode(raw).sender
    except Rejected:
        return ZERO_ADDRESS


def _end_all(helpers: list[Helper]) -> None:
    for helper in helpers:
        helper.end()
    helpers.clear()


def take_all(
    take: Callable[[Transaction], Hash], transactions: Iterable[bytes] | Incoming, chain_id: int
) -> list[Hash | Rejected]:
    """Decode and take many signed transactions, in order: each one's hash, or why it is refused."""
    many = transactions.wait() if isinstance(transactions, Incoming) else decode_many(transactions, chain_id)
    answers: list[Hash | Rejected] = []
    for tx in many:
        try:
            answers.append(take(tx) if isinstance(tx, Transaction) else tx)
        except Rejected as refusal:
            answers.append(refusal)
    return answers
