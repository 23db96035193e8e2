"""`cvm_trace`: the call tree of a transaction with names, arguments, events, storage, gas and lines of the source.

A frame's `events` are in order: calls, writes of storage, logs, each with the place in the code where it happened.
Frames are told from the innermost outwards, and deep ones are encoded as they come, as `tracers` does.
Never: runs anything; `replay` does.
"""

from __future__ import annotations

from typing import Any

from contractvm.errors import Place
from contractvm.execute import Executed
from contractvm.machine import Kind, Status
from contractvm.node.artifacts import Artifacts, Authored, Known
from contractvm.node.replay import Subject
from contractvm.node.tracers import TYPES, nested, outermost, problem
from contractvm.node.words import (
    Document,
    answer_words,
    call_words,
    change_words,
    constructor_words,
    error_words,
    function_of,
    log_words,
    place_words,
)
from contractvm.tracing import Emitted, Frame, Recorder, Write


class Teller:
    """Tells the frames of one transaction."""

    def __init__(self, artifacts: Artifacts) -> None:
        self._artifacts = artifacts
        self.authored = Authored(artifacts)
        self._places: dict[tuple[bytes, Place], Document | None] = {}

    def known(self, frame: Frame) -> Known | None:
        """What is known of the code that a frame runs."""
        return self._artifacts.get(frame.code_hash)

    def _place(self, frame: Frame, place: Place | None) -> Document | None:
        """A place in the code that a frame runs; the same document for the same place."""
        if place is None:
            return None
        at = frame.code_hash, place
        if at not in self._places:
            self._places[at] = place_words(self.known(frame), place)
        return self._places[at]

    def tree(self, recorder: Recorder, top: Frame) -> Any:
        """The outermost frame with all below it."""
        documents: dict[int, Any] = {}
        parents = {id(event): frame for frame in recorder.frames for event in frame.events if isinstance(event, Frame)}
        for frame in reversed(recorder.frames):
            document = self._frame(frame)
            parent = parents.get(id(frame))
            place = self._place(parent, frame.place) if parent is not None else None
            if place is not None:
                document["place"] = place
            events = [self._event(frame, event, documents) for event in frame.events]
            if events:
                document["events"] = events
            documents[id(frame)] = nested(document, frame.depth)
        return documents[id(top)]

    def _frame(self, frame: Frame) -> Document:
        known = self.known(frame)
        below = sum(event.gas_used for event in frame.events if isinstance(event, Frame))
        document: Document = {
            "kind": "call",
            "type": TYPES[frame.kind],
            "from": "0x" + frame.caller.hex(),
            "to": "0x" + frame.address.hex(),
            "value": str(frame.value),
            "gas": frame.gas,
            "gasUsed": frame.gas_used,
            "ownGas": max(frame.gas_used - below, 0),
            "status": frame.status.name.lower(),
            "input": "0x" + (frame.arguments if frame.creates else frame.input).hex(),
            "output": "0x" + frame.output.hex(),
        }
        if known is not None:
            document["contract"] = known.name
        if frame.kind is Kind.DELEGATE:
            document["codeAddress"] = "0x" + frame.code_address.hex()
        if frame.creates:
            document |= constructor_words(known, frame.arguments)
        else:
            function = function_of(known, frame.input)
            document |= call_words(function, frame.input)
            if frame.status is Status.OK:
                document |= answer_words(function, frame.output)
        if frame.status is not Status.OK:
            document["failure"] = self.failure(frame)
        return document

    def failure(self, frame: Frame) -> Document:
        """Why a frame failed, and where."""
        words: Document = {"text": problem(frame)}
        if frame.status is Status.REVERT and frame.output:
            words = error_words(frame.output, self._artifacts.errors)
            words["data"] = "0x" + frame.output.hex()
        place = self._place(frame, frame.stopped)
        if place is not None:
            words["place"] = place
        return words

    def _event(self, frame: Frame, event: Frame | Write | Emitted, documents: dict[int, Any]) -> Any:
        known = self.known(frame)
        place = self._place(frame, event.place)
        if isinstance(event, Frame):
            return documents.pop(id(event))
        if isinstance(event, Emitted):
            log = event.log
            document: Document = {
                "kind": "log",
                "address": "0x" + log.address.hex(),
                "topics": ["0x" + topic.hex() for topic in log.topics],
                "data": "0x" + log.data.hex(),
                **log_words(known, log),
            }
        else:
            document = {
                "kind": "storage",
                "address": "0x" + event.address.hex(),
                "key": "0x" + event.key.hex(),
                "before": "0x" + event.before.hex(),
                "after": "0x" + event.after.hex(),
                **change_words(known, event.key, event.before, event.after),
            }
        if place is not None:
            document["place"] = place
        return document

    def backtrace(self, top: Frame) -> list[Document]:
        """Where a failure went through, the outermost frame first; the last is where it began."""
        places: list[Document] = []
        frame: Frame | None = top
        while frame is not None:
            inner = culprit(frame)
            at = frame.stopped if inner is None else inner.place
            place = self._place(frame, at)
            if place is not None:
                known = self.known(frame)
                places.append({"address": "0x" + frame.address.hex(), **place, "contract": known and known.name})
            frame = inner
        return places


def culprit(frame: Frame) -> Frame | None:
    """The frame below whose failure a failed frame passed on; None when it failed by itself."""
    last = next((event for event in reversed(frame.events) if isinstance(event, Frame)), None)
    if last is None or last.status is Status.OK or last.output != frame.output:
        return None
    return last


def trace(subject: Subject, artifacts: Artifacts) -> Document:
    """The whole answer to `cvm_trace`."""
    teller = Teller(artifacts)
    recorder, executed, followed = subject.follow(teller.authored)
    top = outermost(subject, recorder, executed)
    document = _head(subject, executed)
    if not executed.ok:
        document["failure"] = teller.failure(top)
        document["backtrace"] = teller.backtrace(top)
    document["followed"] = followed
    if recorder.cut:
        document["truncated"] = True
    document["call"] = teller.tree(recorder, top)
    return document


def _head(subject: Subject, executed: Executed) -> Document:
    document: Document = {}
    receipt = subject.receipt
    if receipt is not None:
        document["transactionHash"] = "0x" + receipt.transaction_hash.hex()
        document["blockNumber"] = hex(receipt.block_number)
    return document | {
        "status": executed.status.name.lower(),
        "gasLimit": subject.gas_limit,
        "gasUsed": executed.gas_used,
        "gasRefund": executed.gas_spent - executed.gas_used,
    }
