"""The bench's programs give known answers on every tier: real compiled C, checked against Python."""

from __future__ import annotations

import hashlib
import importlib.util
from collections.abc import Callable
from pathlib import Path

import pytest

from contractvm.wasm.engine import TIERS
from tests.bench.compile import BenchError, compile_c
from tests.bench.compute import SIZES
from tests.bench.peers import instructions, tier

if importlib.util.find_spec("ziglang") is None:
    pytest.skip("the programs need a C compiler: pip install '.[c]'", allow_module_level=True)

LIMBS, WORD = 4, (1 << 64) - 1
FACTOR = (0x9E3779B97F4A7C15, 0xF39CC0605CEDC834, 0x1082276BF3A27251, 0xF86C6A11D0C18E95)


def fib(n: int) -> int:
    a, b = 0, 1
    for _ in range(n):
        a, b = b, a + b
    return a


def sieve(n: int) -> int:
    return sum(all(p % d for d in range(2, int(p**0.5) + 1)) for p in range(2, n))


def u256(n: int) -> int:
    word, factor = (sum(limb << (64 * i) for i, limb in enumerate(limbs)) for limbs in ((1, 2, 3, 4), FACTOR))
    for k in range(n):
        word = (word * factor + k) % (1 << 256)
        if factor < word:
            word -= factor
    return (word & WORD) ^ (word >> 192)


def sort(n: int) -> int:
    seed, numbers = 2463534242, []
    for _ in range(n):
        seed ^= seed << 13 & 0xFFFFFFFF
        seed ^= seed >> 17
        seed ^= seed << 5 & 0xFFFFFFFF
        numbers.append(seed)
    checksum = 0
    for number in sorted(numbers):
        checksum = (checksum * 31 + number) & 0xFFFFFFFF
    return checksum


ANSWERS: dict[tuple[str, int], int | Callable[[int], int]] = {
    ("fib", 12): fib,
    ("keccak", 1): 0xF1258F7940E1DDE7,  # the first lane of Keccak-f[1600] on zeros
    ("sieve", 300): sieve,
    ("sha256", 1): int.from_bytes(hashlib.sha256(b"").digest()[:4], "big"),
    ("u256", 40): u256,
    ("sort", 60): sort,
}


@pytest.fixture(scope="module")
def wasm() -> bytes:
    return compile_c("compute")


@pytest.mark.parametrize("name", TIERS)
@pytest.mark.parametrize(("program", "size"), ANSWERS)
def test_a_program_computes_what_python_does(wasm: bytes, program: str, size: int, name: str) -> None:
    answer = ANSWERS[program, size]
    assert tier(name).load(wasm, program)(size) == (answer if isinstance(answer, int) else answer(size))


def test_every_program_has_an_answer() -> None:
    assert {program for program, _ in ANSWERS} == set(SIZES)


def test_instructions_are_counted_alike(wasm: bytes) -> None:
    """Twice the work is twice the instructions, beyond what a call costs."""
    one, two, three = (instructions(wasm, "keccak", n) for n in (1, 2, 3))
    assert three - two == two - one > 10_000


def test_what_does_not_compile_says_where(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "bad.c").write_text("int x = ;\n")
    monkeypatch.setattr("tests.bench.compile.PROGRAMS", tmp_path)
    with pytest.raises(BenchError, match=r"bad\.c:1:9"):
        compile_c("bad")
