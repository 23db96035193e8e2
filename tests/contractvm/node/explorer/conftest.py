"""The explorer for tests."""

from __future__ import annotations

import pytest

from tests.contractvm.node.explorer.site import Site
from tests.contractvm.node.local import Local


@pytest.fixture
def site(node: Local) -> Site:
    """A reader of a fresh node's explorer."""
    return Site(node)
