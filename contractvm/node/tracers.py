"""callTracer and prestateTracer: geth's named tracers, for contracts of any machine.

Source: geth, "Built-in tracers". Storage keys and values are byte strings here, and are given as they are; a frame that
failed has no logs, nor has any below it. Frames are told from the innermost outwards, and deep ones are encoded as they
come: calls nest 1024 deep, deeper than encoders follow.
Never: follows instructions.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import orjson

from contractvm.execute import Executed
from contractvm.frames import create_address
from contractvm.machine import Kind, Status
from contractvm.node.layer import Layer
from contractvm.node.replay import Subject
from contractvm.node.steps import Room
from contractvm.tracing import MOST_BYTES, Emitted, Frame, Recorder
from sdk.abi import explain
from state.account import EMPTY_CODE_HASH
from state.world import World

Document = dict[str, Any]
NESTED: Final = 40
"""Levels of frames that are one value for the encoder: each is two of its own."""
TYPES: Final = {
    Kind.CALL: "CALL",
    Kind.STATIC: "STATICCALL",
    Kind.DELEGATE: "DELEGATECALL",
    Kind.CREATE: "CREATE",
    Kind.CREATE2: "CREATE2",
}
WORDS: Final = {
    Status.REVERT: "execution reverted",
    Status.OUT_OF_GAS: "out of gas",
    Status.FUNDS: "insufficient balance for transfer",
    Status.DEPTH: "max call depth exceeded",
    Status.NO_CODE: "no code at the address",
    Status.REENTRY: "reentry denied",
}


def nested(document: Document, depth: int) -> Any:
    """A frame's document, encoded where it stands too deep for an encoder to follow from the outermost."""
    return orjson.Fragment(orjson.dumps(document)) if depth and not depth % NESTED else document


def problem(frame: Frame) -> str:
    """Why a frame failed, in words."""
    if frame.status is Status.TRAP:
        return f"execution trapped: {frame.detail}" if frame.detail else "execution trapped"
    return WORDS[frame.status]


def outermost(subject: Subject, recorder: Recorder, executed: Executed) -> Frame:
    """The frame of the transaction itself, made up where no code ran; with the whole transaction's gas."""
    frame = recorder.roots[0] if recorder.roots else None
    if frame is None:
        to = subject.to
        kind = Kind.CREATE if to is None else Kind.CALL
        address = to or create_address(subject.sender, subject.nonce)
        frame = Frame(kind, address, address, b"", subject.sender, subject.value, subject.data)
        recorder.frames.insert(0, frame)
    if frame.creates:
        frame.input = subject.data
    frame.status, frame.gas, frame.gas_used = executed.status, subject.gas_limit, executed.gas_used
    frame.output = executed.output
    if executed.trap is not None:
        frame.detail = f"{executed.trap.code}: {executed.trap.detail}" if executed.trap.detail else executed.trap.code
    elif executed.detail:
        frame.detail = executed.detail
    return frame


def call_tree(subject: Subject, options: Mapping[str, Any], errors: Sequence[str], room: Room) -> Any:
    """callTracer: frames in each other; `onlyTopCall` and `withLog` are its options."""
    recorder = Recorder(writes=False, most_bytes=min(MOST_BYTES, room.size // 2))
    executed, _ = subject.run(recorder)
    room.size = recorder.bytes_left * 2
    top = outermost(subject, recorder, executed)
    frames = [top] if options.get("onlyTopCall") else recorder.frames
    with_log = bool(options.get("withLog"))
    undone = _undone(recorder.frames) if with_log else set()
    indices = _log_indices(top, undone) if with_log else {}
    documents: dict[int, Any] = {}
    for frame in reversed(frames):
        document = _frame(frame, errors)
        calls = [documents.pop(id(event)) for event in frame.events if id(event) in documents]
        if calls:
            document["calls"] = calls
        if with_log and id(frame) not in undone:
            logs = _logs(frame, indices)
            if logs:
                document["logs"] = logs
        documents[id(frame)] = nested(document, frame.depth)
    tree = documents[id(top)]
    if recorder.cut:
        tree["truncated"] = True
    return tree


def _frame(frame: Frame, errors: Sequence[str]) -> Document:
    document: Document = {
        "type": TYPES[frame.kind],
        "from": "0x" + (frame.address if frame.kind is Kind.DELEGATE else frame.caller).hex(),
        "to": "0x" + frame.code_address.hex() if frame.kind is Kind.DELEGATE else "0x" + frame.address.hex(),
        "gas": hex(frame.gas),
        "gasUsed": hex(frame.gas_used),
        "input": "0x" + frame.input.hex(),
    }
    if frame.kind is not Kind.STATIC:
        document["value"] = hex(frame.value)
    if frame.status is Status.OK:
        output = frame.code if frame.creates else frame.output
        if output:
            document["output"] = "0x" + output.hex()
        return document
    document["error"] = problem(frame)
    if frame.output:
        document["output"] = "0x" + frame.output.hex()
        if frame.status is Status.REVERT:
            document["revertReason"] = explain(frame.output, errors).text
    return document


def _undone(frames: Sequence[Frame]) -> set[int]:
    """The frames whose effects were taken back: those that failed, and all below them."""
    undone: set[int] = set()
    for frame in frames:
        if frame.status is not Status.OK or id(frame) in undone:
            undone.add(id(frame))
            undone.update(id(event) for event in frame.events if isinstance(event, Frame))
    return undone


def _log_indices(top: Frame, undone: set[int]) -> dict[int, int]:
    """The place of each log that took effect among those of the transaction."""
    indices: dict[int, int] = {}
    waiting: list[Frame | Emitted] = [top]
    while waiting:
        event = waiting.pop()
        if isinstance(event, Emitted):
            indices[id(event)] = len(indices)
        elif id(event) not in undone:
            waiting += [inner for inner in reversed(event.events) if isinstance(inner, Frame | Emitted)]
    return indices


def _logs(frame: Frame, indices: Mapping[int, int]) -> list[Document]:
    """A frame's logs; `position` is how many calls came before."""
    logs: list[Document] = []
    calls = 0
    for event in frame.events:
        if isinstance(event, Frame):
            calls += 1
        elif isinstance(event, Emitted):
            log = event.log
            logs.append(
                {
                    "address": "0x" + log.address.hex(),
                    "topics": ["0x" + topic.hex() for topic in log.topics],
                    "data": "0x" + log.data.hex(),
                    "index": hex(indices[id(event)]),
                    "position": hex(calls),
                }
            )
    return logs


def prestate(subject: Subject, options: Mapping[str, Any]) -> Document:
    """prestateTracer: what was read, as it was; with `diffMode`, what was changed, as it was and as it is."""
    _, world = subject.run()
    code, storage = not options.get("disableCode"), not options.get("disableStorage")
    if options.get("diffMode"):
        return _difference(world, code, storage)
    base = world.base
    found: Document = {}
    if isinstance(base, Layer):
        # Reading code below notes nothing new: it is asked for by its hash.
        for address, account in base.accounts.items():
            if account is None:
                found["0x" + address.hex()] = {"balance": "0x0"}
                continue
            content = base.code(account.code_hash) if account.code_hash != EMPTY_CODE_HASH else b""
            slots = base.slots.get(address, {}) if storage else {}
            found["0x" + address.hex()] = _state(
                account.balance, account.nonce, content if code else b"", {k: v for k, v in slots.items() if v}
            )
    return found


def _state(balance: int, nonce: int, code: bytes, slots: Mapping[bytes, bytes]) -> Document:
    state: Document = {"balance": hex(balance)}
    if nonce:
        state["nonce"] = nonce
    if code:
        state["code"] = "0x" + code.hex()
    if slots:
        state["storage"] = {"0x" + key.hex(): "0x" + value.hex() for key, value in slots.items()}
    return state


def _difference(world: World, code: bool, storage: bool) -> Document:
    pre: Document = {}
    post: Document = {}
    for change in world.changes():
        address, name = change.address, "0x" + change.address.hex()
        written = {key: (world.base_storage(address, key), value) for key, value in change.storage.items()}
        slots = {key: values for key, values in written.items() if values[0] != values[1]} if storage else {}
        before, after = change.before, change.account
        if before == after and not slots:
            continue
        if before is not None:
            content = world.base.code(before.code_hash) if code and before.code_hash != EMPTY_CODE_HASH else b""
            old = {key: was for key, (was, _) in slots.items() if was}
            pre[name] = _state(before.balance, before.nonce, content, old)
        if after is not None:
            new: Document = {}
            if before is None or after.balance != before.balance:
                new["balance"] = hex(after.balance)
            if before is None or after.nonce != before.nonce:
                new["nonce"] = after.nonce
            if code and after.code_hash != (EMPTY_CODE_HASH if before is None else before.code_hash):
                new["code"] = "0x" + world.code(address).hex()
            fresh = {"0x" + key.hex(): "0x" + now.hex() for key, (_, now) in slots.items() if now}
            if fresh:
                new["storage"] = fresh
            post[name] = new
    return {"pre": pre, "post": post}
