"""More values than wasm's functions take: parameters, results, errors, events, calls of other contracts."""

from __future__ import annotations

from sdk.abi import Error
from sdk.testing import MockChain, reverts
from tests.sdk.compiler.back.sources import artifact_of

MANY = 40
"""Of four slots each: more than a function's 128 parameters."""
NAMES = [f"p{i}" for i in range(MANY)]
PARAMETERS = ", ".join(f"{name}: u256" for name in NAMES)
FIELDS = "\n    ".join(f"{name}: u256" for name in NAMES)
ALL = ", ".join(NAMES)
TUPLE = f"tuple[{', '.join(['u256'] * MANY)}]"
SOURCE = f"""
class Many(Struct):
    {FIELDS}

class Told(Event):
    {FIELDS}

class Refused(Error):
    {FIELDS}

class IWide(Interface):
    @view
    def reversed(self, {PARAMETERS}) -> {TUPLE}: ...

class Wide(Contract):
    kept: Many

    @external
    @view
    def reversed(self, {PARAMETERS}) -> {TUPLE}:
        return {", ".join(reversed(NAMES))}

    @external
    @view
    def asked(self, other: IWide, n: u256) -> u256:
        found = other.reversed({", ".join(["n"] * (MANY - 1))}, n + 1)
        ok, again = try_call(other.reversed, {", ".join(["n"] * MANY)})
        assert ok
        return found[0] * 1000 + found[{MANY - 1}] + again[3]

    @external
    def keep(self, {PARAMETERS}) -> Many:
        self.kept = Many({ALL})
        self.kept.p7 += 1
        emit(Told({ALL}))
        return self.kept.copy()

    @external
    def refuse(self, {PARAMETERS}) -> None:
        if p0 == 0:
            raise Refused({ALL})

    @external
    @view
    def six(self, a: u256) -> tuple[u256, u256, u256, u256, u256, u256]:
        return a, a + 1, a + 2, a + 3, a + 4, a + 5
"""


def test_more_values_than_wasm_takes() -> None:
    chain = MockChain(tier="reference")
    c = chain.deploy(artifact_of(SOURCE)[0])
    values = [2**255 + i for i in range(MANY)]
    assert c.reversed(*values) == tuple(reversed(values))
    assert c.six(5) == (5, 6, 7, 8, 9, 10)
    receipt = c.keep.tx(*values)
    expected = [value + (i == 7) for i, value in enumerate(values)]
    assert list(receipt.value) == expected
    assert bytes(receipt.logs[0].data) == b"".join(value.to_bytes(32, "big") for value in values)
    with reverts("Refused") as caught:
        c.refuse(0, *values[1:])
    assert caught.error is not None
    types = ",".join(["uint256"] * MANY)
    assert caught.error.data == Error.parse(f"Refused({types})").encode(0, *values[1:])
    c.refuse(*values)


def test_calls_of_other_contracts() -> None:
    chain = MockChain(tier="reference")
    made = artifact_of(SOURCE)[0]
    asking, asked = chain.deploy(made), chain.deploy(made)
    assert asking.asked(asked.address, 5) == 6 * 1000 + 5 + 5
