"""A node as its users run it: `contractvm node` in a process of its own, asked over HTTP, ended as it comes.

Never: opens the chain itself; that is for the tests, once the process is gone.
"""

from __future__ import annotations

import http.client
import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

from tests.contractvm.node.local import RpcError
from tests.sources import ROOT


class NodeProcess:
    """A running node. `start` may be a command that runs `contractvm` in another way."""

    def __init__(self, *options: str, start: Sequence[str] = ("-m", "contractvm.cli"), tier: str = "portable") -> None:
        command = [sys.executable, *start, "node", "--port", "0", "--tier", tier, "--json-logs", *options]
        environment: Mapping[str, str] = {**os.environ, "PYTHONPATH": str(ROOT)}
        self.process = subprocess.Popen(
            command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        self.url = ""

    def ready(self) -> Self:
        """Wait until it listens. Raises: AssertionError with what it said instead."""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            said = json.loads(line)
            if said["event"] == "listening":
                self.url = said["url"]
                return self
        raise AssertionError(self.complaint())

    def complaint(self) -> str:
        """What it wrote to stderr, at its end."""
        _, complaint = self.process.communicate(timeout=60)
        return str(complaint)

    def connect(self) -> Connection:
        """A connection of its own."""
        return Connection(self.url)

    def kill(self) -> None:
        """kill -9."""
        self.process.kill()
        self.process.communicate()

    def end(self) -> int:
        """Ask it to end, as a service manager does; the exit code."""
        self.process.send_signal(signal.SIGTERM)
        self.process.communicate(timeout=60)
        return self.process.returncode

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.process.poll() is None:
            self.kill()


class Connection:
    """One client."""

    def __init__(self, url: str) -> None:
        place = urlsplit(url)
        self._http = http.client.HTTPConnection(place.hostname or "", place.port, timeout=60)

    def rpc(self, method: str, *params: Any) -> Any:
        """A method's result. Raises: RpcError; OSError or HTTPException when the node is gone."""
        request = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
        self._http.request("POST", "/", json.dumps(request), {"Content-Type": "application/json"})
        answer = json.loads(self._http.getresponse().read())
        if "error" in answer:
            raise RpcError(answer["error"]["code"], answer["error"]["message"], answer["error"].get("data"))
        return answer["result"]

    def close(self) -> None:
        """Hang up."""
        self._http.close()


def data_of(path: Path) -> tuple[str, str]:
    """Options for a chain in a directory."""
    return "--data", str(path)
