"""How a call fails, as exceptions, and `reverts`, which expects one of them.

A revert is the contract's own refusal. Running out of gas and traps are other things, and no test that expects a revert
accepts them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

from contractvm.dataclass import dataclass
from contractvm.errors import ContractVMError
from contractvm.machine import Status
from sdk.abi import KNOWN_ERRORS, ABIError, Error, Refusal, Value, explain
from sdk.abi import decode as decode_values
from sdk.testing.names import abi_name, did_you_mean, find
from sdk.testing.values import same, written

_SOLIDITY = ("Error(string message)", "Panic(uint256 code)")


class CallFailed(ContractVMError):
    """A call or transaction that ended without taking effect."""

    def __init__(self, text: str, status: Status, gas_used: int) -> None:
        super().__init__(text)
        self.status = status
        self.gas_used = gas_used


class Reverted(CallFailed):
    """The contract refused; `data` is what it said, `refusal` what that means, `fields` its values by name."""

    def __init__(self, data: bytes, refusal: Refusal, gas_used: int, fields: dict[str, Value]) -> None:
        super().__init__(refusal.text, Status.REVERT, gas_used)
        self.data = data
        self.refusal = refusal
        self.fields = fields


def refusal(error: CallFailed, labels: Mapping[bytes, str]) -> str:
    """Why a call failed, with the names of addresses and fields."""
    if not isinstance(error, Reverted) or error.refusal.name in ("", "Error", "Panic"):
        return str(error)
    named = (f"{name}=" if not name.startswith("_") else "" for name in error.fields)
    pairs = zip(named, error.fields.values(), strict=True)
    return f"{error.refusal.name}({', '.join(name + written(value, labels) for name, value in pairs)})"


class Trapped(CallFailed):
    """The contract broke a rule of the machine; the text names the place."""


class RanOutOfGas(CallFailed):
    """The gas limit was too low."""


def failure(status: Status, output: bytes, reason: str, gas_used: int, errors: Sequence[str]) -> CallFailed:
    """The exception for a failed outcome; `errors` are signatures of custom errors, `reason` what the engine says."""
    if status is Status.REVERT:
        return Reverted(output, explain(output, errors), gas_used, _fields(output, errors))
    if status is Status.TRAP:
        return Trapped(f"trap: {reason}" if reason else "trap", status, gas_used)
    if status is Status.OUT_OF_GAS:
        return RanOutOfGas(f"out of gas after {gas_used}", status, gas_used)
    return CallFailed(f"{status.name.lower().replace('_', ' ')}{': ' if reason else ''}{reason}", status, gas_used)


def _fields(data: bytes, errors: Sequence[str]) -> dict[str, Value]:
    """The values of a custom error by name, a nameless one by its place; none when nobody knows the error."""
    known = [Error.parse(text) for text in (*_SOLIDITY, *errors, *KNOWN_ERRORS)]
    meant = [error for error in known if error.selector == data[:4]]
    if not meant:
        return {}
    error = max(meant, key=lambda error: sum(bool(parameter.name) for parameter in error.inputs))
    try:
        values = decode_values(error.types, data[4:])
    except ABIError:
        return {}
    names = (parameter.name or f"_{place}" for place, parameter in enumerate(error.inputs))
    return dict(zip(names, values, strict=True))


@dataclass(slots=True)
class Caught:
    """What `reverts` caught, once its block has ended."""

    error: Reverted | None = None


@contextmanager
def reverts(reason: str | type | None = None, /, **fields: Value) -> Iterator[Caught]:
    """Expect a revert: any, or the one with this exact reason or error name (or class), and these fields.

    Raises: AssertionError when nothing or another reason came; traps and exhausted gas pass through as they are.
    """
    __tracebackhide__ = True
    wanted = reason.__name__ if isinstance(reason, type) else reason
    caught = Caught()
    try:
        yield caught
    except Reverted as error:
        _compare(error, wanted, fields)
        caught.error = error
        return
    raise AssertionError(f"did not revert; expected {wanted!r}" if wanted is not None else "did not revert")


def _compare(error: Reverted, wanted: str | None, fields: dict[str, Value]) -> None:
    """Raises: AssertionError unless the revert is the expected one."""
    __tracebackhide__ = True
    if wanted is not None and wanted not in (error.refusal.text, error.refusal.name):
        raise AssertionError(f"reverted with {error.refusal.text!r}, not with {wanted!r}") from error
    for name, value in fields.items():
        found = find(name, error.fields)
        if found is None:
            title = error.refusal.name or error.refusal.text
            raise AssertionError(f"{title} has no field {abi_name(name)!r}; {did_you_mean(name, error.fields)}")
        if not same(error.fields[found], value):
            raise AssertionError(
                f"{error.refusal.name}.{found} is {written(error.fields[found])}, not {written(value)}"
            ) from error
