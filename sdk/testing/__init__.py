"""The test kit: contracts on the real engine, with real gas, in memory.

`MockChain` is a chain for tests; `plugin` gives it to pytest as the fixtures `chain` and `accounts`. Names are imported
on first use, because pytest loads this package wherever contractvm is installed.
Never: a second engine, or a rule that the chain does not have.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sdk.testing.chain import MockChain
    from sdk.testing.contract import Bound, Deployed
    from sdk.testing.failures import CallFailed, RanOutOfGas, Reverted, Trapped, reverts
    from sdk.testing.receipt import Receipt

__all__ = ["Bound", "CallFailed", "Deployed", "MockChain", "RanOutOfGas", "Receipt", "Reverted", "Trapped", "reverts"]

_WHERE = {
    "Bound": "contract",
    "CallFailed": "failures",
    "Deployed": "contract",
    "MockChain": "chain",
    "RanOutOfGas": "failures",
    "Receipt": "receipt",
    "Reverted": "failures",
    "Trapped": "failures",
    "reverts": "failures",
}


def __getattr__(name: str) -> Any:
    """Import a name on first use."""
    if name not in _WHERE:
        raise AttributeError(f"module 'sdk.testing' has no attribute {name!r}")
    value = getattr(import_module(f"sdk.testing.{_WHERE[name]}"), name)
    globals()[name] = value
    return value
