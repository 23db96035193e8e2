"""The vocabulary of values: what a name means, in one place.

Source: Ethereum yellow paper section 4 for addresses, hashes and amounts.
Never: behaviour. These are plain ints and bytes that mypy keeps apart.
"""

from typing import NewType

Address = NewType("Address", bytes)
"""20 bytes."""
Hash = NewType("Hash", bytes)
"""32 bytes."""
Gas = NewType("Gas", int)
"""Whole gas, the unit of users. Inside a machine the meter counts milligas (1/1000 gas) as plain ints."""

ZERO_ADDRESS = Address(bytes(20))
ZERO_HASH = Hash(bytes(32))
MILLI = 1000
"""Milligas in one gas."""
