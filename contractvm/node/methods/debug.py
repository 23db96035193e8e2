"""`debug_trace*` and `trace_*`: transactions, calls and blocks looked into, in geth's and in Parity's forms.

Source: geth, "debug namespace" and "Built-in tracers". A hash that nobody knows is an error. Never: traces on the event
loop's thread.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final, TypeVar

from contractvm.chain import BlockId
from contractvm.node import replay
from contractvm.node.fault import bad_params
from contractvm.node.messages import message_of
from contractvm.node.methods.calls import CALL
from contractvm.node.node import Node
from contractvm.node.overrides import overrides_of
from contractvm.node.parity import flat_traces
from contractvm.node.replay import Subject
from contractvm.node.rows import Param, Rows
from contractvm.node.steps import Room, Wanted, struct_logs
from contractvm.node.tracers import call_tree, prestate
from contractvm.node.values import BLOCK, HASH, OBJECT, mapping, shown
from contractvm.types import Hash

T = TypeVar("T")

rows = Rows()

TRACERS: Final = ("callTracer", "prestateTracer")
OPTIONS: Final = Param("options", OBJECT, None)
Tracer = Callable[[Subject], Any]


def tracer_of(node: Node, options: Mapping[str, Any] | None) -> Tracer:
    """What makes the traces of one answer: structLogs where no tracer is named. Raises: Fault for an unknown one."""
    options, limits = options or {}, node.config.limits
    room = Room(limits.trace_steps, limits.result_bytes * 3 // 4)
    name = options.get("tracer")
    config = mapping(options.get("tracerConfig") or {})
    match name:
        case None | "":
            wanted = Wanted.of(options)
            return lambda subject: struct_logs(subject, wanted, room)
        case "callTracer":
            errors = node.known_errors()
            return lambda subject: call_tree(subject, config, errors, room)
        case "prestateTracer":
            return lambda subject: prestate(subject, config)
    raise bad_params(
        f"no tracer {shown(name)}; there are {' and '.join(TRACERS)}, and without a tracer structLogs; "
        "tracers in JavaScript are not run"
    )


async def looked_into(node: Node, work: Callable[[], T]) -> T:
    """Do such work on another thread, while no more than some others do."""
    async with node.tracing:
        return await node.pace.elsewhere(work)


@rows.method("debug_traceTransaction", Param("transaction", HASH), OPTIONS, result="trace")
def trace_transaction(node: Node, digest: Hash, options: Mapping[str, Any] | None) -> Awaitable[Any]:
    """A mined transaction, instruction by instruction, or as a tracer tells it."""
    tracer = tracer_of(node, options)
    return looked_into(node, lambda: tracer(replay.mined(node.chain, digest)))


@rows.method("debug_traceCall", CALL, Param("block", BLOCK, "latest"), OPTIONS, result="trace")
def trace_call(
    node: Node, transaction: Mapping[str, Any], block: BlockId, options: Mapping[str, Any] | None
) -> Awaitable[Any]:
    """A message on the state at a block, as debug_traceTransaction tells it."""
    tracer = tracer_of(node, options)
    message = message_of(transaction, node.config.limits.call_gas)
    given = options or {}
    overrides = overrides_of(given.get("stateOverrides"), given.get("blockOverrides"), node.chain.executor.check_code)
    return looked_into(node, lambda: tracer(replay.message(node.chain, node.caller, message, block, overrides)))


@rows.method("debug_traceBlockByNumber", Param("block", BLOCK), OPTIONS, result="list of traces")
def trace_block(node: Node, block: BlockId, options: Mapping[str, Any] | None) -> Awaitable[Any]:
    """Every transaction of a block, as debug_traceTransaction tells it."""
    tracer = tracer_of(node, options)

    def traces() -> list[dict[str, Any]]:
        return [
            {"txHash": "0x" + subject.transaction.hash.hex(), "result": tracer(subject)}
            for subject in replay.mined_block(node.chain, block)
            if subject.transaction is not None
        ]

    return looked_into(node, traces)


@rows.method("debug_traceBlockByHash", Param("hash", HASH), OPTIONS, result="list of traces")
def trace_block_by_hash(node: Node, digest: Hash, options: Mapping[str, Any] | None) -> Awaitable[Any]:
    """Every transaction of the block of that hash."""
    return trace_block(node, digest, options)


@rows.method("trace_transaction", Param("transaction", HASH), result="list of traces")
def flat_transaction(node: Node, digest: Hash) -> Awaitable[Any]:
    """A mined transaction's calls and creations, one after the other."""
    return looked_into(node, lambda: flat_traces(replay.mined(node.chain, digest)))


@rows.method("trace_block", Param("block", BLOCK), result="list of traces")
def flat_block(node: Node, block: BlockId) -> Awaitable[Any]:
    """The calls and creations of all transactions of a block."""

    def traces() -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        for subject in replay.mined_block(node.chain, block):
            found += flat_traces(subject)
        return found

    return looked_into(node, traces)
