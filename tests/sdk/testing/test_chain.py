"""MockChain: the chain's own blocks and gas, and what a test may do to them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from contractvm.errors import Trap
from contractvm.machine import Status
from contractvm.native.compiler import Refused
from contractvm.rejections import InsufficientFunds
from sdk.abi import ABIError
from sdk.build import Artifact, build
from sdk.errors import BuildError
from sdk.testing import CallFailed, Deployed, MockChain, RanOutOfGas, Reverted, Trapped, reverts
from sdk.testing.chain import COINBASE, START
from tests.sdk.conftest import need
from tests.tiers import NATIVE, each_tier, missing

ETHER = 10**18

# Functions by their first byte: what this contract does when it is asked to.
ODD = """(module
  (import "cvm1" "input_copy" (func $input_copy (param i32 i32 i32) (result i32)))
  (import "cvm1" "caller" (func $caller (param i32)))
  (import "cvm1" "block_timestamp" (func $timestamp (result i64)))
  (import "cvm1" "finish" (func $finish (param i32 i32)))
  (import "cvm1" "revert" (func $revert (param i32 i32)))
  (memory (export "memory") 1)
  (data (i32.const 64) "\\12\\34\\56\\78")
  (func (export "call")
    (drop (call $input_copy (i32.const 0) (i32.const 0) (i32.const 1)))
    (block $spin (block $trap (block $fail (block $when (block $who
      (br_table $who $when $fail $trap $spin (i32.load8_u (i32.const 0))))
      (call $caller (i32.const 140)) (call $finish (i32.const 128) (i32.const 32)))
      (i64.store (i32.const 128) (call $timestamp)) (call $finish (i32.const 128) (i32.const 8)))
      (call $revert (i32.const 64) (i32.const 4)))
      unreachable)
    (loop $again (br $again))))"""
WHO, WHEN, FAIL, TRAP, SPIN = (bytes([i]) for i in range(5))


@pytest.fixture
def mock() -> MockChain:
    return MockChain()


@pytest.fixture
def odd(mock: MockChain, wat: Callable[[str], Path]) -> Deployed:
    return mock.deploy(wat(ODD), abi=["error Odd()"])


def run(odd: Deployed, what: bytes, sender: object = None, gas: int | None = None) -> bytes:
    return odd.chain.run(odd.address, what, sender=sender, gas=gas, errors=odd.interface.errors)


def test_accounts_are_the_development_accounts(mock: MockChain) -> None:
    assert len(mock.accounts) == 10
    assert mock.accounts[0].hex() == "f39fd6e51aad88f6f4ce6ab8827279cfffb92266"
    assert {mock.balance(account) for account in mock.accounts} == {10_000 * ETHER}
    assert COINBASE not in mock.accounts


def test_gas_is_real_and_free(mock: MockChain) -> None:
    alice, bob = mock.accounts[:2]
    receipt = mock.pay(bob, ETHER)
    assert receipt.gas_used == 21_000
    assert mock.balance(alice) == 9_999 * ETHER
    assert mock.balance(bob) == 10_001 * ETHER


def test_gas_can_have_a_price() -> None:
    mock = MockChain(base_fee=10**9)
    receipt = mock.pay(mock.accounts[1], 1)
    assert mock.balance(mock.accounts[0]) == 10_000 * ETHER - 1 - receipt.gas_used * receipt.raw.gas_price
    assert receipt.raw.gas_price > 0


def test_every_run_is_the_same() -> None:
    def roots() -> list[bytes]:
        mock = MockChain()
        mock.pay(mock.accounts[1], 5)
        mock.warp(100)
        mock.mine(2)
        return [mock.inner.header(height).hash for height in range(mock.height + 1)]

    assert roots() == roots()


def test_the_sender_is_chosen(mock: MockChain, odd: Deployed) -> None:
    alice, bob, carol = mock.accounts[:3]
    stranger = b"\x77" * 20
    assert run(odd, WHO)[12:] == alice
    assert run(odd, WHO, sender=bob)[12:] == bob
    with mock.prank(carol):
        assert run(odd, WHO)[12:] == carol
        with mock.prank("0x" + stranger.hex()):
            assert run(odd, WHO)[12:] == stranger
            mock.transact(odd.address, WHO)
        assert run(odd, WHO, sender=bob)[12:] == bob
    assert run(odd, WHO)[12:] == alice
    with pytest.raises(ZeroDivisionError), mock.prank(bob):
        raise ZeroDivisionError
    assert run(odd, WHO)[12:] == alice


def test_a_contract_can_be_impersonated(mock: MockChain, odd: Deployed) -> None:
    mock.deal(odd, 5)
    mock.pay(mock.accounts[1], 5, sender=odd)
    assert mock.balance(odd) == 0


def test_deal_sets_a_balance(mock: MockChain) -> None:
    somebody = "0x" + "ab" * 20
    mock.deal(somebody, 7)
    assert mock.balance(somebody) == 7
    mock.deal(somebody, 0)
    assert mock.balance(somebody) == 0
    with pytest.raises(ValueError, match="-1 wei"):
        mock.deal(somebody, -1)
    with pytest.raises(InsufficientFunds):
        mock.pay(mock.accounts[0], 1, sender=somebody)


def test_time_moves_as_told(mock: MockChain, odd: Deployed) -> None:
    def now() -> int:
        return int.from_bytes(run(odd, WHEN), "little")

    assert mock.timestamp == START + 1
    mock.mine()
    assert mock.timestamp == START + 2
    mock.warp(3600)
    assert now() == START + 3602
    mock.mine()
    assert mock.timestamp == START + 3602
    mock.mine(3)
    assert mock.timestamp == START + 3605
    mock.warp(10)
    mock.mine()
    assert mock.timestamp == START + 3615
    mock.warp(to=2_000_000_000)
    assert now() == 2_000_000_000
    mock.mine()
    assert mock.timestamp == 2_000_000_000
    with pytest.raises(ValueError, match="not after"):
        mock.warp(to=START)


def test_snapshots_branch(mock: MockChain) -> None:
    bob = mock.accounts[1]
    before = mock.balance(bob)
    first = mock.snapshot()
    mock.pay(bob, 1)
    second = mock.snapshot()
    mock.pay(bob, 2)
    mock.revert(second)
    assert mock.balance(bob) == before + 1
    mock.pay(bob, 4)
    mock.revert(first)
    assert (mock.balance(bob), mock.height, mock.timestamp) == (before, 0, START)
    mock.pay(bob, 8)
    mock.revert(second)
    assert (mock.balance(bob), mock.height) == (before + 1, 1)
    mock.snapshot("named")
    mock.revert(first)
    mock.revert("named")
    assert mock.balance(bob) == before + 1
    with pytest.raises(KeyError, match="no snapshot 'other'; there are: 1, 2, 'named'"):
        mock.revert("other")


def test_failures_are_told_apart(mock: MockChain, odd: Deployed) -> None:
    with pytest.raises(Reverted, match="reverted with 0x12345678") as reverted:
        run(odd, FAIL)
    assert reverted.value.data == b"\x12\x34\x56\x78"
    with pytest.raises(Trapped, match="unreachable") as trapped:
        run(odd, TRAP)
    assert trapped.value.status is Status.TRAP
    with pytest.raises(RanOutOfGas) as out:
        run(odd, SPIN, gas=100_000)
    assert out.value.gas_used == 100_000
    with pytest.raises(ABIError, match="no contract at 0x0101"):
        mock.at(b"\x01" * 20)
    for what, error in ((FAIL, Reverted), (TRAP, Trapped), (SPIN, RanOutOfGas)):
        height = mock.height
        with pytest.raises(error):
            mock.transact(odd.address, what, gas=100_000)
        assert mock.height == height + 1, "a failed transaction is in a block"


def test_reverts_takes_reverts_alone(mock: MockChain, odd: Deployed) -> None:
    with reverts() as caught:
        run(odd, FAIL)
    assert caught.error is not None
    for what, error in ((TRAP, Trapped), (SPIN, RanOutOfGas)):
        with pytest.raises(error), reverts():
            run(odd, what, gas=100_000)
    with pytest.raises(AssertionError, match=r"^did not revert$"), reverts():
        run(odd, WHO)
    with pytest.raises(AssertionError, match="did not revert; expected 'no'"), reverts("no"):
        run(odd, WHO)
    with pytest.raises(AssertionError, match="not with 'no'"), reverts("no"):
        run(odd, FAIL)


def test_a_contract_that_is_there_keeps_what_is_known_of_it(mock: MockChain, odd: Deployed) -> None:
    assert mock.at(odd).interface.errors == ("error Odd()",)
    other = mock.at(mock.deploy(mock.inner.world().code(odd.address)), abi="error Odd()")
    assert other.interface.errors == ("error Odd()",)


def test_deploys_paths_artifacts_and_bytes(mock: MockChain, numbers: Artifact, wat: Callable[[str], Path]) -> None:
    path = wat(ODD)
    artifact = build(path)
    deployed = [mock.deploy(what) for what in (path, str(path), artifact, artifact.code)]
    assert len({contract.address for contract in deployed}) == 4
    assert {mock.inner.world().code(contract.address) for contract in deployed} == {artifact.code}
    assert mock.deploy(numbers).add(1, 2) == 3


def test_constructor_arguments_need_a_signature(mock: MockChain, wat: Callable[[str], Path]) -> None:
    with pytest.raises(ABIError, match="constructor"):
        mock.deploy(wat(ODD), 5)
    mock.deploy(wat(ODD), 5, abi="constructor(uint256)")
    with pytest.raises(ABIError, match="1 wanted"):
        mock.deploy(wat(ODD), abi="constructor(uint256)")


def test_what_cannot_be_deployed(mock: MockChain, tmp_path: Path) -> None:
    with pytest.raises(BuildError, match="No such file"):
        mock.deploy(tmp_path / "missing.wasm")
    with pytest.raises(CallFailed):
        mock.deploy(b"\xfe\xed")


def test_functions_are_found_by_name_or_signature(mock: MockChain, numbers: Artifact) -> None:
    contract = mock.deploy(numbers, abi=["add(uint256)", "f(bool)"])
    assert contract.add(1, 2) == 3
    assert contract["add(uint256,uint256)(uint256)"](1, 2) == 3
    assert contract["add(uint256,uint256)"](1, 2) == 3
    with pytest.raises(ABIError, match=r"numbers has no function 'subtract'; known: "):
        contract.subtract(1, 2)
    with pytest.raises(AttributeError, match=r"did you mean compare"):
        contract.compar(1, 2)
    with pytest.raises(ABIError, match=r"no event 'Gone' is declared \(none is known\)"):
        contract.add.tx(1, 2).events("Gone")


@each_tier()
def test_all_tiers_give_the_same(tier: str, numbers: Artifact) -> None:
    mock = MockChain(tier=tier)
    contract = mock.deploy(numbers)
    receipt = contract.mul.tx(2**100, 3**90)
    other = MockChain(tier="portable").deploy(numbers).mul.tx(2**100, 3**90)
    assert receipt.gas_used == other.gas_used
    assert receipt.raw.block_hash == other.raw.block_hash


def test_a_trap_names_its_place(mock: MockChain, odd: Deployed) -> None:
    with pytest.raises(Trapped) as caught:
        mock.transact(odd.address, TRAP)
    assert "function" in str(caught.value)
    assert not isinstance(caught.value, Trap)


def test_debug_output_is_printed(mock: MockChain, capsys: pytest.CaptureFixture[str]) -> None:
    need("wasmtime", "wat")
    hello = mock.deploy(Path(__file__).parents[3] / "contracts" / "lessons" / "hello.wat")
    assert mock.run(hello.address) == b"hello, world"
    assert capsys.readouterr().out == f"debug 0x{hello.address.hex()}: hello, world\n"


def test_what_has_to_run_portably_is_told(numbers: Artifact, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    if (reason := missing(NATIVE)) is not None:
        pytest.skip(reason)
    need("wasmtime", "wat")
    from tests.contractvm.wasm.foundries import Shop

    shop = Shop(tmp_path / "cache")
    shop.told.problem = Refused("it is too odd")
    monkeypatch.setattr("contractvm.wasm.choice.foundry", lambda: shop)
    with MockChain(tier="native") as mock, pytest.warns(RuntimeWarning, match="runs on the portable tier: it is too o"):
        mock.deploy(numbers)
