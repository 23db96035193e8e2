"""The node's numbers for Prometheus: chain, pool, requests by method, listeners; the process's own beside them.

Nothing is counted for it while nobody asks, except requests by method. Source: Prometheus text exposition format.
Never: a figure with an address or a hash in its labels.
"""

from __future__ import annotations

import time
from collections.abc import Iterator

from prometheus_client import CollectorRegistry, GCCollector, PlatformCollector, ProcessCollector
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.registry import Collector

from contractvm.node.node import Node

KIND = CONTENT_TYPE_LATEST.encode()


class NodeCollector(Collector):
    """Reads a node when it is asked for its metrics."""

    def __init__(self, node: Node) -> None:
        self._node = node

    def collect(self) -> Iterator[Metric]:
        """Each figure as it is now."""
        node, chain = self._node, self._node.chain
        head = chain.head
        yield gauge("contractvm_block_height", "Height of the last block.", head.number)
        yield gauge("contractvm_block_timestamp_seconds", "Time of the last block.", head.timestamp)
        yield gauge("contractvm_block_gas_used", "Gas used by the last block.", head.gas_used)
        yield gauge("contractvm_base_fee_wei", "Base fee of the next block.", chain.next_base_fee)
        yield gauge("contractvm_pool_transactions", "Transactions that wait.", len(chain.pool))
        yield gauge("contractvm_uptime_seconds", "Time since the node was started.", time.monotonic() - node.started)
        requests = CounterMetricFamily("contractvm_requests", "Requests answered, by method.", labels=["method"])
        for method, count in list(node.calls.items()):
            requests.add_metric([method], count)
        yield requests


def gauge(name: str, text: str, value: float) -> GaugeMetricFamily:
    """One figure."""
    return GaugeMetricFamily(name, text, value=value)


class Metrics:
    """The page of one node's figures."""

    def __init__(self, node: Node) -> None:
        self._registry = CollectorRegistry()
        self._registry.register(NodeCollector(node))
        ProcessCollector(registry=self._registry)
        PlatformCollector(registry=self._registry)
        GCCollector(registry=self._registry)

    def page(self) -> bytes:
        """The text that Prometheus reads."""
        return generate_latest(self._registry)
