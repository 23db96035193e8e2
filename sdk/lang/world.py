"""What a contract sees around it, and constants: `msg`, `block`, `tx`, `chain`, `ETHER`, `DAYS`, `ZERO_ADDRESS` ...

Follows docs/language.md, "The surroundings". Never: has a value outside of a chain, but for the constants.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sdk.lang.containers import Address

__all__ = [
    "DAYS",
    "ETHER",
    "GWEI",
    "HOURS",
    "MINUTES",
    "ZERO_ADDRESS",
    "ZERO_BYTES32",
    "block",
    "chain",
    "msg",
    "tx",
]

if TYPE_CHECKING:
    from typing import Protocol

    class _Message(Protocol):
        """The call that runs."""

        @property
        def sender(self) -> Address:
            """Who called."""

        @property
        def value(self) -> int:
            """Wei that came along, u256."""

        @property
        def data(self) -> bytes:
            """The whole input, Bytes."""

        @property
        def sig(self) -> bytes:
            """The input's first four bytes, bytes4; zeros where it is shorter."""

        @property
        def gas(self) -> int:
            """What is left of it, u64."""

    class _Block(Protocol):
        """The block that the transaction is in."""

        @property
        def number(self) -> int:
            """u64."""

        @property
        def timestamp(self) -> int:
            """Seconds since 1970, u64."""

        @property
        def coinbase(self) -> Address:
            """Who gets the fees."""

        @property
        def base_fee(self) -> int:
            """Wei, u256."""

        def hash(self, number: int, /) -> bytes:
            """bytes32 of one of the last 256 blocks; zeros for any other."""

    class _Transaction(Protocol):
        """The transaction that runs."""

        @property
        def origin(self) -> Address:
            """Who signed it."""

        @property
        def gas_price(self) -> int:
            """Wei, u256."""

    class _Chain(Protocol):
        """The chain."""

        @property
        def id(self) -> int:
            """u64."""

    msg: _Message
    block: _Block
    tx: _Transaction
    chain: _Chain
else:
    from sdk.lang.forms import Facts

    msg, block, tx, chain = Facts("msg"), Facts("block"), Facts("tx"), Facts("chain")

GWEI: Final[int] = 10**9
"""Wei, u256."""
ETHER: Final[int] = 10**18
"""Wei, u256."""
MINUTES: Final[int] = 60
"""Seconds, u64."""
HOURS: Final[int] = 60 * MINUTES
"""Seconds, u64."""
DAYS: Final[int] = 24 * HOURS
"""Seconds, u64."""
ZERO_ADDRESS: Final[Address] = Address(0)
ZERO_BYTES32: Final[bytes] = bytes(32)
"""bytes32."""
