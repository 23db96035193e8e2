"""Another contractvm node, asked over JSON-RPC: its state at one block, read as if it lay in a store here.

What was read once is kept: it never changes. Keys that were walked over are known to be all there are between them, so
that the next walk asks nothing. Source: `contractvm.node.methods.source` for what is asked.
Never: asks for another block's state than the one it was made for.
"""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator, Sequence
from threading import Lock
from typing import Any, Final
from urllib.parse import urlsplit

import orjson

from contractvm.errors import ContractVMError
from contractvm.url import origin
from state.errors import StoreError
from state.ordered import Gaps, SortedKeys, successor
from state.records import ACCOUNT, PAST

TIMEOUT: Final = 30
"""Seconds to wait for an answer."""
PAGE: Final = 256
"""Records of a range that are asked for together."""
_SHOWN: Final = 200
"""Characters of an answer that is none, in the error."""


def whole(url: str) -> str:
    """A URL with its scheme, http where none is given."""
    return url if "://" in url else f"http://{url}"


class RemoteError(ContractVMError):
    """The other node cannot be asked, or answers something else; the text names it and the way out."""


class Remote:
    """Requests to one URL, over one connection. May be used from any thread."""

    def __init__(self, url: str) -> None:
        """Ask nothing yet. `self.url` is what may be shown: a path may hold a key, what is before the host a password.

        Raises: RemoteError when the URL is none of a node.
        """
        try:
            place = urlsplit(url := whole(url))
            port, right = place.port, place.scheme in ("http", "https")
        except ValueError:
            right = False
        if not right or not place.hostname:
            # The URL is not repeated: it may hold a password, wherever it is wrong.
            raise RemoteError("this is no URL of a node; give one like http://127.0.0.1:8545")
        self.url = origin(url)
        self._path = place.path or "/"
        kind = http.client.HTTPSConnection if place.scheme == "https" else http.client.HTTPConnection
        self._connection = kind(place.hostname, port, timeout=TIMEOUT)
        self._lock = Lock()

    def ask(self, method: str, *params: object) -> Any:
        """A method's result. Raises: RemoteError, with the other node's message if it refused."""
        body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}).encode()
        with self._lock:
            raw = self._post(body)
        try:
            answer = orjson.loads(raw)
        except ValueError:
            answer = None
        match answer:
            case {"error": {"message": str(message)}}:
                raise RemoteError(f"{self.url} refuses {method}: {message[:_SHOWN]}")
            case {"result": result}:
                return result
        raise RemoteError(f"{self.url} answers {method} with no JSON-RPC: {raw[:_SHOWN]!r}")

    def close(self) -> None:
        """Hang up."""
        with self._lock:
            self._connection.close()

    def _post(self, body: bytes) -> bytes:
        """Send again over a new connection when the one that was kept is gone: nothing asked here changes anything."""
        for last in (False, True):
            try:
                self._connection.request("POST", self._path, body, {"Content-Type": "application/json"})
                return self._connection.getresponse().read()
            except (OSError, UnicodeError, http.client.HTTPException) as error:
                self._connection.close()
                if last:
                    raise RemoteError(
                        f"{self.url} cannot be reached ({error or type(error).__name__}); is the node running there?"
                    ) from error
        raise RemoteError(f"{self.url} cannot be reached")


class RemoteRecords:
    """The records of the state at one block of a remote chain: a `state.store.Reader`. From any thread."""

    def __init__(self, remote: Remote, block_hash: bytes) -> None:
        self._remote = remote
        self._block = "0x" + block_hash.hex()
        self._known: dict[bytes, bytes | None] = {}
        self._order = SortedKeys()
        self._covered = Gaps()  # stretches of which every record is known
        self._lock = Lock()

    def get(self, key: bytes) -> bytes | None:
        """Return the record at `key`. Raises: StoreError when the other node cannot be asked."""
        if not ACCOUNT <= key < PAST:
            return None
        with self._lock:
            if key in self._known:
                return self._known[key]
            if self._covered.end_of(key) != key:
                return None
            (value,) = self._ask("cvm_records", ["0x" + key.hex()])
            found = None if value is None else _bytes(value)
            self._known[key] = found
            return found

    def iterate(self, start: bytes, stop: bytes | None, reverse: bool = False) -> Iterator[tuple[bytes, bytes]]:
        """Yield `(key, record)` for `start <= key < stop`. Raises: as `get`."""
        for key in self.keys(start, stop, reverse):
            value = self.get(key)
            if value is not None:
                yield key, value

    def keys(self, start: bytes, stop: bytes | None, reverse: bool = False) -> Iterator[bytes]:
        """Yield the keys for `start <= key < stop`. Raises: as `get`."""
        low, high = max(start, ACCOUNT), PAST if stop is None else min(stop, PAST)
        while low < high:
            with self._lock:
                low, high, found = self._back(low, high) if reverse else self._on(low, high)
            yield from found

    def _on(self, low: bytes, high: bytes) -> tuple[bytes, bytes, list[bytes]]:
        """What is left of a range when its known beginning is taken off, and the keys of that."""
        end = self._covered.end_of(low)
        if end == low:
            pairs = self._page(low, high, False)
            end = successor(pairs[-1][0]) if pairs else high
            self._covered.add(low, end)
        end = high if end is None or end > high else end
        found: list[bytes] = []
        key = self._order.above(low, inclusive=True)
        while key is not None and key < end:
            found.append(key)
            key = self._order.above(key, inclusive=False)
        return end, high, found

    def _back(self, low: bytes, high: bytes) -> tuple[bytes, bytes, list[bytes]]:
        """As `_on`, from the range's end."""
        begin = self._covered.start_of(high)
        if begin == high:
            pairs = self._page(low, high, True)
            begin = pairs[-1][0] if pairs else low
            self._covered.add(begin, high)
        begin = low if begin is None or begin < low else begin
        found: list[bytes] = []
        key = self._order.below(high, inclusive=False)
        while key is not None and key >= begin:
            found.append(key)
            key = self._order.below(key, inclusive=False)
        return low, begin, found

    def _page(self, low: bytes, high: bytes, reverse: bool) -> Sequence[tuple[bytes, bytes]]:
        """Records from one end of a range; none when there are none."""
        answer = self._ask("cvm_recordRange", "0x" + low.hex(), "0x" + high.hex(), reverse, PAGE)
        pairs = [(_bytes(key), _bytes(value)) for key, value in answer]
        for key, value in pairs:
            self._known[key] = value
            self._order.add(key)
        return pairs

    def _ask(self, method: str, *params: object) -> Any:
        try:
            return self._remote.ask(method, self._block, *params)
        except RemoteError as error:
            raise StoreError(str(error)) from error


def _bytes(value: object) -> bytes:
    """Bytes of an answer. Raises: StoreError."""
    if isinstance(value, str) and value[:2] == "0x":
        try:
            return bytes.fromhex(value[2:])
        except ValueError:
            pass
    raise StoreError(f"the forked node answers {str(value)[:_SHOWN]!r} where data is expected")
