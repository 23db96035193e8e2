"""JSON-RPC over HTTP, as a command needs it: one kept connection, a deadline on everything, errors that say what to do.

On the standard library's client, which costs a command no start-up time. Source: JSON-RPC 2.0; RFC 9112 by `http`.
Never: follows redirects, sends anything twice (a transaction may be in it), or shows more of a URL than its origin.
"""

from __future__ import annotations

import base64
import http.client
import json
import socket
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final
from urllib.parse import unquote

from contractvm.cli.problem import Problem
from contractvm.cli.url import checked
from contractvm.url import origin

UNKNOWN_METHOD: Final = -32601
LARGEST: Final = 256 << 20
"""Bytes of an answer."""
STALE_SECONDS: Final = 15.0
"""Idle time after which a connection is not used again: the node may be closing it at that moment."""
DEEPEST: Final = 8_000
"""Levels: 1,024 calls are two each, and some are the trace's own. So many are a few megabytes of stack."""
_PART: Final = 1 << 16


class NodeError(Problem):
    """The node answered with an error; `said` is its message, `rpc_code` its code and `data` what came with it."""

    def __init__(self, said: str, rpc_code: int, data: object = None) -> None:
        super().__init__(said, way_out(said, rpc_code))
        self.said = said
        self.rpc_code = rpc_code
        self.data = data


def way_out(said: str, rpc_code: int) -> str:
    """What to do about an error that a node gives."""
    if rpc_code == UNKNOWN_METHOD and "did you mean" not in said:
        return "this node does not serve that method; contractvm's own does: contractvm node"
    if "nonce too low" in said or "nonce too high" in said:
        return "leave --nonce out, and the account's next is used"
    if "insufficient funds" in said:
        return "send from another account with --from, or send less"
    return ""


@contextmanager
def nested_deeply() -> Iterator[None]:
    """Let JSON be nested as deeply as the longest chain of contract calls; deeper is refused and crashes nothing."""
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(DEEPEST)  # also where it was higher: hostile answers must not reach the end of the stack
    try:
        yield
    finally:
        sys.setrecursionlimit(before)


class Client:
    """A connection to a node, made when it is first needed. Close it, or use it in a `with` statement."""

    def __init__(self, url: str, timeout: float) -> None:
        """Raises: Problem for a URL that is none."""
        parts = checked(url, "the URL")
        self.origin = origin(url)
        self.timeout = timeout
        self._secure = parts.scheme == "https"
        self._host, self._port = parts.hostname or "", parts.port
        self._path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        self._headers = {"Content-Type": "application/json", "Accept": "application/json"}
        if parts.username is not None:
            word = f"{unquote(parts.username)}:{unquote(parts.password or '')}".encode()
            self._headers["Authorization"] = "Basic " + base64.b64encode(word).decode()
        self._connection: http.client.HTTPConnection | None = None
        self._used = 0.0
        self._number = 0

    def __repr__(self) -> str:
        return f"Client({self.origin})"

    def close(self) -> None:
        """Drop the connection; the next request makes another."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def ask(self, method: str, *params: object) -> Any:
        """The result of a method. Raises: NodeError; Problem when there is no answer."""
        self._number += 1
        request = {"jsonrpc": "2.0", "id": self._number, "method": method, "params": list(params)}
        return self._result(method, self._exchange(json.dumps(request).encode(), method))

    def ask_all(self, requests: Sequence[tuple[str, Sequence[object]]]) -> list[Any]:
        """The results of many methods in one batch, in order. Raises: as `ask`, for the first that failed."""
        if not requests:
            return []
        batch = [
            {"jsonrpc": "2.0", "id": number, "method": method, "params": list(params)}
            for number, (method, params) in enumerate(requests)
        ]
        answers = self._exchange(json.dumps(batch).encode(), requests[0][0])
        if not isinstance(answers, list):
            return [self._result(requests[0][0], answers)]
        by_number = {answer.get("id"): answer for answer in answers if isinstance(answer, dict)}
        return [self._result(method, by_number.get(number)) for number, (method, _) in enumerate(requests)]

    def _result(self, method: str, answer: object) -> Any:
        match answer:
            case {"error": {"code": int(code), "message": str(message), **rest}}:
                known = code != UNKNOWN_METHOD or method in message
                raise NodeError(message if known else f"{message}: {method}", code, rest.get("data"))
            case {"result": result}:
                return result
        raise Problem(
            f"what answers {method} at {self.origin} does not speak JSON-RPC", "check the URL, its path included"
        )

    def _exchange(self, body: bytes, method: str) -> Any:
        """Send a request, read its answer. Raises: Problem."""
        deadline = time.monotonic() + self.timeout
        try:
            status, content = self._post(body, deadline)
        except TimeoutError:
            self.close()
            raise Problem(
                f"the node at {self.origin} has not answered {method} within {self.timeout:g} seconds",
                "it may be at it still; --timeout SECONDS waits longer",
            ) from None
        except ConnectionRefusedError:
            self.close()
            raise Problem(
                f"no node answers at {self.origin}", "start one with contractvm node, or name another: -r URL"
            ) from None
        except socket.gaierror:
            self.close()
            raise Problem(f"there is no host {self._host}", "check the URL: -r http://127.0.0.1:8545") from None
        except (OSError, http.client.HTTPException) as error:
            self.close()
            reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
            raise Problem(f"the connection to {self.origin} failed: {reason}", "is the node running?") from None
        self._used = time.monotonic()
        try:
            with nested_deeply():
                return json.loads(content)
        except RecursionError:
            raise Problem(
                f"what {self.origin} answered to {method} is nested too deeply to be read",
                "Python 3.13 and newer read the deepest traces",
            ) from None
        except ValueError:
            said = f"HTTP {status}" if status != 200 else "something that is no JSON"
            raise Problem(
                f"what is at {self.origin} answered {method} with {said}", "check the URL, its path included"
            ) from None

    def _post(self, body: bytes, deadline: float) -> tuple[int, bytes]:
        """Status and content. Raises: TimeoutError, OSError, HTTPException; Problem for an answer too long."""
        if self._connection is not None and time.monotonic() - self._used > STALE_SECONDS:
            self.close()
        if self._connection is None:
            kind = http.client.HTTPSConnection if self._secure else http.client.HTTPConnection
            self._connection = kind(self._host, self._port, timeout=self.timeout)
        self._connection.request("POST", self._path, body, self._headers)
        response = self._connection.getresponse()
        parts, size = [], 0
        while part := response.read1(_PART):
            parts.append(part)
            size += len(part)
            if size > LARGEST:
                self.close()
                raise Problem(
                    f"the answer of {self.origin} is longer than {LARGEST >> 20} MiB", "ask for less at a time"
                )
            if time.monotonic() > deadline:
                raise TimeoutError
        response.close()  # read to its end, which a length alone does not tell the connection
        return response.status, b"".join(parts)
