"""Nodes for tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.contractvm.node.local import Local, local


@pytest.fixture
def node() -> Iterator[Local]:
    """A fresh node in memory."""
    with local() as opened:
        yield opened
