"""Transactions on the world: what is checked, bought, run, refunded and paid, and the read-only form of the same.

Source: yellow paper section 6; EIP-1559 (fees), 2929 and 2930 (warm lists), 3529 (refund cap), 3607 (senders without
code), 3651 (warm coinbase), 161 (empty accounts). Creation pays for init code by the byte instead of EIP-3860's words.
Never: writes to a store or knows of blocks beyond their environment; nested frames are `frames`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import field
from typing import Protocol

from contractvm.dataclass import dataclass
from contractvm.errors import Fatal, OutOfGas, Rejected, Revert, Trap
from contractvm.frames import CreatePrices, Frames, choose
from contractvm.host import Env, Host, Log, Prices
from contractvm.machine import CALL, CREATE, OK, Call, Machine, Repeat, Status
from contractvm.nesting import RaisedRecursionLimit
from contractvm.rejections import (
    FeeTooLow,
    InsufficientFunds,
    IntrinsicGasTooLow,
    LimitExceeded,
    MalformedTransaction,
    NonceTooHigh,
    NonceTooLow,
    SenderNotEOA,
)
from contractvm.rules import Rules
from contractvm.transaction import MAX_NONCE, AccessList, Transaction, TxPrices
from contractvm.types import ZERO_ADDRESS, Address
from state.world import EMPTY_CODE_HASH, World


def no_block_hash(_: int) -> bytes | None:
    """The chain before its first block."""
    return None


@dataclass(frozen=True, slots=True)
class BlockContext:
    """What a transaction sees of its block. Fees in wei a gas, `gas_limit` in gas."""

    chain_id: int
    number: int
    timestamp: int
    coinbase: Address = ZERO_ADDRESS
    base_fee: int = 0
    gas_limit: int = 30_000_000
    block_hash: Callable[[int], bytes | None] = no_block_hash
    debug: Callable[[Address, bytes], None] | None = None


@dataclass(slots=True)  # not frozen, since that takes twice as long to make and every call makes one
class Message:
    """A call that nobody signed: what `eth_call` and `eth_estimateGas` run. `gas_price` 0 means that gas is free."""

    sender: Address = ZERO_ADDRESS
    to: Address | None = None
    value: int = 0
    data: bytes = b""
    gas_limit: int | None = None
    gas_price: int = 0
    access_list: AccessList = ()


class Asked(Protocol):
    """What a transaction and a message say alike."""

    @property
    def to(self) -> Address | None: ...
    @property
    def value(self) -> int: ...
    @property
    def data(self) -> bytes: ...
    @property
    def access_list(self) -> AccessList: ...


@dataclass(slots=True)
class Executed:
    """What came of a transaction or message. Gas is whole gas.

    `gas_used` is what was paid for, `gas_spent` the same before refunds: the least gas limit lies between them and
    above. `trap` is the outermost frame's; `detail` says more of failures that are none of the contract's errors.
    `spare` is `Session.spare`, in milligas.
    """

    status: Status
    gas_used: int
    gas_spent: int
    gas_price: int
    output: bytes = b""
    logs: tuple[Log, ...] = ()
    created: Address | None = None
    trap: Trap | None = None
    detail: str = field(default="")
    spare: int = 0

    @property
    def ok(self) -> bool:
        """Whether it took effect."""
        return self.status is OK


class Executor:
    """Runs transactions by one set of rules on a list of machines; holds nothing else."""

    __slots__ = ("_create_prices", "_host_prices", "_refund_quotient", "machines", "prices", "rules")

    def __init__(self, rules: Rules, machines: Sequence[Machine]) -> None:
        self.rules = rules
        self.machines = tuple(machines)
        self.prices = TxPrices.of(rules)
        self._create_prices = CreatePrices.of(rules)
        self._host_prices = Prices.of(rules.schedule)
        self._refund_quotient = rules.schedule.gas("refund.quotient")

    def apply(
        self,
        tx: Transaction,
        world: World,
        block: BlockContext,
        gas_available: int,
        *,
        raised: bool = False,
        frames: Frames | None = None,
    ) -> Executed:
        """Run a transaction on the world and settle it; the world is changed whether or not it succeeds.

        `gas_available` is what the block has left. `raised` and `frames`: the caller has raised the recursion limit,
        and made the frames for this world and block, for many of them. Raises: Rejected, with the world as it was;
        Fatal.
        """
        intrinsic = self.check(tx, world, block, gas_available)
        price, sender = tx.gas_price(block.base_fee), tx.sender
        frames = frames or self.frames(world, block)
        frames.begin(sender, price, block.base_fee)
        executed = self._run(tx, sender, tx.gas_limit, price, intrinsic, world, frames, raised)
        back = (tx.gas_limit - executed.gas_used) * price
        if back:  # without, there is nothing to do: buying the gas has touched the sender
            world.add_balance(sender, back)
        tip = price - block.base_fee
        if tip:
            world.add_balance(block.coinbase, executed.gas_used * tip)
        world.end_transaction()
        return executed

    def check(self, tx: Transaction, world: World, block: BlockContext, gas_available: int) -> int:
        """Refuse what cannot be in this block, in the order in which clients expect the reasons.

        Return the intrinsic gas. Raises: Rejected.
        """
        sender = tx.sender
        nonce, balance, code_hash = world.row(sender)
        self.check_nonce(tx, nonce)
        if tx.impersonated is None and code_hash != EMPTY_CODE_HASH:
            raise SenderNotEOA(f"sender not an eoa: 0x{sender.hex()} has code (EIP-3607)")
        if tx.max_fee < block.base_fee:
            raise FeeTooLow(
                f"max fee per gas less than block base fee: maxFeePerGas {tx.max_fee}, baseFee {block.base_fee}"
            )
        self.check_funds(tx, balance)
        if tx.gas_limit > gas_available:
            raise LimitExceeded(f"gas limit reached: the block has {gas_available} gas left, not {tx.gas_limit}")
        return self.check_intrinsic(tx)

    def check_nonce(self, tx: Transaction, nonce: int) -> None:
        """Raises: NonceTooLow, NonceTooHigh."""
        if tx.nonce < nonce:
            raise NonceTooLow(f"nonce too low: next nonce {nonce}, tx nonce {tx.nonce}")
        if tx.nonce > nonce:
            raise NonceTooHigh(f"nonce too high: next nonce {nonce}, tx nonce {tx.nonce}")
        if nonce > MAX_NONCE:
            raise NonceTooHigh(f"nonce has max value: address 0x{tx.sender.hex()} has used all it had (EIP-2681)")

    def check_funds(self, tx: Transaction, balance: int) -> None:
        """Raises: InsufficientFunds unless the balance covers value and the gas limit at the fee cap."""
        self._check_funds(tx.sender, balance, tx.gas_limit * tx.max_fee + tx.value)

    def _check_funds(self, sender: Address, balance: int, cost: int) -> None:
        if balance < cost:
            raise InsufficientFunds(
                f"insufficient funds for gas * price + value: address 0x{sender.hex()} have {balance} want {cost}"
            )

    def check_intrinsic(self, tx: Transaction) -> int:
        """Return the intrinsic gas. Raises: IntrinsicGasTooLow, LimitExceeded, MalformedTransaction."""
        return self._check_intrinsic(tx, tx.gas_limit, tx.max_fee, tx.max_tip)

    def _check_intrinsic(self, asked: Asked, gas_limit: int, max_fee: int, max_tip: int) -> int:
        data = asked.data
        if len(data) > self.rules.limits.input_bytes:
            raise LimitExceeded(f"oversized data: {len(data)} bytes, limit {self.rules.limits.input_bytes}")
        if max_tip > max_fee:
            raise MalformedTransaction(f"max priority fee per gas higher than max fee per gas: {max_tip} > {max_fee}")
        intrinsic = self.prices.intrinsic(asked.to, data, asked.access_list)
        if gas_limit < intrinsic:
            raise IntrinsicGasTooLow(f"intrinsic gas too low: gas {gas_limit}, minimum needed {intrinsic}")
        return intrinsic

    def check_code(self, code: bytes) -> None:
        """Refuse code that a deployment would refuse. Raises: ModuleError, Rejected."""
        machine = choose(self.machines, code)
        if machine is None:
            raise Rejected(f"no machine runs code that starts with {code[:4].hex() or 'nothing'}")
        machine.check(code, self.rules)

    def simulate(
        self,
        message: Message,
        world: World,
        block: BlockContext,
        *,
        raised: bool = False,
        frames: Frames | None = None,
    ) -> Executed:
        """Run a message on a scratch world, which is then dropped. A gas price of zero makes the base fee zero as well.

        Whoever runs many on one world rolls it back in between, has `raised` the recursion limit for all of them, and
        gives the `frames` that were made for this world and block. Raises: IntrinsicGasTooLow, InsufficientFunds,
        LimitExceeded, FeeTooLow; Fatal.
        """
        sender, price = message.sender, message.gas_price
        if 0 < price < block.base_fee:
            raise FeeTooLow(f"max fee per gas less than block base fee: maxFeePerGas {price}, baseFee {block.base_fee}")
        gas_limit = block.gas_limit if message.gas_limit is None else message.gas_limit
        intrinsic = self._check_intrinsic(message, gas_limit, price, price)
        if cost := gas_limit * price + message.value:
            self._check_funds(sender, world.balance(sender), cost)
        frames = frames or self.frames(world, block)
        frames.begin(sender, price, block.base_fee if price else 0)
        return self._run(message, sender, gas_limit, price, intrinsic, world, frames, raised)

    def series(self, world: World, block: BlockContext, to: Address) -> Series | None:
        """Get ready for many messages to one contract in a block, on a scratch world that nobody else uses meanwhile.

        None where they would take as long as without.
        """
        frames = self.frames(world, block)
        ready = frames.repeat(to)
        return None if ready is None else Series(self, world, frames, *ready)

    def frames(self, world: World, block: BlockContext) -> Frames:
        """What opens the frames of transactions and messages that are run on a world in a block, one after another."""
        env = Env(
            block.chain_id,
            block.number,
            block.timestamp,
            block.coinbase,
            block.base_fee,
            block.gas_limit,
            ZERO_ADDRESS,
            0,
            block.block_hash,
            block.debug,
        )
        return Frames(world, env, self.rules, self.machines, self._create_prices, self._host_prices)

    def _run(
        self,
        asked: Asked,
        sender: Address,
        gas_limit: int,
        price: int,
        intrinsic: int,
        world: World,
        frames: Frames,
        raised: bool,
    ) -> Executed:
        """Buy the gas, warm what starts warm, and open the outermost frame."""
        to, gas = asked.to, gas_limit - intrinsic
        warm: dict[bytes, bool] = {sender: True, frames.coinbase: True}
        for address, _ in asked.access_list:
            warm[address] = True
        if to is None:
            call = Call(CREATE, sender, ZERO_ADDRESS, ZERO_ADDRESS, asked.value, asked.data, gas, 0)
        else:
            warm[to] = True
            call = Call(CALL, sender, to, to, asked.value, asked.data, gas, 0)
        world.begin_paid_transaction(sender, gas_limit * price, warm)
        for address, keys in asked.access_list:
            for key in keys:
                world.warm_slot(address, key)
        try:
            if raised:
                outcome = frames.start(call)
            else:
                with RaisedRecursionLimit():
                    outcome = frames.start(call)
        except RecursionError as error:
            raise Fatal("Python's recursion limit was reached below the engine's own limits") from error
        spent = gas_limit - outcome.gas_left
        refund = world.refund
        return Executed(
            outcome.status,
            spent - min(refund, spent // self._refund_quotient) if refund else spent,
            spent,
            price,
            outcome.output,
            world.logs,  # type: ignore[arg-type]  # contracts log nothing else
            outcome.created,
            outcome.trap,
            outcome.detail,
            frames.session.spare,
        )


class Series:
    """Messages to one contract that pay nothing, one after another on one world and block: what each gives back.

    Does for them what `simulate` does, in half the time, as all that stays the same is looked up once: as long as they
    have one sender, the transaction that each of them begins begins once, and is gone back to. Of those that fail it
    says nothing but that: `simulate` has the reasons. Belongs to one thread, whose recursion limit is raised.
    """

    __slots__ = ("_begun", "_frames", "_host", "_intrinsic", "_most", "_repeat", "_sender", "_start", "world")

    def __init__(self, executor: Executor, world: World, frames: Frames, host: Host, repeat: Repeat) -> None:
        self.world = world
        self._frames = frames
        self._host = host
        self._repeat = repeat
        self._intrinsic = executor.prices.intrinsic
        self._most = executor.rules.limits.input_bytes
        self._sender: Address | None = None
        """Whose transaction is open."""
        self._start = self._begun = world.checkpoint()
        """Before it, and when it had begun."""

    def output(self, sender: Address, data: bytes, gas_limit: int) -> bytes | None:
        """What a message gives back, without value, price and access list; None when it fails.

        Raises: Fatal.
        """
        host = self._host
        gas = gas_limit - self._intrinsic(host.self_address, data, ())
        if gas < 0 or len(data) > self._most:
            return None
        if sender != self._sender:
            self._begin(sender)
        host.renew(data, gas)
        try:
            return self._repeat.run()
        except (Revert, Trap, OutOfGas, RecursionError):
            return None
        finally:
            self.world.rollback(self._begun)

    def _begin(self, sender: Address) -> None:
        """Go back to before the transaction that is open, and begin another sender's."""
        world, frames, host = self.world, self._frames, self._host
        self._sender = None
        world.rollback(self._start)
        frames.begin(sender, 0, 0)
        world.begin_paid_transaction(sender, 0, {sender: True, frames.coinbase: True, host.self_address: True})
        host.call.caller = sender
        self._repeat.begin()
        self._sender, self._begun = sender, world.checkpoint()

    def end(self) -> None:
        """Run no more of them, let go of what was kept ready, and leave the world as it was."""
        self._sender = None
        self.world.rollback(self._start)
        self._repeat.end()
