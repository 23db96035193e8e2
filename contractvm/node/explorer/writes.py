"""Forms that write: a call of a contract's function, completed and signed as `eth_sendTransaction` does it.

Never: takes a form that the guard did not see, or names a key.
"""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Final

from contractvm.chain import UnknownBlock
from contractvm.errors import ContractVMError, Rejected
from contractvm.estimate import CannotSucceed
from contractvm.node.explorer.calling import sender_of
from contractvm.node.explorer.fields import amount, arguments
from contractvm.node.explorer.pages.address import address_of
from contractvm.node.explorer.request import Elsewhere, Missing, Page, Request, Wrong
from contractvm.node.fault import Fault, fault_of
from contractvm.node.fill import Draft
from contractvm.node.methods.send import take
from contractvm.node.node import Node
from contractvm.transaction import TxType
from contractvm.types import Address
from sdk.abi import ABIError, Function

FORM: Final = "application/x-www-form-urlencoded"


class Writes:
    """Sends what forms ask for. Belongs to the event loop's thread."""

    def __init__(self, node: Node) -> None:
        self._node = node

    async def take(self, request: Request) -> Page | Elsewhere:
        """Take a form and lead to its transaction. Raises: Missing, Wrong."""
        match request.path:
            case ("contract", who, "write"):
                return await self._write(request, address_of(who))
        raise Missing("no form is sent to this address")

    async def _write(self, request: Request, who: Address) -> Page | Elsewhere:
        if not request.headers.get("content-type", "").startswith(FORM):
            raise Wrong(f"a form is sent as {FORM}")
        function = function_of(request)
        known = self._node.artifacts.get(self._node.chain.world().code_hash(who))
        declared = map(Function.parse, known.interface.functions if known is not None else ())
        function = next((each for each in declared if each.text == function.text), function)
        try:
            draft = self._draft(request, who, function)
            digest = take(self._node, draft)
            sent = await digest if isinstance(digest, Awaitable) else digest
        except (Wrong, Fault, Rejected, CannotSucceed, UnknownBlock, ABIError) as error:
            return Page("refused.html", {"who": who, "function": function, "why": self._words(error)}, 400)
        return Elsewhere("/tx/0x" + sent.hex())

    def _draft(self, request: Request, who: Address, function: Function) -> Draft:
        """What a form describes. Raises: Wrong, ABIError."""
        form = request.form
        sender = sender_of(tuple(self._node.keys), form.get("from", ""))
        if sender is None:
            raise Wrong("choose the account to send from")
        return Draft(
            sender=sender,
            type=TxType.DYNAMIC_FEE,
            to=who,
            value=amount(form.get("value", ""), "value") or 0,
            data=function.encode(*arguments(function.inputs, form)),
            gas=amount(form.get("gas", ""), "gas"),
            nonce=None,
            gas_price=None,
            max_fee=None,
            max_tip=None,
            access_list=(),
        )

    def _words(self, error: Exception) -> str:
        fault = fault_of(error, self._node.known_errors()) if isinstance(error, ContractVMError) else None
        return fault.message if fault is not None else str(error)


def function_of(request: Request) -> Function:
    """The function that a form is of. Raises: Wrong."""
    try:
        return Function.parse(request.form.get("f", "")[:10_000])
    except ABIError as error:
        raise Wrong(f"the form names no function: {error}") from None
