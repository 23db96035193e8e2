"""Requests as bytes to answers as bytes: JSON, batches, notifications, errors.

A quick request, or batch of such, is answered without a task or a future. In a batch each item fails alone, and
transactions in it have their senders recovered together. Source: JSON-RPC 2.0.
Never: raises, whatever it is given; HTTP is `server`'s.
"""

from __future__ import annotations

import asyncio
import difflib
import logging
import time
from collections import deque
from collections.abc import Awaitable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any, Final

import orjson

from contractvm.node.fault import INTERNAL, LIMIT, PARSE, REQUEST, UNKNOWN_METHOD, Fault, fault_of
from contractvm.node.node import Node
from contractvm.node.rows import Method
from contractvm.node.session import Session
from contractvm.recovery import FEWEST, decode_many
from contractvm.types import Hash

Answer = bytes | None | Awaitable[bytes | None]
"""What goes back, now or later; None for notifications alone."""

log: Final = logging.getLogger("contractvm.node")
_DONE: Final = object()
_ID_TYPES: Final = frozenset({str, int, float, type(None)})


class Dispatcher:
    """Serves one node's methods."""

    def __init__(self, node: Node, methods: Mapping[str, Method]) -> None:
        self._node = node
        self._methods = node.methods = methods
        self._calls = node.calls
        self._limits = node.config.limits
        self._vigil = node.vigil

    def handle(self, body: bytes, session: Session | None = None) -> Answer:
        """Answer a request or a batch."""
        self._vigil.begins()
        if owed := self._node.miner.settle():
            return self._after(owed, body, session)
        try:
            request = orjson.loads(body)
        except orjson.JSONDecodeError as error:
            return self._encode(_error(None, Fault(PARSE, f"parse error: {error}")))
        answer = self._batch(request, session) if isinstance(request, list) else self._answer(request, session)
        self._vigil.ends()
        return answer

    async def _after(self, owed: Iterable[asyncio.Future[Hash]], body: bytes, session: Session | None) -> bytes | None:
        """Answer when what was promised to somebody before is in a block."""
        await asyncio.wait(owed)
        answer = self.handle(body, session)
        return await answer if isinstance(answer, Awaitable) else answer

    def _batch(self, requests: list[Any], session: Session | None) -> Answer:
        """The answers of a batch in its order: at once where they are there in a moment."""
        most = self._limits.batch
        if not requests:
            return self._encode(_error(None, Fault(REQUEST, "invalid request: an empty batch")))
        if len(requests) > most:
            return self._encode(_error(None, Fault(LIMIT, f"batch too large: {len(requests)} requests, limit {most}")))
        # Encoded as they come: answers as bytes are small beside the objects that they are made of.
        answers: list[bytes | asyncio.Future[bytes | None]] = []
        parts = self._parts(requests, session, answers)
        try:
            if next(parts, _DONE) is _DONE:
                ready = [answer for answer in answers if isinstance(answer, bytes)]
                if len(ready) == len(answers):
                    return _joined(ready)
        except Fault as fault:
            return self._encode(_error(None, fault))
        return self._rest(parts, answers)

    async def _rest(
        self, parts: Iterator[None], answers: Sequence[bytes | asyncio.Future[bytes | None]]
    ) -> bytes | None:
        """The answers of a batch when all are there; others are served between its parts."""
        ready, room = [], self._limits.result_bytes
        try:
            for _ in parts:
                await asyncio.sleep(0)
            self._vigil.ends()
            for answer in answers:
                whole = answer if isinstance(answer, bytes) else await answer
                if whole is not None:
                    ready.append(whole)
                    room -= len(whole)
                    if room < 0:
                        raise self._too_large()
        except Fault as fault:
            return self._encode(_error(None, fault))
        return _joined(ready)

    def _parts(
        self, requests: Iterable[Any], session: Session | None, answers: list[bytes | asyncio.Future[bytes | None]]
    ) -> Iterator[None]:
        """Answer a batch, a part at a time. Raises: Fault when the answers are too long; what follows is not done."""
        room, rest = self._limits.result_bytes, deque(requests)
        while rest:
            waiting = deque(rest.popleft() for _ in range(min(_RECOVERED, len(rest))))
            self._recover(waiting)
            while waiting:
                room -= self._part(waiting, session, answers)
                if room < 0:
                    raise self._too_large()
                if waiting or rest:
                    yield

    def _part(
        self, waiting: deque[Any], session: Session | None, answers: list[bytes | asyncio.Future[bytes | None]]
    ) -> int:
        """Answer some of a batch's requests; return the bytes of the answers that are there."""
        size, clock = 0, time.monotonic
        until = clock() + _BATCH_SECONDS
        with self._node.caller.together():
            while waiting and clock() < until:
                answer = self._answer(waiting.popleft(), session)
                if isinstance(answer, bytes):
                    answers.append(answer)
                    size += len(answer)
                elif answer is not None:
                    answers.append(asyncio.ensure_future(answer))
        return size

    def _too_large(self) -> Fault:
        """What a batch is answered with whose answers are too long."""
        return Fault(LIMIT, f"response too large: the batch's answers pass {self._limits.result_bytes} bytes")

    def _recover(self, requests: Iterable[Any]) -> None:
        """Have the senders of requests' transactions recovered together; the pool finds them by their bytes."""
        raws = []
        for request in requests:
            # No `match`: on an object it takes four times as long, and most batches are of something else.
            if isinstance(request, dict) and request.get("method") == "eth_sendRawTransaction":
                params = request.get("params")
                if isinstance(params, list) and params and isinstance(params[0], str):
                    with suppress(ValueError):
                        raws.append(bytes.fromhex(params[0].removeprefix("0x")))
        if len(raws) >= FEWEST:
            self._node.decoded(raws, decode_many(raws, self._node.chain.chain_id))

    def _answer(self, request: Any, session: Session | None) -> Answer:
        """Answer one request; None for a notification."""
        number = None
        try:
            if not isinstance(request, dict):
                raise Fault(REQUEST, "invalid request: an object or a list of objects is expected")
            get = request.get
            number, name = get("id"), get("method")
            if number.__class__ not in _ID_TYPES:
                number = None
                raise Fault(REQUEST, "invalid request: id must be text, a number or null")
            if not isinstance(name, str):
                raise Fault(REQUEST, "invalid request: method must be text")
            if get("jsonrpc", "2.0") != "2.0":
                raise Fault(REQUEST, 'invalid request: jsonrpc must be "2.0"')
            method = self._methods.get(name)
            if method is None:
                raise self._unknown(name)
            arguments = method.read(get("params"))
            self._calls[name] += 1
            if method.session:
                arguments.insert(0, session)
            result = method.handler(self._node, *arguments)
        except Exception as error:  # noqa: BLE001 - the edge: a request never ends the node
            return self._encode(_error(number, self._fault(error, request)))
        # Asked of text last, since asking whether something is awaitable takes as long as all of the above.
        if not isinstance(result, str) and isinstance(result, Awaitable):
            return self._finish(number, result, request)
        return self._written(number, result, request)

    async def _finish(self, number: object, result: Awaitable[Any], request: dict[str, Any]) -> bytes | None:
        try:
            value = await result
        except Exception as error:  # noqa: BLE001 - as above
            return self._encode(_error(number, self._fault(error, request)))
        return self._written(number, value, request)

    def _written(self, number: object, result: Any, request: dict[str, Any]) -> bytes | None:
        """A result as it is sent; nobody waits for that of a notification."""
        if number is None and "id" not in request:
            return None
        return self._encode({"jsonrpc": "2.0", "id": number, "result": result})

    def _fault(self, error: Exception, request: Any) -> Fault:
        fault = fault_of(error, self._node.known_errors())
        if fault is None:
            name = request.get("method") if isinstance(request, dict) else None
            log.error("%s failed: a bug of contractvm's; please report it", name, exc_info=error)
            fault = Fault(INTERNAL, f"internal error: {type(error).__name__}; the node's log says more")
        return fault

    def _unknown(self, name: str) -> Fault:
        near = difflib.get_close_matches(name[:80], self._methods, 1)
        guess = f"; did you mean {near[0]}?" if near else "; rpc.discover lists all"
        return Fault(UNKNOWN_METHOD, f"the method {name[:80]} does not exist/is not available{guess}")

    def _encode(self, reply: dict[str, Any]) -> bytes:
        try:
            encoded = orjson.dumps(reply)
        except orjson.JSONEncodeError as error:
            log.error("an answer cannot be written: a bug of contractvm's; please report it", exc_info=error)
            return orjson.dumps(_error(reply.get("id"), Fault(INTERNAL, f"the answer cannot be written: {error}")))
        if len(encoded) > self._limits.result_bytes:
            fault = Fault(LIMIT, f"response too large: {len(encoded)} bytes, limit {self._limits.result_bytes}")
            return orjson.dumps(_error(reply.get("id"), fault))
        return encoded


_BATCH_SECONDS: Final = 0.01
"""Of a batch, between which other requests are served."""
_RECOVERED: Final = 256
"""Requests of a batch whose transactions' senders are recovered together, which takes as long."""


def _joined(answers: Sequence[bytes]) -> bytes | None:
    """A batch's answers as they are sent; nothing when all were notifications."""
    return b"[" + b",".join(answers) + b"]" if answers else None


def _error(number: object, fault: Fault) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": number, "error": fault.document()}
