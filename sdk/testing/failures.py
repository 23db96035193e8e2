"""How a call fails, as exceptions, and `reverts`, which expects one of them.

A revert is the contract's own refusal. Running out of gas and traps are other things, and no test that expects a revert
accepts them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from contractvm.errors import ContractVMError
from contractvm.machine import Status
from sdk.abi import Refusal, explain


class CallFailed(ContractVMError):
    """A call or transaction that ended without taking effect."""

    def __init__(self, text: str, status: Status, gas_used: int) -> None:
        super().__init__(text)
        self.status = status
        self.gas_used = gas_used


class Reverted(CallFailed):
    """The contract refused; `data` is what it said, `refusal` what that means."""

    def __init__(self, data: bytes, refusal: Refusal, gas_used: int) -> None:
        super().__init__(refusal.text, Status.REVERT, gas_used)
        self.data = data
        self.refusal = refusal


class Trapped(CallFailed):
    """The contract broke a rule of the machine; the text names the place."""


class RanOutOfGas(CallFailed):
    """The gas limit was too low."""


def failure(status: Status, output: bytes, reason: str, gas_used: int, errors: Sequence[str]) -> CallFailed:
    """The exception for a failed outcome; `errors` are signatures of custom errors, `reason` what the engine says."""
    if status is Status.REVERT:
        return Reverted(output, explain(output, errors), gas_used)
    if status is Status.TRAP:
        return Trapped(f"trap: {reason}" if reason else "trap", status, gas_used)
    if status is Status.OUT_OF_GAS:
        return RanOutOfGas(f"out of gas after {gas_used}", status, gas_used)
    return CallFailed(f"{status.name.lower().replace('_', ' ')}{': ' if reason else ''}{reason}", status, gas_used)


@dataclass(slots=True)
class Caught:
    """What `reverts` caught, once its block has ended."""

    error: Reverted | None = None


@contextmanager
def reverts(reason: str | None = None) -> Iterator[Caught]:
    """Expect a revert: any, or the one with this exact reason or error name.

    Raises: AssertionError when nothing or another reason came; traps and exhausted gas pass through as they are.
    """
    caught = Caught()
    try:
        yield caught
    except Reverted as error:
        if reason is not None and reason not in (error.refusal.text, error.refusal.name):
            raise AssertionError(f"reverted with {error.refusal.text!r}, not with {reason!r}") from error
        caught.error = error
        return
    raise AssertionError(f"did not revert; expected {reason!r}" if reason else "did not revert")
