"""`contractvm trace`: the call tree of a mined transaction, and what a failed one says of its place in the source.

Source: the shape is that of `cvm_trace`. Never: runs anything here; the chain does.
"""

from __future__ import annotations

from contractvm.cli.chainlike import Chainlike
from contractvm.cli.facts import Mined


def show_failure(chain: Chainlike, mined: Mined) -> None:
    """Say where in its source a mined transaction failed, if the chain can tell."""
