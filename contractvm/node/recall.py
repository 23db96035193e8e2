"""What calls on the head gave back, and calls of one kind that come often.

Nothing but state and message decides what a call gives back. So what was asked for twice on one head is remembered for
whoever asks the same again, in the same words: pages that poll do nothing else. And calls of one function that come
often and are short are run as a series (`execute.Series`). Both end with the head. Belongs to the event loop's thread.
Never: says what a call that fails gives back, which the usual way has the reasons for.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from time import perf_counter
from typing import Any, Final

from contractvm.chain import BlockId, Chain, UnknownBlock
from contractvm.execute import Series
from contractvm.nesting import RaisedRecursionLimit
from contractvm.node.caller import HEADS, Caller
from contractvm.node.feed import News
from contractvm.node.messages import message_of
from contractvm.node.pace import SHORT
from contractvm.node.values import address, data
from contractvm.transaction import Transaction
from contractvm.types import ZERO_ADDRESS, Address
from state.database import HeightError

MOST_ANSWERS: Final = 4_096
LONGEST_ANSWER: Final = 2_048
"""Calls on one head that are remembered; characters of what each gave back, and of the words of each."""
MOST_FIELDS: Final = 16
"""Of a call that is remembered: Ethereum has no more."""
OFTEN: Final = 8
"""Short calls of a function of a contract, on one head, from which on they are a series."""
MOST_SERIES: Final = 32
MOST_COUNTED: Final = 1_024
"""Contracts at a time, each of which keeps an instance; functions whose calls are counted."""
MOST_RECORDS: Final = 4_096
"""Accounts, slots and codes that the world of a series may have read before all series end."""
_ADDRESS_DIGITS: Final = 42
_SELECTOR_DIGITS: Final = 10
"""With their `0x`."""
_LEAST_FIELDS: Final = 2
"""Receiver and data, as most calls have them."""

Asked = tuple[tuple[str, Any], ...]
"""A call in the words of who asks."""
Kind = tuple[str, str]
"""Receiver and selector, likewise."""


class Answers:
    """What calls on one head gave back, in hex, of those that are asked for again and again: from the second time on.

    Whoever has run one, on whatever thread, may add to it.
    """

    __slots__ = ("known", "once")

    def __init__(self) -> None:
        self.known: dict[Asked, str] = {}
        self.once: set[int] = set()
        """What was asked, by its hash alone: most of what is asked once is not asked again."""

    def keep(self, asked: Asked, output: str) -> None:
        """Remember what a call gave back, unless it is long."""
        if len(output) <= LONGEST_ANSWER:
            if len(self.known) >= MOST_ANSWERS:
                self.known.clear()
            self.known[asked] = output


class Recall:
    """Of one chain; a `Listener`."""

    def __init__(self, chain: Chain, caller: Caller) -> None:
        self._chain = chain
        self._caller = caller
        self._moves = -1
        """`Chain.moves` of the head that all of this is of. Of heads there can be one again: the first block."""
        self._answers = Answers()
        self._contracts: dict[Address, Series] = {}
        self._series: dict[Kind, Series | int] = {}
        """Of kinds that were asked for often, and of others how often."""

    def sealed(self, news: News) -> None:
        """A block is the new head: let go of what belongs to the one before it."""
        self._let_go()

    def arrived(self, transaction: Transaction) -> None:
        """What waits in the pool changes no call."""

    def find(self, fields: Mapping[str, Any], at: BlockId, most: int) -> str | Callable[[str], None] | None:
        """What a call with at most so much gas gives back on the head, in hex, if that is known or a series has it.

        Otherwise whom to tell, if it was asked for before. A call that ends when the head has moved may still be told
        of: nobody asks for it any more. Raises: Fault; Fatal.
        """
        if at not in HEADS:
            return None
        if self._chain.moves != self._moves:
            self._let_go()
            self._moves = self._chain.moves
        asked = tuple(fields.items())
        try:
            number = hash(asked)
        except TypeError:  # it has a list in it
            return None
        answers, keep = self._answers, None
        if number in answers.once:
            known = answers.known.get(asked)
            if known is not None:
                return known
            if self._chain.debug is None and _is_short_text(fields):  # else somebody wants to hear it again
                keep = partial(answers.keep, asked)
        else:
            if len(answers.once) >= MOST_ANSWERS:
                answers.once.clear()
            answers.once.add(number)
        kind = _kind(fields)
        if kind is not None:
            series = self._series.get(kind)
            if series.__class__ is Series:
                output = self._in_series(series, kind, fields, most)
                if output is not None:
                    if keep is not None:
                        keep(output)
                    return output
        return keep

    def ran(self, fields: Mapping[str, Any], at: BlockId) -> None:
        """A call was run on the event loop's thread, in a moment: if its kind often was, the next are a series."""
        kind = _kind(fields)
        if kind is None or at not in HEADS or self._chain.moves != self._moves:
            return
        times = self._series.get(kind, 0)
        if isinstance(times, Series):  # which this call was none for
            return
        if len(self._series) >= MOST_COUNTED:
            self._end_series()
        self._series[kind] = times + 1
        if times + 1 == OFTEN:
            to = address(kind[0])
            one = self._contracts.get(to)
            if one is None:
                if len(self._contracts) >= MOST_SERIES:
                    self._end_series()
                one = self._begin_series(to)
            if one is not None:
                self._contracts[to] = self._series[kind] = one

    def _begin_series(self, to: Address) -> Series | None:
        """Get ready for calls of a contract, on a world of their own. None where that would be no better."""
        chain, number = self._chain, self._chain.head.number
        try:
            world, context = chain.world(number), chain.context(number)
        except (UnknownBlock, HeightError):
            return None  # the head has just moved
        return chain.executor.series(world, context, to) if chain.moves == self._moves else None

    def _in_series(self, series: Series, kind: Kind, fields: Mapping[str, Any], most: int) -> str | None:
        """What a call gives back; None where it fails, or is none for a series."""
        if len(fields) == _LEAST_FIELDS:
            sender, content, gas = ZERO_ADDRESS, data(fields.get("data") or fields.get("input")), most
        else:
            message = message_of(fields, most)
            limit = message.gas_limit
            if limit is None or message.value or message.gas_price or message.access_list:
                return None
            sender, content, gas = message.sender, message.data, limit
        start = perf_counter()
        if self._caller.raised:
            output = series.output(sender, content, gas)
        else:
            with RaisedRecursionLimit():
                output = series.output(sender, content, gas)
        if output is None or perf_counter() - start > SHORT:
            self._series[kind] = 0  # whether it is worth it is to be seen again
        elif series.world.kept > MOST_RECORDS:
            self._end_series()
        return None if output is None else "0x" + output.hex()

    def _end_series(self) -> None:
        for each in self._contracts.values():
            each.end()
        self._contracts, self._series = {}, {}

    def _let_go(self) -> None:
        self._end_series()
        self._answers, self._moves = Answers(), -1


def _kind(fields: Mapping[str, Any]) -> Kind | None:
    """Of which kind a call is that names its receiver and what that is given."""
    to, content = fields.get("to"), fields.get("data") or fields.get("input")
    if to.__class__ is not str or content.__class__ is not str or len(to) != _ADDRESS_DIGITS:
        return None
    return to, content[:_SELECTOR_DIGITS]


def _is_short_text(fields: Mapping[str, Any]) -> bool:
    """Whether a call may be remembered by its words: 1 would be taken for true, and what is long is not worth it."""
    if len(fields) > MOST_FIELDS:  # unknown ones are passed over, so there may be any
        return False
    length = 0
    for name, value in fields.items():
        if value.__class__ is not str:
            return False
        length += len(name) + len(value)
    return length <= LONGEST_ANSWER
