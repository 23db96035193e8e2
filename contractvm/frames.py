"""The frames of one transaction: what a contract's call, delegate call or create does to the world around the code.

Each frame is a checkpoint, a transfer, a machine chosen by the code's first bytes, and either everything kept or
everything rolled back. Source: yellow paper sections 7 and 8 (creation, message call); EIP-161 (nonce 1, touches),
684 and 7610 (address collisions), 2929 (a created address is warm even if creation fails).
Never: prices instructions or host calls, or reads code bytes itself; those are the machines' and the host's.
"""

from __future__ import annotations

from collections.abc import Sequence

from contractvm.crypto import keccak256
from contractvm.dataclass import dataclass
from contractvm.errors import Fatal, ModuleError, OutOfGas, Revert, Trap
from contractvm.host import Env, Host, Session
from contractvm.host import Prices as HostPrices
from contractvm.machine import CALL, CREATE, CREATE2, OK, Call, Machine, Outcome, Repeat, Repeating, Status
from contractvm.nesting import FRAMES_A_THREAD, FRAMES_ON_CALLER, Legs, roomy, stack_bytes
from contractvm.rules import Rules
from contractvm.transaction import MAX_NONCE
from contractvm.types import ZERO_ADDRESS, Address
from gas.meter import Meter
from state.codec import encode as rlp_encode
from state.world import EMPTY_CODE_HASH, World


@dataclass(frozen=True, slots=True)
class CreatePrices:
    """What becoming a contract costs, in milligas a byte."""

    init_byte: int
    deposit_byte: int

    @staticmethod
    def of(rules: Rules) -> CreatePrices:
        """Read them from the schedule. Raises: ScheduleError."""
        return CreatePrices(rules.schedule.milli("create.init_byte"), rules.schedule.milli("create.deposit_byte"))


def choose(machines: Sequence[Machine], code: bytes) -> Machine | None:
    """The machine whose code this is, by its first bytes."""
    for machine in machines:
        if machine.accepts(code):
            return machine
    return None


def create_address(creator: Address, nonce: int) -> Address:
    """Address of a contract created by a transaction or `create`. Source: yellow paper equation 87."""
    return Address(keccak256(rlp_encode([creator, nonce]))[12:])


def create2_address(creator: Address, salt: bytes, init: bytes) -> Address:
    """Address of a contract created by `create2`; `init` is code followed by input. Source: EIP-1014."""
    return Address(keccak256(b"\xff" + creator + salt + keccak256(init))[12:])


class Frames:
    """Opens frames for one transaction after another, on a world and in a block."""

    __slots__ = ("_env", "_here", "_legs", "_machines", "_prices", "_rules", "_world", "coinbase", "session")

    def __init__(
        self,
        world: World,
        env: Env,
        rules: Rules,
        machines: Sequence[Machine],
        prices: CreatePrices,
        host_prices: HostPrices | None = None,
    ) -> None:
        """Open nothing yet; the thread that makes this starts the frames.

        `host_prices`: of the rules, where somebody has looked them up already.
        """
        self._world = world
        self._env = env
        self._rules = rules
        self._machines = machines
        self._prices = prices
        self.session = Session(rules, host_prices)
        self.coinbase = env.coinbase
        self._legs: Legs | None = None
        self._here = roomy(stack_bytes(FRAMES_ON_CALLER, rules.limits.stack_weight))

    def begin(self, origin: Address, gas_price: int, base_fee: int) -> None:
        """Begin a transaction: who signed it, what it pays for a gas, and what of that is burnt. Fees in wei."""
        env = self._env
        env.origin, env.gas_price, env.base_fee = origin, gas_price, base_fee
        self.session.begin()

    def start(self, call: Call) -> Outcome:
        """Run the outermost frame, on this thread if its stack has room for the frames that stay on it.

        Raises: Fatal, never a contract's error.
        """
        return self._open(call) if self._here else self._on_leg(call)

    def repeat(self, address: Address) -> tuple[Host, Repeat] | None:
        """Get ready to run the outermost frame of a contract many times: the host of all of them, and what runs them.

        The host is to be renewed for each. None where that would be no better than to `start` each.
        """
        code_hash = self._world.code_hash(address)
        code = self._world.code_of(code_hash)
        machine = choose(self._machines, code) if code and self._here else None
        if not isinstance(machine, Repeating):
            return None
        call = Call(CALL, ZERO_ADDRESS, address, address, 0, b"", 0, 0)
        host = Host(self._world, self._env, self._rules, call, Meter(0), self.invoke, self.session)
        repeat = machine.repeat(code, code_hash, host)
        return None if repeat is None else (host, repeat)

    def invoke(self, call: Call) -> Outcome:
        """Run the frame that `call` asks for; its effects are in the world if and only if the outcome is ok.

        Raises: Fatal, never a contract's error.
        """
        if call.depth % FRAMES_A_THREAD == FRAMES_ON_CALLER:
            return self._on_leg(call)
        return self._open(call)

    def _on_leg(self, call: Call) -> Outcome:
        if self._legs is None:
            self._legs = Legs(stack_bytes(FRAMES_A_THREAD, self._rules.limits.stack_weight))
        return self._legs.run(self._open, call)

    def _open(self, call: Call) -> Outcome:
        kind = call.kind
        if kind is CREATE or kind is CREATE2:
            return self._create(call)
        world = self._world
        code_hash = world.code_hash(call.code_address)
        code = world.code_of(code_hash)
        if not code and call.input and call.depth:
            return Outcome(Status.NO_CODE, call.gas, detail=f"no code at 0x{call.code_address.hex()}")
        mark = world.checkpoint()
        if kind is CALL:
            if call.value:
                world.sub_balance(call.caller, call.value)
                world.add_balance(call.self_address, call.value)
            elif not code:
                world.touch(call.self_address)
        if not code:
            return Outcome(OK, call.gas)
        machine = choose(self._machines, code)
        if machine is None:
            raise Fatal(f"no machine runs the code at 0x{call.code_address.hex()}")
        meter = Meter(call.gas)
        host = Host(world, self._env, self._rules, call, meter, self.invoke, self.session)
        try:
            output = machine.run(code, code_hash, "call", host)
        except Revert as revert:
            world.rollback(mark)
            return Outcome(Status.REVERT, meter.gas_left, revert.data)
        except Trap as trap:
            world.rollback(mark)
            return Outcome(Status.TRAP, meter.gas_left, trap=_untied(trap))
        except OutOfGas:
            world.rollback(mark)
            return Outcome(Status.OUT_OF_GAS, 0)
        return Outcome(OK, meter.gas_left, output)

    def _create(self, call: Call) -> Outcome:
        """Create a contract: from the creator's nonce to the stored code.

        The nonce and the new address's warmth stay whatever happens; a transaction's nonce is already counted.
        """
        world, creator = self._world, call.caller
        nonce = world.nonce(creator)
        if call.depth:
            if nonce > MAX_NONCE:
                return Outcome(Status.TRAP, call.gas, detail="the creator's nonce is used up (EIP-2681)")
            world.set_nonce(creator, nonce + 1)
        else:
            nonce -= 1
        if call.kind is CREATE2:
            address = create2_address(creator, call.salt, call.input)
        else:
            address = create_address(creator, nonce)
        world.warm_address(address)
        if world.nonce(address) or world.code_hash(address) != EMPTY_CODE_HASH or world.has_storage(address):
            return Outcome(Status.OUT_OF_GAS, 0, detail=f"0x{address.hex()} is taken (EIP-684)")
        mark = world.checkpoint()
        meter = Meter(call.gas)
        try:
            self._deploy(call, address, meter)
        except Revert as revert:
            world.rollback(mark)
            return Outcome(Status.REVERT, meter.gas_left, revert.data)
        except Trap as trap:
            world.rollback(mark)
            return Outcome(Status.TRAP, meter.gas_left, trap=_untied(trap))
        except ModuleError as refusal:
            world.rollback(mark)
            return Outcome(Status.TRAP, meter.gas_left, detail=f"code refused: {refusal}")
        except OutOfGas:
            world.rollback(mark)
            return Outcome(Status.OUT_OF_GAS, 0)
        return Outcome(OK, meter.gas_left, created=address)

    def _deploy(self, call: Call, address: Address, meter: Meter) -> None:
        """Pay for the bytes, have a machine accept the code, run its constructor, pay the deposit, store the code.

        Raises: ModuleError, Revert, Trap, OutOfGas.
        """
        world, init = self._world, call.input
        if call.depth:
            # A transaction has paid for these bytes in its intrinsic gas.
            _charge(meter, len(init) * self._prices.init_byte)
        world.create(address)
        world.set_nonce(address, 1)
        if call.value:
            world.sub_balance(call.caller, call.value)
            world.add_balance(address, call.value)
        machine = choose(self._machines, init)
        if machine is None:
            raise ModuleError(f"no machine runs code that starts with {init[:4].hex() or 'nothing'}")
        code, arguments = machine.split(init)
        machine.check(code, self._rules)
        inner = Call(
            call.kind, call.caller, address, address, call.value, arguments, call.gas, call.depth, False, call.salt
        )
        host = Host(world, self._env, self._rules, inner, meter, self.invoke, self.session)
        machine.run(code, keccak256(code), "deploy", host)
        _charge(meter, len(code) * self._prices.deposit_byte)
        world.set_code(address, code)


def _untied(trap: Trap) -> Trap:
    """The same trap without its traceback, which would keep the frames below, and their memories, with the outcome."""
    return Trap(trap.code, trap.detail, trap.place, trap.backtrace)


def _charge(meter: Meter, milligas: int) -> None:
    if meter.left < milligas:
        raise OutOfGas
    meter.left -= milligas
