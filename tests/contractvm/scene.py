"""What the tests of execution share: a funded world of fake contracts, a block, and contracts that end in each way.

Never: asserts anything.
"""

from __future__ import annotations

from dataclasses import replace

from contractvm.devaccounts import dev_accounts
from contractvm.errors import Revert, Trap, TrapCode
from contractvm.execute import BlockContext, Executed, Executor
from contractvm.host import Host
from contractvm.rules import contract_rules
from contractvm.transaction import Transaction
from contractvm.types import Address
from state.world import World
from tests.contractvm.fake import MAGIC, Contract, FakeMachine, burn, empty_world, host_call, init, poke, store

RULES = contract_rules()
ALICE, BOB = dev_accounts()[:2]
MINER = Address(b"\x22" * 20)
SHOP = Address(b"\x33" * 20)
OTHER = Address(b"\x44" * 20)
ETHER = 10**18
BLOCK = BlockContext(chain_id=1, number=5, timestamp=1_000, coinbase=MINER, base_fee=7)
TRANSFER = Transaction(max_fee=10, max_tip=2, gas_limit=50_000, to=BOB.address, value=5, chain_id=1)
CALL = replace(TRANSFER, to=SHOP, value=0, gas_limit=200_000)


def world_with(**contracts: Contract) -> tuple[World, Executor]:
    """A world with a funded Alice, each contract at `SHOP`, `OTHER`, ... in order, and an executor that knows them."""
    world = empty_world()
    world.set_balance(ALICE.address, ETHER)
    for address, name in zip((SHOP, OTHER, Address(b"\x55" * 20)), contracts, strict=False):
        world.set_nonce(address, 1)
        world.set_code(address, MAGIC + name.encode())
    return world, Executor(RULES, [FakeMachine(contracts)])


def apply(executor: Executor, world: World, tx: Transaction, gas: int = 30_000_000) -> Executed:
    """Sign by Alice and run."""
    return executor.apply(tx.sign(ALICE.secret), world, BLOCK, gas)


def works(host: Host, entry: str) -> bytes:
    """Writes a slot and returns five bytes."""
    store(host, b"key", b"value")
    return b"done!"


def reverts(host: Host, entry: str) -> bytes:
    """Writes, then takes it back."""
    store(host, b"key", b"value")
    raise Revert(b"why")


def traps(host: Host, entry: str) -> bytes:
    """Writes, then breaks a rule."""
    store(host, b"key", b"value")
    raise Trap(TrapCode.UNREACHABLE, "here")


def exhausts(host: Host, entry: str) -> bytes:
    """Uses more than any gas."""
    store(host, b"key", b"value")
    burn(host, 10**12)
    return b""


def create(host: Host, data: bytes, value: int = 0, salt: bytes | None = None) -> tuple[int, Address]:
    """Create through the host: (status, address written)."""
    poke(host, 0, data)
    poke(host, 4096, value.to_bytes(32, "little"))
    poke(host, 4160, bytes(20))
    numbers = [0, len(data), 4096, 0, 0, 2**64 - 1]
    if salt is None:
        status = host_call(host, "create", *numbers, 4160)
    else:
        poke(host, 5000, salt)
        status = host_call(host, "create2", *numbers, 5000, 4160)
    return status, Address(bytes(host.memory.data[4160:4180]))


DEPLOY = Transaction(max_fee=10, max_tip=2, gas_limit=200_000, to=None, data=init("shop", b"args"), chain_id=1)
