"""The only door from a contract to the world: the table of imports in module `cvm1` and the `Host` behind it.

Every function does the same things in the same order: it pays its fixed price and the price of the lengths it was
given; it checks that every range it was given lies in memory (`HOST_POINTER` otherwise); it checks its other
arguments against `Rules.limits` (`HOST_ARGUMENT`) and the rule of static frames (`STATIC_WRITE`); then it acts,
paying for what only acting shows: cold access, the kind of a storage write, the length of what was read. All input is
read before output is written.

Integers come in and go out as non-negative bit patterns. "A copy" writes min(cap, length) bytes and returns the whole
length, or -1 (as 0xFFFFFFFF) when there is nothing; results of fixed size count as copies, so they return that size.

Import order inside: prices, frame, the groups of functions, table.
"""

from contractvm.host.frame import Env, Finish, Host, Log, Session
from contractvm.host.prices import Prices
from contractvm.host.row import HostRow, How
from contractvm.host.table import BY_NAME, HOST

__all__ = ["BY_NAME", "HOST", "Env", "Finish", "Host", "HostRow", "How", "Log", "Prices", "Session"]
