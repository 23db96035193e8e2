"""The ledger: what it tells at once is what the chain comes to when it makes the same blocks."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contractvm.devaccounts import dev_accounts
from contractvm.errors import Fatal
from contractvm.transaction import Transaction
from contractvm.types import Address
from sdk.testing import CallFailed, MockChain
from sdk.testing.ledger import NotThere
from tests.sdk.conftest import need

BOB = Address(b"\x0b" * 20)
COUNTER = Path(__file__).parents[3] / "contracts" / "counter" / "counter.wat"
ABI = ("number() view returns (uint256)", "setNumber(uint256)", "increment()")
STEPS = st.lists(
    st.tuples(st.sampled_from(["set", "increment", "fail", "pay", "deal", "warp", "mine"]), st.integers(0, 2**70)),
    max_size=12,
)


def play(mock: MockChain, steps: list[tuple[str, int]], *, sealing: bool) -> list[object]:
    """Do something a step; what was seen of it. `sealing`: the chain makes each block at once."""
    seen: list[object] = []
    counter = mock.deploy(COUNTER, abi=ABI)
    for what, number in steps:
        match what:
            case "set":
                seen.append(counter.set_number.tx(number).gas_used)
            case "increment":
                seen.append(counter.increment.tx().gas_used)
            case "fail":
                with pytest.raises(CallFailed):
                    counter["nothing()"](gas=40_000)
            case "pay":
                seen.append(mock.pay(BOB, number).gas_used)
            case "deal":
                mock.deal(mock.accounts[2], number)
            case "warp":
                mock.warp(number + 1)
            case "mine":
                mock.mine(1 + number % 3)
        if sealing:
            assert mock.inner.head.number == mock.height
        seen.append((mock.height, mock.timestamp, counter.number(), mock.balance(BOB)))
    return seen


@given(STEPS)
@settings(max_examples=25)
def test_sealing_comes_to_the_same(steps: list[tuple[str, int]]) -> None:
    need("wasmtime", "wat")
    with MockChain(tier="portable") as late, MockChain(tier="portable") as early:
        assert play(late, steps, sealing=False) == play(early, steps, sealing=True)
        assert late.inner.head.hash == early.inner.head.hash
        assert late.inner.head.number == late.height
        world = late.inner.world()
        for account in (*late.accounts, BOB):
            assert world.balance(account) == late.balance(account)
            assert world.nonce(account) == late.ledger.world.nonce(account)


@given(st.lists(st.integers(0, 9), min_size=1, max_size=20), st.booleans())
@settings(max_examples=50)
def test_every_moment_can_be_come_back_to(steps: list[int], sealing: bool) -> None:
    """0 remembers, 1 to 4 go back to what was remembered, the others pay; the balance is that of the branch."""
    with MockChain(tier="portable") as mock:
        moments = [(mock.snapshot(), 0, 0)]
        paid = 0
        for step in steps:
            if step == 0:
                moments.append((mock.snapshot(), paid, mock.height))
            elif step < 5:
                name, paid, height = moments[step % len(moments)]
                mock.revert(name)
                assert mock.height == height
            else:
                mock.pay(BOB, step)
                paid += step
            if sealing and step % 2:
                assert mock.inner.world().balance(BOB) == paid
            assert mock.balance(BOB) == paid
        assert mock.inner.world().balance(BOB) == paid
        assert mock.inner.head.number == mock.height


def test_what_the_chain_did_itself_is_taken_over() -> None:
    with MockChain(tier="portable") as mock:
        before = mock.snapshot()
        mock.pay(BOB, 1)
        middle = mock.snapshot()
        inner = mock.inner
        inner.edit(lambda world: world.set_balance(BOB, 50))
        inner.produce()
        assert (mock.balance(BOB), mock.height) == (50, 3)
        mock.pay(BOB, 1)
        foreign = mock.snapshot()
        assert mock.inner.world().balance(BOB) == 51
        mock.revert(middle)
        assert (mock.balance(BOB), mock.height) == (1, 1)
        with pytest.raises(NotThere, match="its branch was left"):
            mock.revert(foreign)
        mock.revert(before)
        assert (mock.balance(BOB), mock.height, mock.inner.head.number) == (0, 0, 0)


def test_the_chain_rewound_behind_the_kits_back() -> None:
    with MockChain(tier="portable") as mock:
        start = mock.moment()
        mock.pay(BOB, 1)
        mock.pay(BOB, 2)
        mock.inner.rewind(1)
        assert (mock.balance(BOB), mock.height) == (1, 1)
        inner = mock.inner
        mock.pay(BOB, 4)
        inner.produce()
        with pytest.raises(NotThere, match=r"read `chain\.inner` anew"):
            mock.pay(BOB, 8)
        mock.restore(start)
        mock.pay(BOB, 8)
        assert (mock.balance(BOB), mock.inner.world().balance(BOB), mock.height) == (8, 8, 1)


def test_signed_transactions_wait_for_mine() -> None:
    with MockChain(tier="portable") as mock:
        alice = dev_accounts()[0]
        signed = Transaction(
            max_fee=0,
            gas_limit=21_000,
            to=BOB,
            value=7,
            chain_id=mock.inner.chain_id,
        ).sign(alice.secret)
        mock.inner.submit(signed)
        assert mock.balance(BOB) == 0
        mock.mine()
        assert mock.balance(BOB) == 7
        mock.pay(BOB, 1)
        assert mock.balance(BOB) == 8


def test_a_change_that_comes_to_something_else_is_found() -> None:
    with MockChain(tier="portable") as mock:
        counter = [0]

        def change(world: object) -> None:
            counter[0] += 1
            world.set_balance(mock.accounts[1], counter[0])  # type: ignore[attr-defined]

        mock.ledger.edit(change)
        mock.pay(BOB, 1, sender=mock.accounts[1])
        with pytest.raises(Fatal, match="mock chain"):
            mock.ledger.edit(lambda world: None)
            mock.ledger.head.parent.executed.gas_used += 1  # type: ignore[union-attr]
            _ = mock.inner


def test_contracts_are_told_the_hashes_of_blocks(tmp_path: Path) -> None:
    need("wasmtime", "wat")
    source = tmp_path / "hash.wat"
    source.write_text(
        """(module
          (import "cvm1" "block_hash" (func $hash (param i64 i32) (result i32)))
          (import "cvm1" "block_number" (func $number (result i64)))
          (import "cvm1" "finish" (func $finish (param i32 i32)))
          (memory (export "memory") 1)
          (func (export "call")
            (drop (call $hash (i64.sub (call $number) (i64.const 1)) (i32.const 0)))
            (call $finish (i32.const 0) (i32.const 32))))"""
    )
    with MockChain(tier="portable") as mock:
        contract = mock.deploy(source)
        mock.pay(BOB, 1)
        told = mock.run(contract.address)
        assert told == mock.inner.head.hash
        receipt = mock.transact(contract.address)
        assert receipt.output == told
        assert receipt.raw.block_hash == mock.inner.header(3).hash
