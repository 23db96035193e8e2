"""256-bit arithmetic against Python's, the answers by zero, overlapping operands, prices."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.contractvm.host.rig import OUT_AT, PAGE, RULES, rig

gas = RULES.schedule.gas
TOP = 2**256
NUMBERS = st.one_of(
    st.sampled_from([0, 1, 2, 255, 256, 2**128, 2**255, TOP - 1]), st.integers(0, TOP - 1), st.integers(0, 2**64)
)
MEANING: dict[str, Callable[..., int]] = {
    "u256_mul": lambda a, b: a * b % TOP,
    "u256_div": lambda a, b: a // b if b else 0,
    "u256_mod": lambda a, b: a % b if b else 0,
    "u256_exp": lambda a, b: pow(a, b, TOP),
    "u256_addmod": lambda a, b, m: (a + b) % m if m else 0,
    "u256_mulmod": lambda a, b, m: a * b % m if m else 0,
}


def operands(name: str) -> int:
    return 3 if name.endswith(("addmod", "mulmod")) else 2


@pytest.mark.parametrize("name", MEANING)
@given(numbers=st.tuples(NUMBERS, NUMBERS, NUMBERS))
def test_the_result(name: str, numbers: tuple[int, int, int]) -> None:
    frame, given_ = rig(), numbers[: operands(name)]
    places = [frame.put(64 * i, number.to_bytes(32, "little")) for i, number in enumerate(given_)]
    assert frame.run(name, *places, OUT_AT) is None
    assert int.from_bytes(frame.get(OUT_AT, 32), "little") == MEANING[name](*given_)


@pytest.mark.parametrize("name", MEANING)
def test_operands_and_result_may_lie_anywhere_in_each_other(name: str) -> None:
    frame = rig()
    frame.put(PAGE - 64, bytes(range(1, 65)))
    places = [PAGE - 64, PAGE - 50, PAGE - 33][: operands(name)]
    numbers = [int.from_bytes(frame.get(place, 32), "little") for place in places]
    frame.run(name, *places, PAGE - 40)
    assert int.from_bytes(frame.get(PAGE - 40, 32), "little") == MEANING[name](*numbers)
    assert len(frame.host.memory.data) == PAGE


@pytest.mark.parametrize("name", [name for name in MEANING if name != "u256_exp"])
def test_one_price(name: str) -> None:
    assert rig().cost(name, *[0] * (operands(name) + 1)) == gas("u256.base")


@pytest.mark.parametrize(("exponent", "size"), [(0, 0), (1, 1), (255, 1), (256, 2), (TOP - 1, 32)])
def test_a_power_pays_by_the_bytes_of_its_exponent(exponent: int, size: int) -> None:
    frame = rig()
    frame.put(32, exponent.to_bytes(32, "little"))
    assert frame.cost("u256_exp", 0, 32, OUT_AT) == gas("u256.base") + size * gas("u256.exp_byte")
