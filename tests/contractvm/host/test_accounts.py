"""Balance and code of other accounts: effects, and EIP-2929's prices."""

from __future__ import annotations

import pytest

from contractvm.crypto import keccak256
from state.account import EMPTY_CODE_HASH
from tests.contractvm.host.rig import MINUS_ONE, OTHER, OUT_AT, PAGE, RULES, Rig, rig

gas = RULES.schedule.gas
WARM, COLD, WORD = gas("account.warm"), gas("account.cold"), gas("copy.word")
CODE = b"\0asm" + bytes(range(1, 97))


def with_other(code: bytes = b"", balance: int = 0) -> Rig:
    frame = rig()
    if code:
        frame.world.set_code(OTHER, code)
    if balance:
        frame.world.set_balance(OTHER, balance)
    frame.put(0, OTHER)
    return frame


@pytest.mark.parametrize("wei", [0, 1, 2**256 - 1])
def test_balance(wei: int) -> None:
    frame = with_other(balance=wei)
    frame.put(OUT_AT, b"\xee" * 33)
    assert frame.run("balance", 0, OUT_AT) == 32
    assert frame.get(OUT_AT, 33) == wei.to_bytes(32, "little") + b"\xee"


def test_code_hash() -> None:
    frame = with_other(CODE)
    assert frame.run("code_hash", 0, OUT_AT) == 32
    assert frame.get(OUT_AT, 32) == keccak256(CODE)


def test_code_hash_of_an_account_without_code_and_of_none() -> None:
    frame = with_other(balance=1)
    assert frame.run("code_hash", 0, OUT_AT) == 32
    assert frame.get(OUT_AT, 32) == EMPTY_CODE_HASH
    nobody = with_other()
    nobody.put(OUT_AT, b"\xee" * 32)
    assert nobody.run("code_hash", 0, OUT_AT) == MINUS_ONE
    assert nobody.get(OUT_AT, 32) == b"\xee" * 32


def test_code_size() -> None:
    assert with_other(CODE).run("code_size", 0) == 100
    assert with_other().run("code_size", 0) == 0


@pytest.mark.parametrize(
    ("offset", "cap"), [(0, 100), (0, 200), (0, 4), (99, 10), (100, 10), (0xFFFF_FFFF, 10), (4, 0)]
)
def test_code_copy(offset: int, cap: int) -> None:
    frame = with_other(CODE)
    frame.put(OUT_AT, b"\xee" * 200)
    frame.world.warm_address(OTHER)
    copied = CODE[offset : offset + cap]
    assert frame.cost("code_copy", 0, OUT_AT, offset, cap) == WARM + WORD * ((len(copied) + 31) // 32)
    assert frame.run("code_copy", 0, OUT_AT, offset, cap) == 100
    assert frame.get(OUT_AT, 200) == copied + b"\xee" * (200 - len(copied))


@pytest.mark.parametrize(
    ("name", "arguments"),
    [("balance", (0, OUT_AT)), ("code_hash", (0, OUT_AT)), ("code_size", (0,)), ("code_copy", (0, OUT_AT, 0, 0))],
)
def test_the_first_visit_is_cold(name: str, arguments: tuple[int, ...]) -> None:
    frame = with_other(CODE)
    assert frame.cost(name, *arguments) == COLD
    assert frame.cost(name, *arguments) == WARM


def test_an_address_may_be_the_place_its_balance_goes_to() -> None:
    frame = with_other(balance=77)
    assert frame.run("balance", frame.put(PAGE - 32, OTHER), PAGE - 32) == 32
    assert frame.get(PAGE - 32, 32) == (77).to_bytes(32, "little")
