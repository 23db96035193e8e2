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
    from sdk.testing.events import Seen, expect_event
    from sdk.testing.failures import CallFailed, RanOutOfGas, Reverted, Trapped, reverts
    from sdk.testing.fuzzing import fuzz
    from sdk.testing.invariant import Invariant
    from sdk.testing.receipt import Receipt
    from sdk.testing.saved import Saved, StateFileError
    from sdk.testing.strategies import addresses, values_of

__all__ = [
    "Bound",
    "CallFailed",
    "Deployed",
    "Invariant",
    "MockChain",
    "RanOutOfGas",
    "Receipt",
    "Reverted",
    "Saved",
    "Seen",
    "StateFileError",
    "Trapped",
    "addresses",
    "expect_event",
    "fuzz",
    "reverts",
    "values_of",
]

_WHERE = {
    "Bound": "contract",
    "CallFailed": "failures",
    "Deployed": "contract",
    "Invariant": "invariant",
    "MockChain": "chain",
    "RanOutOfGas": "failures",
    "Receipt": "receipt",
    "Reverted": "failures",
    "Saved": "saved",
    "Seen": "events",
    "StateFileError": "saved",
    "Trapped": "failures",
    "addresses": "strategies",
    "expect_event": "events",
    "fuzz": "fuzzing",
    "reverts": "failures",
    "values_of": "strategies",
}


def __getattr__(name: str) -> Any:
    """Import a name on first use."""
    if name not in _WHERE:
        raise AttributeError(f"module 'sdk.testing' has no attribute {name!r}")
    try:
        module = import_module(f"sdk.testing.{_WHERE[name]}")
    except ModuleNotFoundError as missing:
        if missing.name != "hypothesis":
            raise
        raise ImportError(f"sdk.testing.{name} draws with hypothesis: pip install hypothesis") from None
    globals()[name] = value = getattr(module, name)
    return value
