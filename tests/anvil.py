"""anvil, from npm, as a peer: a fresh node for the length of a `with`, on a free port of this machine.

Never: a node that was there before.
"""

from __future__ import annotations

import json
import socket
import subprocess
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ANVIL = "@foundry-rs/anvil@1.7.1"
START_SECONDS = 30.0
ANSWER_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Peer:
    """Any node behind a URL; `pid` is its process where it is known."""

    url: str
    pid: int | None = None

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self.url.rsplit(":", 1)[1])

    def ask(self, method: str, params: Sequence[object]) -> dict[str, Any]:
        """The whole answer. Raises: OSError when there is none."""
        body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}).encode()
        request = urllib.request.Request(self.url, body, {"content-type": "application/json"})
        with urllib.request.urlopen(request, timeout=ANSWER_SECONDS) as response:
            answer: dict[str, Any] = json.load(response)
        return answer


@contextmanager
def anvil(commands: Path, *options: str) -> Iterator[Peer]:
    """Run the anvil of a folder of commands. Raises: TimeoutError when it does not answer.

    Old states it writes to files, in a home folder where it leaves gigabytes when it is ended; here they go with it.
    """
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with tempfile.TemporaryDirectory(prefix="contractvm-anvil-", ignore_cleanup_errors=True) as states:
        where = ["--port", str(port), "--cache-path", states]
        process = subprocess.Popen([str(commands / "anvil"), "--quiet", *where, *options])
        peer = Peer(f"http://127.0.0.1:{port}", process.pid)
        try:
            _await(peer)
            yield peer
        finally:
            process.terminate()
            process.wait()


def _await(peer: Peer) -> None:
    """Come back when it answers. Raises: TimeoutError."""
    until = time.monotonic() + START_SECONDS
    while True:
        try:
            peer.ask("eth_chainId", [])
            return
        except OSError:
            if time.monotonic() > until:
                raise TimeoutError("anvil does not answer") from None
            time.sleep(0.05)
