"""Requests as bytes to answers as bytes: JSON, batches, notifications, errors.

A single quick request is answered without a task or a future. In a batch each item fails alone, and transactions in it
have their senders recovered together. Source: JSON-RPC 2.0. Never: raises, whatever it is given; HTTP is `server`'s.
"""

from __future__ import annotations

import asyncio
import difflib
import logging
import time
from collections.abc import Awaitable, Mapping
from typing import Any, Final

import orjson

from contractvm.node.fault import INTERNAL, LIMIT, PARSE, REQUEST, UNKNOWN_METHOD, Fault, fault_of
from contractvm.node.node import Node
from contractvm.node.rows import Method
from contractvm.node.session import Session
from contractvm.recovery import FEWEST, decode_many

Answer = bytes | None | Awaitable[bytes | None]
"""What goes back, now or later; None for notifications alone."""
Reply = dict[str, Any] | None

log: Final = logging.getLogger("contractvm.node")
_ID_TYPES: Final = (str, int, float, type(None))


class Dispatcher:
    """Serves one node's methods."""

    def __init__(self, node: Node, methods: Mapping[str, Method]) -> None:
        self._node = node
        self._methods = node.methods = methods
        self._limits = node.config.limits

    def handle(self, body: bytes, session: Session | None = None) -> Answer:
        """Answer a request or a batch."""
        try:
            request = orjson.loads(body)
        except orjson.JSONDecodeError as error:
            return self._encode(_error(None, Fault(PARSE, f"parse error: {error}")))
        if isinstance(request, list):
            return self._batch(request, session)
        reply = self._one(request, session)
        if isinstance(reply, Awaitable):
            return self._later(reply)
        return self._encode(reply)

    async def _later(self, reply: Awaitable[Reply]) -> bytes | None:
        return self._encode(await reply)

    async def _batch(self, requests: list[Any], session: Session | None) -> bytes | None:
        """The answers of a batch in its order; in parts, so that others are served between them."""
        most = self._limits.batch
        if not requests:
            return self._encode(_error(None, Fault(REQUEST, "invalid request: an empty batch")))
        if len(requests) > most:
            return self._encode(_error(None, Fault(LIMIT, f"batch too large: {len(requests)} requests, limit {most}")))
        self._recover(requests)
        # Encoded as they come: answers as bytes are small beside the objects that they are made of.
        answers: list[bytes | asyncio.Future[bytes | None] | None] = []
        room, turn = self._limits.result_bytes, time.monotonic()
        for place, request in enumerate(requests):
            if place % _BATCH_PART == _BATCH_PART - 1 or time.monotonic() - turn > _BATCH_SECONDS:
                await asyncio.sleep(0)
                turn = time.monotonic()
            reply = self._one(request, session)
            if isinstance(reply, Awaitable):
                answers.append(asyncio.ensure_future(self._later(reply)))
                continue
            answers.append(part := self._encode(reply))
            room -= len(part or b"")
            if room < 0:
                return self._too_large()
        parts: list[bytes] = []
        room = self._limits.result_bytes
        for answer in answers:
            whole = await answer if isinstance(answer, asyncio.Future) else answer
            if whole is not None:
                parts.append(whole)
                room -= len(whole)
                if room < 0:
                    return self._too_large()
        return b"[" + b",".join(parts) + b"]" if parts else None

    def _too_large(self) -> bytes | None:
        """What a batch is answered with whose answers are too long; what follows in it is not done."""
        most = self._limits.result_bytes
        return self._encode(_error(None, Fault(LIMIT, f"response too large: the batch's answers pass {most} bytes")))

    def _recover(self, requests: list[Any]) -> None:
        """Have the senders of a batch's transactions recovered together; the pool finds them by their bytes."""
        raws = []
        for request in requests:
            match request:
                case {"method": "eth_sendRawTransaction", "params": [str(raw)]}:
                    try:
                        raws.append(bytes.fromhex(raw.removeprefix("0x")))
                    except ValueError:
                        continue
        if len(raws) >= FEWEST:
            self._node.decoded(raws, decode_many(raws, self._node.chain.chain_id))

    def _one(self, request: Any, session: Session | None) -> Reply | Awaitable[Reply]:
        """Answer one request; None for a notification."""
        number = None
        try:
            if not isinstance(request, dict):
                raise Fault(REQUEST, "invalid request: an object or a list of objects is expected")
            number, name = request.get("id"), request.get("method")
            if not isinstance(number, _ID_TYPES) or isinstance(number, bool):
                number = None
                raise Fault(REQUEST, "invalid request: id must be text, a number or null")
            if not isinstance(name, str):
                raise Fault(REQUEST, "invalid request: method must be text")
            if request.get("jsonrpc", "2.0") != "2.0":
                raise Fault(REQUEST, 'invalid request: jsonrpc must be "2.0"')
            notification = "id" not in request
            method = self._methods.get(name)
            if method is None:
                raise self._unknown(name)
            arguments = method.read(request.get("params"))
            self._node.count(name)
            if method.session:
                arguments.insert(0, session)
            result = method.handler(self._node, *arguments)
        except Exception as error:  # noqa: BLE001 - the edge: a request never ends the node
            return _error(number, self._fault(error, request))
        if isinstance(result, Awaitable):
            return self._finish(number, result, request, notification)
        return None if notification else {"jsonrpc": "2.0", "id": number, "result": result}

    async def _finish(self, number: object, result: Awaitable[Any], request: Any, notification: bool) -> Reply:
        try:
            value = await result
        except Exception as error:  # noqa: BLE001 - as above
            return _error(number, self._fault(error, request))
        return None if notification else {"jsonrpc": "2.0", "id": number, "result": value}

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

    def _encode(self, reply: Reply) -> bytes | None:
        return None if reply is None else self._bytes(reply)

    def _bytes(self, reply: dict[str, Any]) -> bytes:
        try:
            encoded = orjson.dumps(reply)
        except orjson.JSONEncodeError as error:
            log.error("an answer cannot be written: a bug of contractvm's; please report it", exc_info=error)
            return orjson.dumps(_error(reply.get("id"), Fault(INTERNAL, f"the answer cannot be written: {error}")))
        if len(encoded) > self._limits.result_bytes:
            fault = Fault(LIMIT, f"response too large: {len(encoded)} bytes, limit {self._limits.result_bytes}")
            return orjson.dumps(_error(reply.get("id"), fault))
        return encoded


_BATCH_PART: Final = 64
_BATCH_SECONDS: Final = 0.01
"""Items of a batch, and seconds, between which other requests are served."""


def _error(number: object, fault: Fault) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": number, "error": fault.document()}
