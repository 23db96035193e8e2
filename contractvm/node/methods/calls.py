"""Calls that change nothing: `eth_call` and `eth_estimateGas`."""

from __future__ import annotations

from collections.abc import Awaitable, Mapping
from dataclasses import replace
from typing import Any

from contractvm.chain import BlockId
from contractvm.execute import Message
from contractvm.node.fault import failed
from contractvm.node.messages import message_of
from contractvm.node.node import Node
from contractvm.node.rows import Param, Rows
from contractvm.node.values import BLOCK, OBJECT, data_hex

rows = Rows()

CALL = Param("transaction", OBJECT)


def kind_of(what: str, message: Message) -> tuple[object, ...]:
    """What runs alike: the same function of the same contract."""
    return what, message.to, message.data[:4] if message.to is not None else len(message.data)


def capped(node: Node, message: Message) -> Message:
    """The message with a gas limit that the node allows for calls."""
    most = node.config.limits.call_gas
    return replace(message, gas_limit=most if message.gas_limit is None else min(message.gas_limit, most))


@rows.method("eth_call", CALL, Param("block", BLOCK, "latest"), result="data")
def call(node: Node, transaction: Mapping[str, Any], block: BlockId) -> str | Awaitable[str]:
    """Run a message on the state at a block and return its output."""
    message = capped(node, message_of(transaction))
    chain = node.chain

    def run() -> str:
        executed = chain.call(message, block)
        if not executed.ok:
            raise failed(executed, node.known_errors())
        return data_hex(executed.output)

    return node.pace.run(kind_of("call", message), run)


@rows.method("eth_estimateGas", CALL, Param("block", BLOCK, "pending"), result="quantity")
def estimate(node: Node, transaction: Mapping[str, Any], block: BlockId) -> str | Awaitable[str]:
    """The least gas limit that succeeds where one less fails."""
    message = message_of(transaction)
    return node.pace.run(kind_of("estimate", message), lambda: hex(node.chain.estimate(message, block).gas))
