"""The least gas limit with which a message succeeds, such that one gas less fails.

Geth stops within 1.5 per cent of it; here the search goes to the last unit, and because it starts from what a first
run spent, a call without nested calls takes three runs, or one where the code cannot see how much gas it has: then it
does the same with whatever it spends, and less ends it. Never: guesses. Answer and the one below were run, or follow.
"""

from __future__ import annotations

from collections.abc import Callable

from contractvm.dataclass import dataclass
from contractvm.errors import ContractVMError
from contractvm.execute import BlockContext, Executed, Executor, Message
from contractvm.frames import choose
from contractvm.machine import Status
from contractvm.rejections import InsufficientFunds, IntrinsicGasTooLow
from contractvm.types import MILLI
from state.world import World


class CannotSucceed(ContractVMError):
    """The message fails however much gas it gets; `executed` says how, with its revert data."""

    def __init__(self, message: str, executed: Executed | None) -> None:
        super().__init__(message)
        self.executed = executed


@dataclass(frozen=True, slots=True)
class Estimate:
    """`gas` succeeds and `gas - 1` fails.

    `steady` is False when the message spends another amount if given more gas, or fails then: it looks at the gas it
    has, and some limit above `gas` may fail or one far below may succeed.
    """

    gas: int
    executed: Executed
    steady: bool


def estimate(
    executor: Executor, message: Message, scratch: Callable[[], World], block: BlockContext, *, raised: bool = False
) -> Estimate:
    """Search the least gas limit; `scratch` gives a fresh world for each run, which may be the same one put back.

    The upper bound is the message's own limit, the block's, and what the sender can pay. `raised`: the caller has
    raised Python's recursion limit. Raises: CannotSucceed; Rejected when the message could not be sent at any limit.
    """
    world = scratch()
    frames = executor.frames(world, block)
    allowance, sees_gas = _allowance(message, world, block), _sees_gas(executor, message, world)
    runs: dict[int, Executed] = {}

    def run(limit: int) -> Executed:
        if limit not in runs:
            limited = Message(
                message.sender,
                message.to,
                message.value,
                message.data,
                limit,
                message.gas_price,
                message.access_list,
            )
            fresh = scratch()
            runs[limit] = executor.simulate(
                limited, fresh, block, raised=raised, frames=frames if fresh is world else None
            )
        return runs[limit]

    try:
        top = run(allowance)
    except IntrinsicGasTooLow as error:
        raise CannotSucceed(f"gas required exceeds allowance ({allowance}): {error}", None) from None
    floor = _intrinsic(executor, message)
    if not top.ok:
        less = _less(run, allowance, floor) if sees_gas and top.status is not Status.OUT_OF_GAS else None
        if less is None:
            raise _failure(top, allowance)
        least = _least(run, floor - 1, less)
        return Estimate(least, run(least), steady=False)
    # Success with less than what was spent would mean that the message chose to spend less.
    low, high = max(top.gas_spent, floor) - 1, allowance
    if not sees_gas:
        # With what it spent it would do the same, but for EIP-2200's sentry, were a change of storage near its end.
        if top.spare > (allowance - low - 1) * MILLI:
            return Estimate(low + 1, top, steady=True)
        if run(low + 1).ok:
            return Estimate(low + 1, run(low + 1), steady=True)
    elif low >= floor and run(low).ok:
        low, high = floor - 1, low
    for guess in _guesses(top, low, high):
        if low < guess < high:
            if run(guess).ok:
                high = guess
            else:
                low = guess
    least = _least(run, low, high)
    return Estimate(least, run(least), steady=run(least).gas_spent == top.gas_spent)


def _least(run: Callable[[int], Executed], low: int, high: int) -> int:
    """A limit that succeeds where one less fails, between `low`, which fails, and `high`, which succeeds."""
    while high - low > 1:
        middle = (low + high) // 2
        if run(middle).ok:
            high = middle
        else:
            low = middle
    return high


def _less(run: Callable[[int], Executed], allowance: int, floor: int) -> int | None:
    """A limit under one that is too much: some code refuses to run with plenty of gas."""
    limit = allowance // 2
    while limit >= floor:
        if run(limit).ok:
            return limit
        limit //= 2
    return None


def _sees_gas(executor: Executor, message: Message, world: World) -> bool:
    """Whether what the message calls might do another thing with another gas limit, as far as can be known."""
    code = b"" if message.to is None else world.code(message.to)
    machine = choose(executor.machines, code) if code else None
    if machine is None or message.to is None:
        return message.to is None
    return machine.sees_gas(code, world.code_hash(message.to), executor.rules)


def _guesses(top: Executed, low: int, high: int) -> list[int]:
    """Limits worth a run before halving: exactly what was spent, then with a call's withheld 64th and stipend."""
    withheld = (top.gas_spent + 2_300) * 64 // 63
    return [low + 1, withheld, 2 * withheld] if high > low + 2 else []


def _intrinsic(executor: Executor, message: Message) -> int:
    return executor.prices.intrinsic(message.to, message.data, message.access_list)


def _allowance(message: Message, world: World, block: BlockContext) -> int:
    allowance = block.gas_limit if message.gas_limit is None else min(message.gas_limit, block.gas_limit)
    funds = world.balance(message.sender)
    if funds < message.value:
        raise InsufficientFunds(
            f"insufficient funds for transfer: address 0x{message.sender.hex()} have {funds} want {message.value}"
        )
    if message.gas_price:
        allowance = min(allowance, (funds - message.value) // message.gas_price)
    return allowance


def _failure(top: Executed, allowance: int) -> CannotSucceed:
    if top.status is Status.OUT_OF_GAS and not top.detail:
        return CannotSucceed(f"gas required exceeds allowance ({allowance})", top)
    if top.status is Status.REVERT:
        return CannotSucceed("execution reverted", top)
    return CannotSucceed(f"execution failed: {top.trap or top.detail or top.status.name.lower()}", top)
