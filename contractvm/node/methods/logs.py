"""Logs of the past: `eth_getLogs`."""

from __future__ import annotations

from collections.abc import Awaitable, Mapping
from typing import Any

from contractvm.node.logquery import Documents, LogQuery, log_query, span
from contractvm.node.node import Node
from contractvm.node.rows import Param, Rows
from contractvm.node.values import OBJECT

rows = Rows()

FILTER = Param("filter", OBJECT, {})


def found(node: Node, query: LogQuery) -> Documents | Awaitable[Documents]:
    """The logs that a query asks for; a search through many blocks happens on another thread. Raises: Fault."""
    heights = span(node.chain, query)
    most = node.config.limits.logs
    return node.pace.run(("logs", len(heights).bit_length()), lambda: node.logs.search(query, heights, most))


@rows.method("eth_getLogs", FILTER, result="list of logs")
def get_logs(node: Node, given: Mapping[str, Any]) -> Documents | Awaitable[Documents]:
    """Logs by blocks, addresses and topics."""
    return found(node, log_query(given))
