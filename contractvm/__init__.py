"""contractvm: a deterministic, gas-metered smart-contract engine on an Ethereum-shaped local chain.

The names below are the package's face; each is imported when it is first asked for, so that `import contractvm` costs
next to nothing and pulls in no database, curve or compiler. Never: work at import, other than making sure that the
packages `gas`, `state` and `sdk` are the ones that came with it.
"""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

_WHERE = {
    "BlockContext": "contractvm.execute",
    "Block": "contractvm.block",
    "CannotSucceed": "contractvm.estimate",
    "Chain": "contractvm.chain",
    "ContractVMError": "contractvm.errors",
    "DevAccount": "contractvm.devaccounts",
    "Estimate": "contractvm.estimate",
    "Executed": "contractvm.execute",
    "Fatal": "contractvm.errors",
    "Genesis": "contractvm.genesis",
    "Header": "contractvm.block",
    "IncompatibleChain": "contractvm.identity",
    "Invalid": "contractvm.errors",
    "Log": "contractvm.host",
    "Malformed": "contractvm.errors",
    "Message": "contractvm.execute",
    "OutOfGas": "contractvm.errors",
    "Receipt": "contractvm.receipt",
    "Rejected": "contractvm.errors",
    "Revert": "contractvm.errors",
    "Rules": "contractvm.rules",
    "Status": "contractvm.machine",
    "Transaction": "contractvm.transaction",
    "Trap": "contractvm.errors",
    "TrapCode": "contractvm.errors",
    "TxType": "contractvm.transaction",
    "Unlinkable": "contractvm.errors",
    "contract_rules": "contractvm.rules",
    "dev_accounts": "contractvm.devaccounts",
}

__all__ = [
    "Block",
    "BlockContext",
    "CannotSucceed",
    "Chain",
    "ContractVMError",
    "DevAccount",
    "Estimate",
    "Executed",
    "Fatal",
    "Genesis",
    "Header",
    "IncompatibleChain",
    "Invalid",
    "Log",
    "Malformed",
    "Message",
    "OutOfGas",
    "Receipt",
    "Rejected",
    "Revert",
    "Rules",
    "Status",
    "Transaction",
    "Trap",
    "TrapCode",
    "TxType",
    "Unlinkable",
    "__version__",
    "contract_rules",
    "dev_accounts",
]

if TYPE_CHECKING:
    from contractvm.block import Block, Header
    from contractvm.chain import Chain
    from contractvm.devaccounts import DevAccount, dev_accounts
    from contractvm.errors import (
        ContractVMError,
        Fatal,
        Invalid,
        Malformed,
        OutOfGas,
        Rejected,
        Revert,
        Trap,
        TrapCode,
        Unlinkable,
    )
    from contractvm.estimate import CannotSucceed, Estimate
    from contractvm.execute import BlockContext, Executed, Message
    from contractvm.genesis import Genesis
    from contractvm.host import Log
    from contractvm.identity import IncompatibleChain
    from contractvm.machine import Status
    from contractvm.receipt import Receipt
    from contractvm.rules import Rules, contract_rules
    from contractvm.transaction import Transaction, TxType


def __getattr__(name: str) -> Any:
    """Import a name of the face on first use."""
    try:
        module = _WHERE[name]
    except KeyError:
        raise AttributeError(f"module 'contractvm' has no attribute {name!r}") from None
    value = getattr(import_module(module), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """What the face has."""
    return sorted([*globals(), *_WHERE])


def _refuse_shadows() -> None:
    """`gas`, `state` and `sdk` are common names: an author's own folder of that name comes first on the path.

    Raises: ImportError, which names the file in the way.
    """
    home = Path(__file__).resolve().parent.parent
    for name in ("gas", "state", "sdk"):
        spec = find_spec(name)
        if spec is None:
            raise ImportError(f"contractvm's package {name!r} is missing from {home}; install contractvm again")
        if spec.origin is None:
            found = Path(next(iter(spec.submodule_search_locations or [name]))) / "(a folder without __init__.py)"
            there = found.parent.resolve().parent
        else:
            found = Path(spec.origin)
            there = found.resolve().parent.parent
        if there != home:
            raise ImportError(
                f"{found} hides contractvm's own package {name!r}; rename it, or run from a folder without it"
            )


_refuse_shadows()
