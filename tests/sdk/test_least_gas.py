"""`sdk.least_gas`: never more than what a call used, and just that where there is one way and nothing dynamic."""

from __future__ import annotations

from pathlib import Path

import pytest

from sdk.build import build
from sdk.least_gas import least_gas
from sdk.testing import MockChain
from sdk.wat import assemble
from tests.sdk.conftest import need
from tests.sources import ROOT

TRANSACTION = 21_000
TOKENS = {"python": "token.py", "c": "token.c"}


def calldata(data: bytes) -> int:
    """What a transaction pays for its input."""
    return sum(16 if byte else 4 for byte in data)


@pytest.mark.parametrize("language", TOKENS)
def test_a_call_uses_no_less(language: str) -> None:
    if language == "c":
        need("ziglang", "c")
    artifact = build(ROOT / "contracts" / "token" / TOKENS[language])
    least = least_gas(artifact.debug, artifact.interface.functions)
    chain = MockChain(tier="portable")
    alice, bob = chain.accounts[:2]
    token = chain.deploy(artifact, 1000)
    calls = {
        "transfer(address,uint256)": token.transfer.tx(bob, 5),
        "approve(address,uint256)": token.approve.tx(bob, 5),
        "transferFrom(address,address,uint256)": token.transfer_from.tx(alice, bob, 5, sender=bob),
        "balanceOf(address)": token.balance_of.tx(bob),
        "totalSupply()": token.total_supply.tx(),
        "name()": token.name.tx(),
        "decimals()": token.decimals.tx(),
    }
    data = {
        text: token[text.split("(")[0]].encode(*[bob] * text.count("address"), *[5] * text.count("uint256"))
        for text in calls
    }
    for text, receipt in calls.items():
        bound = least[text]
        assert bound is not None
        used = receipt.gas_used - TRANSACTION - calldata(data[text])
        assert 0 < bound <= used, text
        if text == "decimals()":
            assert used <= bound + 10  # nothing of it depends on anything but the lengths of input and answer
    assert least["constructor"] is not None and least.keys() == {
        *calls,
        "symbol()",
        "allowance(address,address)",
        "constructor",
    }


TABLE = """
(module
  (import "cvm1" "input_copy" (func $input (param i32 i32 i32) (result i32)))
  (import "cvm1" "finish" (func $finish (param i32 i32)))
  (import "cvm1" "revert" (func $revert (param i32 i32)))
  (memory (export "memory") 1)
  (func $again (param i32) (if (local.get 0) (then (call $again (i32.sub (local.get 0) (i32.const 1))))))
  (func $one (loop $more (call $again (i32.const 3)) (br_if $more (i32.const 0))))
  (func (export "call")
    (drop (call $input (i32.const 0) (i32.const 0) (i32.const 4)))
    (block $no
      (br_if $no (i32.ne (i32.load (i32.const 0)) (i32.const SELECTOR)))
      (call $one)
      (return))
    (if (i32.eqz (i32.eq (i32.load (i32.const 0)) (i32.const OTHER))) (then (call $revert (i32.const 0) (i32.const 0))))
    (call $finish (i32.const 0) (i32.const 0))))
"""


def test_loops_and_recursion_are_left_at_once(tmp_path: Path) -> None:
    """`one()` and `two()`; nothing in the code asks for `three()`."""
    need("wasmtime", "wat")
    from sdk.abi import Function

    first, second = (str(int.from_bytes(Function.parse(f).selector, "little")) for f in ("one()", "two()"))
    (tmp_path / "x.wat").write_text(TABLE.replace("SELECTOR", first).replace("OTHER", second))
    least = least_gas(assemble(tmp_path / "x.wat"), ["one()", "two()", "three()"])
    one, two = least["one()"], least["two()"]
    assert one is not None and two is not None and least["three()"] is None
    chain = MockChain(tier="portable")
    contract = chain.deploy(tmp_path / "x.wat", abi=["one()", "two()"])
    for bound, call in ((one, contract.one), (two, contract.two)):
        assert 0 < bound <= call.tx().gas_used - TRANSACTION - calldata(call.encode())
