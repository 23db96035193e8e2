"""A contract's functions as forms: what can be asked, what was asked, and what came of it.

Reading runs a message on the latest state and changes nothing. Never: sends a transaction; `writes` does.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from contractvm.errors import ContractVMError
from contractvm.execute import Executed, Message
from contractvm.machine import Status
from contractvm.node.explorer import decoded
from contractvm.node.explorer.decoded import Item
from contractvm.node.explorer.fields import amount, arguments
from contractvm.node.explorer.lens import Lens
from contractvm.node.explorer.request import Request, Wrong
from contractvm.types import ZERO_ADDRESS, Address
from sdk.abi import ABIError, Function, explain

SHOWN: Final = 24
"""Functions without parameters whose answers are shown unasked."""
SECONDS: Final = 0.3
"""Time for all of those together; what one that is under way takes is bounded by `UNASKED_GAS`."""
UNASKED_GAS: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class Answer:
    """What a call gave: values, bytes that fit no type, or why there are none."""

    items: tuple[Item, ...] = ()
    output: bytes = b""
    failure: str = ""
    gas_used: int = 0


@dataclass(frozen=True, slots=True)
class Form:
    """A function with what was written in its fields last."""

    function: Function
    given: Mapping[str, str]
    answer: Answer | None = None
    open: bool = False

    @property
    def id(self) -> str:
        """For links to it."""
        return f"f-{self.function.selector.hex()}"


def forms(lens: Lens, who: Address, functions: Sequence[str], request: Request) -> tuple[list[Form], list[Form]]:
    """(those that only read, those that write), in order of declaration; the one that was asked for has an answer."""
    reads: list[Form] = []
    writes: list[Form] = []
    asked = request.query.get("f", "")
    end = time.monotonic() + SECONDS
    for function in map(Function.parse, functions):
        if function.text == asked:
            # Without its fields only the form was asked for.
            whole = not function.inputs or "0" in request.query
            answer = asked_for(lens, who, function, request) if whole else None
            form = Form(function, request.query, answer, open=True)
        elif function.reads_only and not function.inputs and len(reads) < SHOWN and time.monotonic() < end:
            form = Form(function, {}, run(lens, who, function, [], None, 0, UNASKED_GAS), open=True)
        else:
            form = Form(function, {})
        (reads if function.reads_only else writes).append(form)
    return reads, writes


def asked_for(lens: Lens, who: Address, function: Function, request: Request) -> Answer:
    """The answer to a form; what is wrong with its fields is an answer too."""
    try:
        sender = sender_of(lens.accounts, request.query.get("from", ""))
        value = amount(request.query.get("value", ""), "value") or 0
        return run(lens, who, function, arguments(function.inputs, request.query), sender, value)
    except Wrong as error:
        return Answer(failure=str(error))


def asking(request: Request, function: str) -> Request:
    """The request with the function it asks for in its canonical form."""
    return replace(request, query={**request.query, "f": function})


def sender_of(accounts: Sequence[Address], text: str) -> Address | None:
    """The account of this node that a form names; None where it names none. Raises: Wrong."""
    if not text:
        return None
    sender = next((account for account in accounts if account.hex() == text.lower().removeprefix("0x")), None)
    if sender is None:
        raise Wrong(f"{text[:60]!r} is no development account of this node")
    return sender


def run(
    lens: Lens,
    who: Address,
    function: Function,
    values: Sequence[object],
    sender: Address | None,
    value: int,
    most: int | None = None,
) -> Answer:
    """Call a function on the latest state."""
    gas = lens.node.config.limits.call_gas
    try:
        message = Message(
            sender=sender or ZERO_ADDRESS,
            to=who,
            value=value,
            data=function.encode(*values),
            gas_limit=gas if most is None else min(most, gas),
        )
        executed = lens.chain.call(message, lens.head.number)
    except (ABIError, ContractVMError) as error:
        return Answer(failure=str(error))
    if not executed.ok:
        return Answer(failure=failure(lens, who, executed), output=executed.output, gas_used=executed.gas_used)
    items = decoded.output(function, executed.output)
    return Answer(items or (), executed.output if items is None else b"", gas_used=executed.gas_used)


def failure(lens: Lens, who: Address, executed: Executed) -> str:
    """Why a call did not succeed."""
    if executed.status is Status.REVERT:
        reason = explain(executed.output, lens.errors(who)).text
        return reason if reason.startswith("reverted") else f"reverted: {reason}"
    return str(executed.trap or executed.detail or executed.status.name.lower().replace("_", " "))
