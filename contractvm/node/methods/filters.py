"""Being told what happens: filters that are polled, and subscriptions over WebSocket."""

from __future__ import annotations

from collections.abc import Awaitable, Mapping
from typing import Any

from contractvm.node.fault import SERVER, Fault, bad_params
from contractvm.node.logquery import log_query
from contractvm.node.methods.logs import FILTER, found
from contractvm.node.node import Node
from contractvm.node.rows import Param, Rows
from contractvm.node.session import Session
from contractvm.node.values import ANY, TEXT, boolean, mapping, shown
from contractvm.node.watch import BLOCKS, LOGS, PENDING, Subscription

rows = Rows()

ID = Param("id", TEXT)


@rows.method("eth_newFilter", FILTER, result="id", session=True)
def new_filter(node: Node, session: Session | None, given: Mapping[str, Any]) -> str:
    """Remember logs from now on, by blocks, addresses and topics; eth_getFilterChanges gives them."""
    return node.watch.install(LOGS, log_query(given), session)


@rows.method("eth_newBlockFilter", result="id", session=True)
def new_block_filter(node: Node, session: Session | None) -> str:
    """Remember the hashes of new blocks."""
    return node.watch.install(BLOCKS, None, session)


@rows.method("eth_newPendingTransactionFilter", Param("full", ANY, None), result="id", session=True)
def new_pending_filter(node: Node, session: Session | None, full: object) -> str:
    """Remember the hashes of transactions that arrive."""
    if full is not None and boolean(full):
        raise bad_params("a filter keeps hashes alone; eth_subscribe gives whole transactions")
    return node.watch.install(PENDING, None, session)


@rows.method("eth_getFilterChanges", ID, result="list of logs or hashes")
def filter_changes(node: Node, name: str) -> list[Any] | Awaitable[list[Any]]:
    """What a filter has seen since it was last asked."""
    hashes = node.watch.hashes(name)
    if hashes is not None:
        return ["0x" + digest.hex() for digest in hashes]
    query, places = node.watch.query(name), node.watch.places(name)
    most = node.config.limits.logs
    return node.pace.run(("changes", len(places).bit_length()), lambda: node.logs.at(query, places, most))


@rows.method("eth_getFilterLogs", ID, result="list of logs")
def filter_logs(node: Node, name: str) -> list[dict[str, Any]] | Awaitable[list[dict[str, Any]]]:
    """All logs that a filter of logs matches, those from before it was made too."""
    return found(node, node.watch.query(name))


@rows.method("eth_uninstallFilter", ID, result="boolean")
def uninstall_filter(node: Node, name: str) -> bool:
    """Forget a filter; false when there is none."""
    return node.watch.uninstall(name)


@rows.method("eth_subscribe", Param("kind", TEXT), Param("options", ANY, None), result="id", session=True)
def subscribe(node: Node, session: Session | None, kind: str, options: object) -> str:
    """Be sent newHeads, logs or newPendingTransactions as they come; over WebSocket."""
    if session is None:
        raise Fault(SERVER, "notifications not supported: eth_subscribe needs a WebSocket; over HTTP use eth_newFilter")
    match kind:
        case "newHeads":
            wish = Subscription(BLOCKS, session)
        case "logs":
            wish = Subscription(LOGS, session, log_query(mapping({} if options is None else options)))
        case "newPendingTransactions":
            wish = Subscription(PENDING, session, full=options is not None and boolean(options))
        case "syncing":
            raise bad_params("there is nothing to be told about syncing: a local chain is never behind")
        case _:
            raise bad_params(f"no subscription {shown(kind)}; there are newHeads, logs and newPendingTransactions")
    return node.watch.subscribe(wish)


@rows.method("eth_unsubscribe", ID, result="boolean", session=True)
def unsubscribe(node: Node, session: Session | None, name: str) -> bool:
    """End a subscription of this connection; false when there is none."""
    if session is None:
        raise Fault(SERVER, "notifications not supported: subscriptions belong to a WebSocket")
    return node.watch.unsubscribe(name, session)
