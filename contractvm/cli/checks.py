"""What `contractvm doctor` looks at: each part of the installation is put to work once, not just looked for.

Never: repairs, installs, or leaves anything behind but what the native tier caches.
"""

from __future__ import annotations

import os
import platform
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path

from contractvm.cli.output import number, seconds
from contractvm.errors import ContractVMError
from contractvm.types import MILLI

OK, OFF, BROKEN = "ok", "off", "broken"
"""It works; it is not there and nothing needs it; it is there, or needed, and does not work."""
PYTHON = (3, 11)
NATIVE_SECONDS = 20.0
"""Processor seconds for compiling one addition."""

ADDER = bytes.fromhex(
    "0061736d0100000001060160017e017e03020100070501016600000a1e011c01017e0340200120007c2101200042017d22004200520d000b20010b"
)
"""(func (export "f") (param i64) (result i64)): the sum of the whole numbers up to its operand."""
OPERAND, SUM = 1000, 500_500

SECRET = bytes(31) + b"\1"
ADDRESS_OF_SECRET = "7e5f4552091a69125d5dfcb7b8c2659029395bdf"
KECCAK_OF_NOTHING = "c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470"
ED25519_KEY = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"
ED25519_SIGNATURE = (
    "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe2465"
    "5141438e7a100b"
)
"""Of no bytes. Source: RFC 8032 section 7.1, test 1."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What a check found: `state` is OK, OFF or BROKEN; `way_out` says what to do about it."""

    name: str
    state: str
    text: str
    way_out: str = ""


class Wrong(Exception):
    """A part that runs gave a wrong answer."""


def expect(found: object, wanted: object, what: str) -> None:
    """Raises: Wrong."""
    if found != wanted:
        raise Wrong(f"{what} is {found}, not {wanted}")


def installed(*distributions: str) -> str:
    """Name and version of the first of these that is installed."""
    for name in distributions:
        try:
            return f"{name} {version(name)}"
        except PackageNotFoundError:
            continue
    return distributions[0]


def contractvm() -> Finding:
    import contractvm as package

    return Finding("contractvm", OK, f"{package.__version__} in {Path(package.__file__).parent}")


def python() -> Finding:
    told = f"{platform.python_implementation()} {platform.python_version()}, {sys.executable or 'embedded'}"
    if sys.version_info < PYTHON:
        return Finding("python", BROKEN, told, "install Python 3.11 or newer")
    return Finding("python", OK, told)


def system() -> Finding:
    from contractvm.native.identity import cpu

    return Finding(
        "system", OK, f"{platform.system()} {platform.release()}, processor {cpu()}, {os.cpu_count()} of them"
    )


def stack() -> Finding:
    """Whether contract calls fit this thread's stack, and whether the threads for deeper ones can be had."""
    from contractvm import nesting
    from contractvm.native.stack import size
    from contractvm.rules import contract_rules

    nesting.Legs().run(lambda _: None, None)
    deep = f"deep calls on threads of {nesting.STACK_BYTES >> 20} MiB"
    try:
        mine = f"{size() >> 10:,} KiB"
    except OSError:
        mine = "of unknown size"
    wanted = nesting.stack_bytes(nesting.FRAMES_ON_CALLER, contract_rules().limits.stack_weight)
    if nesting.roomy(wanted):
        return Finding("stack", OK, f"{mine}; {deep}")
    way_out = f"contracts run on threads of their own, a little slower; ulimit -s {wanted >> 10} or more saves that"
    return Finding("stack", OFF, f"{mine}; {deep}", way_out)


def keccak() -> Finding:
    from contractvm.crypto import __name__ as ours
    from contractvm.crypto import keccak_function

    function = keccak_function()
    expect(function(b"").hex(), KECCAK_OF_NOTHING, "the hash of nothing")
    if function.__module__ == ours:
        text = f"{installed('pycryptodome')}, ten times slower than tiny-keccak"
        return Finding("keccak256", OK, text, "pip install tiny-keccak, where it has a wheel")
    return Finding("keccak256", OK, installed("tiny-keccak"))


def secp256k1() -> Finding:
    from contractvm import crypto

    digest = crypto.sha256(b"")
    r, s, recid = crypto.sign(digest, SECRET)
    expect(crypto.recover(digest, r, s, recid), crypto.public_key(SECRET), "the recovered key")
    expect(crypto.address_of_secret(SECRET).hex(), ADDRESS_OF_SECRET, "the address of key 1")
    if library := crypto.CURVE_LIBRARIES.get(crypto.curve().__name__):
        return Finding("secp256k1", OK, installed(library))
    text = "in Python, some thirty times slower than libsecp256k1"
    return Finding("secp256k1", OK, text, "pip install coincurve, or btclib_libsecp256k1 where that has no wheel")


def ed25519() -> Finding:
    from contractvm.crypto import ed25519_verify

    key, signature = bytes.fromhex(ED25519_KEY), bytes.fromhex(ED25519_SIGNATURE)
    expect(ed25519_verify(b"", signature, key), True, "a good signature's check")
    expect(ed25519_verify(b"x", signature, key), False, "a bad signature's check")
    return Finding("ed25519", OK, "in Python")


def store(backend: str, module: str, *distributions: str) -> Finding:
    """Write a record to a new directory and read it back."""
    from state.directory import default_backend, open_store

    if find_spec(module) is None:
        default = default_backend()  # raises where there is neither
        return Finding(backend, OFF, f"{module} is not installed; chains are kept by {default}")
    with tempfile.TemporaryDirectory() as folder:
        with open_store(Path(folder, "chain"), create=True, backend=backend) as records:
            records.write({b"key": b"value"}, sync=True)
        with open_store(Path(folder, "chain"), create=False) as records:
            expect(records.get(b"key"), b"value", "the record read back")
    default = ", for new chains" if default_backend() == backend else ""
    return Finding(backend, OK, installed(*distributions) + default)


def tier(name: str) -> Finding:
    """Run a loop; gas must be what the reference tier charges."""
    from contractvm.native import compiler

    if name == "native" and (reason := compiler.why_not()) is not None:
        text, _, way_out = reason.partition(": ")
        return Finding(f"tier {name}", OFF, text, way_out)
    result, gas = sum_on(name)
    expect(result, [SUM], "the sum")
    expect(gas, sum_on("reference")[1], "the gas")
    return Finding(f"tier {name}", OK, f"a loop of {OPERAND} rounds, {number(-(-gas // MILLI))} gas")


def sum_on(tier: str) -> tuple[list[int], int]:
    """(results, milligas used) of the sum on a tier. Raises: Wrong, when another tier had to stand in."""
    from contractvm.wasm.engine import PLENTY, Engine
    from gas.meter import Meter

    engine, meter = Engine(tier=tier), Meter(PLENTY)
    instance = engine.instantiate(engine.load(ADDER), meter=meter)
    if tier == "native" and engine.refusals:
        raise Wrong(f"the native tier refuses it: {engine.refusals[0]}")
    before = meter.left
    return engine.invoke(instance, "f", [OPERAND]), before - meter.left


def worker() -> Finding:
    """Have the compile worker make an object, load it and run it."""
    from time import perf_counter

    from contractvm.native import compiler, probe
    from contractvm.native.identity import llvmlite_version

    if (reason := compiler.why_not()) is not None:
        text, _, way_out = reason.partition(": ")
        return Finding("compiler", OFF, text, way_out)
    llvmlite = f"llvmlite {llvmlite_version()}"
    started = perf_counter()
    process = compiler.Compiler(deadline=NATIVE_SECONDS)
    try:
        size = probe.try_out(process.compile)
    except ContractVMError as error:
        way_out = "pip install --force-reinstall 'contractvm[native]'; without it contracts run on the portable tier"
        return Finding("compiler", BROKEN, f"{llvmlite}: {error}", way_out)
    finally:
        process.close()
    spent = seconds(perf_counter() - started)
    return Finding("compiler", OK, f"{llvmlite}; an object of {number(size)} bytes was made, loaded and run in {spent}")


def cache() -> Finding:
    from contractvm.native.cache import ObjectCache

    kept = ObjectCache()
    if kept.problem is not None:
        text, _, way_out = kept.problem.partition("; ")
        return Finding("cache", OFF, text, f"objects are compiled again by every process; {way_out}")
    count, size = len(kept.entries()), kept.size
    return Finding(
        "cache", OK, f"{number(count)} entries, {number(size)} bytes of {number(kept.limit)}, in {kept.folder}"
    )


def tool(name: str, module: str, extra: str, what: str) -> Finding:
    """Whether a language's compiler is there; using it takes seconds and is left to `contractvm build`."""
    if find_spec(module) is None:
        return Finding(name, OFF, f"{module} is not installed: {what}", f"pip install 'contractvm[{extra}]'")
    return Finding(name, OK, f"{installed(module)}: {what}")


def rust() -> Finding:
    """A compiler of Rust that has wasm's core library; it is a program of its own, no extra."""
    from sdk.cargo import INSTALL, find_rustc, version_of

    rustc = find_rustc()
    if rustc is None:
        return Finding("rust", OFF, "no rustc with the target wasm32-unknown-unknown: compiles Cargo.toml", INSTALL)
    return Finding("rust", OK, f"{version_of(rustc)}, {rustc}: compiles Cargo.toml")


def all_checks() -> Sequence[tuple[str, Callable[[], Finding]]]:
    """(name, check), in the order they are shown."""
    from contractvm.wasm.engine import TIERS

    return (
        ("contractvm", contractvm),
        ("python", python),
        ("system", system),
        ("stack", stack),
        ("keccak256", keccak),
        ("secp256k1", secp256k1),
        ("ed25519", ed25519),
        ("leveldb", partial(store, "leveldb", "plyvel", "plyvel", "plyvel-ci")),
        ("rocksdb", partial(store, "rocksdb", "rocksdict", "rocksdict")),
        ("compiler", worker),
        *((f"tier {name}", partial(tier, name)) for name in TIERS),
        ("cache", cache),
        ("wat", partial(tool, "wat", "wasmtime", "wat", "assembles .wat")),
        ("c", partial(tool, "c", "ziglang", "c", "compiles .c")),
        ("rust", rust),
    )


def find(name: str, check: Callable[[], Finding]) -> Finding:
    """What a check finds; one that fails has found that something is broken."""
    try:
        return check()
    except Exception as error:  # noqa: BLE001 - whatever a broken part raises is what was to be found out
        text = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
        return Finding(name, BROKEN, text, "reinstall: pip install --force-reinstall contractvm")
