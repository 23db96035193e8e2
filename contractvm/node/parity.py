"""Frames in a list instead of in each other, as Parity's `trace_*` methods have them.

Gas is of the execution alone: what is paid before it is no frame's. Source: OpenEthereum, "JSONRPC trace module".
Never: follows instructions, or traces virtual machines.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from contractvm.machine import Kind, Status
from contractvm.node.replay import Subject
from contractvm.node.tracers import outermost, problem
from contractvm.tracing import Frame, Recorder

Document = dict[str, Any]
CALLS: Final = {Kind.CALL: "call", Kind.STATIC: "staticcall", Kind.DELEGATE: "delegatecall"}


def flat_traces(subject: Subject) -> list[Document]:
    """A mined transaction's frames in the order of their opening."""
    recorder = Recorder(writes=False)
    executed, _ = subject.run(recorder)
    top = outermost(subject, recorder, executed)
    top.gas = subject.gas_limit - subject.intrinsic
    top.gas_used = executed.gas_spent - subject.intrinsic
    about: Document = {}
    if subject.receipt is not None:
        receipt = subject.receipt
        about = {
            "blockHash": "0x" + receipt.block_hash.hex(),
            "blockNumber": receipt.block_number,
            "transactionHash": "0x" + receipt.transaction_hash.hex(),
            "transactionPosition": receipt.index,
        }
    addresses = _addresses(top)
    return [_trace(frame, addresses[id(frame)]) | about for frame in recorder.frames if id(frame) in addresses]


def _addresses(top: Frame) -> Mapping[int, list[int]]:
    """Where each frame stands: its place among its caller's, behind the caller's own."""
    addresses: dict[int, list[int]] = {id(top): []}
    waiting = [top]
    while waiting:
        frame = waiting.pop()
        inner = [event for event in frame.events if isinstance(event, Frame)]
        for place, event in enumerate(inner):
            addresses[id(event)] = [*addresses[id(frame)], place]
        waiting += inner
    return addresses


def _trace(frame: Frame, address: list[int]) -> Document:
    if frame.creates:
        action: Document = {"init": "0x" + frame.input.hex(), "creationMethod": frame.kind.value}
        result: Document = {"address": "0x" + frame.address.hex(), "code": "0x" + frame.code.hex()}
    else:
        delegated = frame.kind is Kind.DELEGATE
        action = {
            "callType": CALLS[frame.kind],
            "input": "0x" + frame.input.hex(),
            "to": "0x" + (frame.code_address if delegated else frame.address).hex(),
        }
        result = {"output": "0x" + frame.output.hex()}
    action |= {
        "from": "0x" + (frame.address if frame.kind is Kind.DELEGATE else frame.caller).hex(),
        "gas": hex(frame.gas),
        "value": hex(frame.value),
    }
    document: Document = {
        "action": action,
        "subtraces": sum(isinstance(event, Frame) for event in frame.events),
        "traceAddress": address,
        "type": "create" if frame.creates else "call",
    }
    if frame.status is Status.OK:
        document["result"] = {"gasUsed": hex(frame.gas_used), **result}
    else:
        document["error"] = "Reverted" if frame.status is Status.REVERT else problem(frame)
    return document
