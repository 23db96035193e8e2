"""Hostile bytes: decoding and validation raise only their own errors, and agree with wasmtime on what a module is."""

from __future__ import annotations

from functools import cache
from random import Random

import pytest
import wasmtime
from hypothesis import given
from hypothesis import strategies as st

from contractvm.errors import ModuleError
from contractvm.rules import bare_rules, contract_rules
from contractvm.wasm.decode import FloatRefused, decode
from contractvm.wasm.encode import encode, section
from contractvm.wasm.validate import validate
from tests.contractvm.wasm.modules import HEADER, pack_commands

PROFILE = {"bulk_memory", "multi_value", "reference_types", "tail_call", "wide_arithmetic"}
OTHERS = {"exceptions", "function_references", "gc", "memory64", "multi_memory", "relaxed_simd", "simd", "threads"}
OURS_ALONE = "too large", "the limit is"
"""Words of refusals that are our limits, which wasmtime does not have."""
THEIRS_ALONE = "global.get of locally defined global"
"""WebAssembly 3.0 lets a constant expression see every immutable global before it, and the pack's modules do;
wasmtime allows that only together with garbage collection."""


@cache
def engine() -> wasmtime.Engine:
    config = wasmtime.Config()
    for feature in PROFILE | OTHERS:
        setattr(config, f"wasm_{feature}", feature in PROFILE)
    return wasmtime.Engine(config)


def wasmtime_says(data: bytes) -> str | None:
    """None for a valid module, else wasmtime's reason."""
    try:
        wasmtime.Module.validate(engine(), data)
    except wasmtime.WasmtimeError as error:
        return str(error)
    return None


def we_say(data: bytes) -> ModuleError | None:
    """None for a valid module, else our refusal. Anything but a refusal escapes."""
    rules = bare_rules()
    try:
        validate(decode(data, rules), rules)
    except ModuleError as error:
        return error
    return None


def mutate(rng: Random, data: bytes) -> bytes:
    """One to three bytes changed, flipped, inserted or removed behind the header."""
    out = bytearray(data)
    for _ in range(rng.choice((1, 1, 1, 2, 3))):
        at = rng.randrange(8, max(9, len(out)))
        match rng.randrange(4):
            case 0:
                out[at : at + 1] = bytes([rng.randrange(256)])
            case 1 if at < len(out):
                out[at] ^= 1 << rng.randrange(8)
            case 2:
                out.insert(at, rng.randrange(256))
            case _:
                del out[at : at + 1]
    return bytes(out)


def disagreement(data: bytes) -> str | None:
    ours = we_say(data)
    if isinstance(ours, FloatRefused):
        return None
    theirs = wasmtime_says(data)
    if (ours is None) == (theirs is None):
        return None
    if any(words in str(ours) for words in OURS_ALONE) or THEIRS_ALONE in str(theirs):
        return None
    return f"{data.hex()}: we say {ours or 'valid'}, wasmtime says {theirs or 'valid'}"


def seeds() -> list[bytes]:
    """Float-free valid modules of the pack, small enough for a mutation to hit something."""
    modules = {data for _, data in pack_commands("module") if len(data) < 4_000}
    return sorted(data for data in modules if we_say(data) is None)


def test_unchanged_modules_of_the_pack_are_judged_as_wasmtime_does() -> None:
    modules = {data for _, data in pack_commands("module", "assert_invalid", "assert_malformed")}
    assert [found for data in sorted(modules) if (found := disagreement(data))] == []


@pytest.mark.parametrize("seed", range(4))
def test_mutated_modules_are_judged_as_wasmtime_does(seed: int) -> None:
    rng, modules = Random(seed), seeds()
    assert [found for _ in range(4_000) if (found := disagreement(mutate(rng, rng.choice(modules))))] == []


@pytest.mark.parametrize("seed", range(2))
def test_accepted_mutations_survive_encoding(seed: int) -> None:
    rng, modules, accepted = Random(1_000 + seed), seeds(), 0
    for _ in range(2_000):
        data = mutate(rng, rng.choice(modules))
        if we_say(data) is None:
            accepted += 1
            written = encode(decode(data, bare_rules()))
            assert we_say(written) is None, data.hex()
            assert encode(decode(written, bare_rules())) == written, data.hex()
    assert accepted > 50


@given(st.binary(max_size=200))
def test_any_bytes_are_refused_or_accepted_as_wasmtime_does(tail: bytes) -> None:
    assert disagreement(HEADER + tail) is None


@given(st.lists(st.tuples(st.integers(0, 13), st.binary(max_size=40)), max_size=6))
def test_any_sections_are_refused_or_accepted_as_wasmtime_does(sections: list[tuple[int, bytes]]) -> None:
    assert disagreement(HEADER + b"".join(section(kind, content) for kind, content in sections)) is None


@given(st.binary(max_size=100))
def test_any_code_is_refused_or_accepted_as_wasmtime_does(code: bytes) -> None:
    head = HEADER + section(1, b"\x02\x60\x00\x00\x60\x01\x7f\x01\x7f") + section(3, b"\x01\x00")
    state = section(4, b"\x01\x70\x00\x01") + section(5, b"\x01\x00\x01") + section(6, b"\x01\x7e\x01\x42\x00\x0b")
    size = len(code) + 4
    body = b"\x01" + bytes([size]) + b"\x01\x02\x7f" + code + b"\x0b"
    assert disagreement(head + state + section(10, body)) is None


@given(st.binary(max_size=60))
def test_what_does_not_begin_like_a_module_is_refused(data: bytes) -> None:
    if not data.startswith(HEADER):
        with pytest.raises(ModuleError):
            decode(data, contract_rules())
