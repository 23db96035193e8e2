"""Calls that change nothing: what a message would answer, need in gas, and touch."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from typing import Any, Final, TypeVar

from contractvm.chain import BlockId
from contractvm.estimate import Estimate
from contractvm.execute import Executed, Message
from contractvm.node.fault import failed
from contractvm.node.messages import message_of
from contractvm.node.node import Node
from contractvm.node.overrides import NOTHING, overrides_of
from contractvm.node.rows import Param, Rows
from contractvm.node.shapes import access_list_document
from contractvm.node.simulation import simulate, simulation_of
from contractvm.node.values import ANY, BLOCK, OBJECT, data_hex

T = TypeVar("T")

rows = Rows()

CALL = Param("transaction", OBJECT)
STATE = Param("stateOverrides", ANY, None)
BLOCK_OVERRIDES = Param("blockOverrides", ANY, None)

log: Final = logging.getLogger("contractvm.node")


def kind_of(what: str, message: Message) -> tuple[object, ...]:
    """What runs alike: the same function of the same contract."""
    return what, message.to, message.data[:4] if message.to is not None else len(message.data)


def capped(node: Node, message: Message) -> Message:
    """The message with a gas limit that the node allows for calls."""
    most = node.config.limits.call_gas
    return replace(message, gas_limit=most if message.gas_limit is None else min(message.gas_limit, most))


@rows.method("eth_call", CALL, Param("block", BLOCK, "latest"), STATE, BLOCK_OVERRIDES, result="data")
def call(node: Node, transaction: Mapping[str, Any], at: BlockId, state: object, block: object) -> str | Awaitable[str]:
    """Run a message on the state at a block and return its output."""
    most = node.config.limits.call_gas
    alone = state is None and block is None
    keep = node.recall.find(transaction, at, most) if alone else None
    if isinstance(keep, str):
        return keep
    message = message_of(transaction, most)
    overrides = NOTHING if alone else overrides_of(state, block, node.chain.executor.check_code)

    def run() -> str:
        text = output(node, node.caller.call(message, at, overrides))
        if keep is not None:
            keep(text)
        return text

    if overrides is not NOTHING:
        return node.pace.elsewhere(run)
    answer = node.pace.run(kind_of("call", message), run)
    if isinstance(answer, str):
        node.recall.ran(transaction, at)
    return answer


def output(node: Node, executed: Executed) -> str:
    """What a call gave back. Raises: Fault, when it failed."""
    if not executed.ok:
        raise failed(executed, node.known_errors())
    return data_hex(executed.output)


def estimated(
    node: Node, transaction: Mapping[str, Any], at: BlockId, state: object, block: object, write: Callable[..., T]
) -> T | Awaitable[T]:
    """An estimate as `write(message, estimate)` has it, now or later. Raises: Fault."""
    message = message_of(transaction)
    overrides = overrides_of(state, block, node.chain.executor.check_code)

    def run() -> T:
        found = node.caller.estimate(message, at, node.config.limits.call_gas, overrides)
        if not found.steady:
            to = "a new contract" if message.to is None else f"0x{message.to.hex()}"
            log.warning("the estimate of %d gas for %s holds alone: it uses other amounts if given more", found.gas, to)
        return write(message, found)

    return node.pace.run(kind_of("estimate", message), run)


@rows.method("eth_estimateGas", CALL, Param("block", BLOCK, "pending"), STATE, BLOCK_OVERRIDES, result="quantity")
def estimate_gas(
    node: Node, transaction: Mapping[str, Any], at: BlockId, state: object, block: object
) -> str | Awaitable[str]:
    """The least gas limit that succeeds where one less fails."""
    return estimated(node, transaction, at, state, block, lambda _, found: hex(found.gas))


@rows.method(
    "cvm_estimate", CALL, Param("block", BLOCK, "pending"), STATE, BLOCK_OVERRIDES, result="estimate with its parts"
)
def estimate_parts(
    node: Node, transaction: Mapping[str, Any], at: BlockId, state: object, block: object
) -> dict[str, Any] | Awaitable[dict[str, Any]]:
    """The least gas limit that succeeds, what is used of it and for what, and whether more gas changes the amount."""

    def write(message: Message, found: Estimate) -> dict[str, Any]:
        executed = found.executed
        intrinsic = node.chain.executor.prices.intrinsic(message.to, message.data, message.access_list)
        return {
            "gas": hex(found.gas),
            "gasUsed": hex(executed.gas_used),
            "steady": found.steady,
            "parts": {
                "intrinsic": hex(intrinsic),
                "execution": hex(executed.gas_spent - intrinsic),
                "refund": hex(executed.gas_spent - executed.gas_used),
                "withheld": hex(found.gas - executed.gas_spent),
            },
        }

    return estimated(node, transaction, at, state, block, write)


@rows.method(
    "eth_createAccessList", CALL, Param("block", BLOCK, "latest"), STATE, result="access list, gas used, error if any"
)
def create_access_list(
    node: Node, transaction: Mapping[str, Any], at: BlockId, state: object
) -> Awaitable[dict[str, Any]]:
    """The addresses and slots that a message touches, as an access list for it."""
    message = message_of(transaction, node.config.limits.call_gas)
    overrides = overrides_of(state, None, node.chain.executor.check_code)

    def run() -> dict[str, Any]:
        found = node.caller.access_list(message, at, overrides)
        document = {
            "accessList": access_list_document(found.access_list),
            "gasUsed": hex(found.executed.gas_used),
        }
        if not found.executed.ok:
            document["error"] = failed(found.executed, node.known_errors()).message
        return document

    return node.pace.elsewhere(run)


@rows.method("eth_simulateV1", Param("payload", OBJECT), Param("block", BLOCK, "latest"), result="list of blocks")
def simulate_blocks(node: Node, payload: Mapping[str, Any], at: BlockId) -> Awaitable[list[dict[str, Any]]]:
    """Run blocks of calls that might come after a block, each on what those before it did."""
    wish = simulation_of(payload, node.chain)
    most = node.config.limits.call_gas
    return node.pace.elsewhere(lambda: simulate(node.chain, wish, at, most, node.known_errors()))
