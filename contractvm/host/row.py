"""What a row of the host table is.

Source: design of the chain, "Contracts and the host table". Never: a function of the host.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum

from contractvm.dataclass import dataclass


class How(StrEnum):
    """What a row does that needs nothing but facts of the frame: compiled code does it without Python.

    The fact has the row's name, less its `_size` or `_copy`.
    """

    WRITE = "write the fact to memory"
    NUMBER = "return the fact"
    GAS_LEFT = "return the gas left"
    SIZE = "return the content's length"
    COPY = "copy the content to memory"
    FINISH = "end the frame with a range as its output"
    REVERT = "end the frame with a range as its reason"


@dataclass(frozen=True, slots=True)
class HostRow:
    """One import.

    `params` and `results` spell types, "i" for i32 and "I" for i64. `price` names the schedule's price that is paid
    first and always; `also` those that depend on lengths and on what is found. `fn` takes the `Host` and non-negative
    bit patterns and returns one, or None; it is what the row means. `native` tells what compiled code may do in its
    place where nothing goes wrong; whatever does go wrong is left to `fn`.
    """

    name: str
    params: str
    results: str
    price: str
    doc: str
    fn: Callable[..., int | None]
    also: tuple[str, ...] = ()
    native: How | None = None

    @property
    def arguments(self) -> tuple[str, ...]:
        """Names of the parameters, as the function spells them."""
        code = self.fn.__code__
        return code.co_varnames[1 : code.co_argcount]

    @property
    def fact(self) -> str:
        """The fact that `native` reads."""
        return self.name.removesuffix("_size").removesuffix("_copy")
