"""`contractvm doctor`: each part is tried, and each that fails, or is not there, is told with the way out."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from contractvm.cli import checks
from contractvm.cli.checks import BROKEN, OFF, OK
from contractvm.native import compiler, loader, probe
from contractvm.native.protocol import Job
from contractvm.native.translation import Refused
from contractvm.wasm.engine import TIERS, Engine
from contractvm.wasm.instance import Instance
from tests.contractvm.cli.conftest import Cli
from tests.sources import ROOT


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CONTRACTVM_CACHE", str(tmp_path / "cache"))


def by_name(document: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {check["name"]: check for check in document["checks"]}


def only(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """Let the doctor look at one thing, so that a test about it is quick."""
    chosen = [(known, check) for known, check in checks.all_checks() if known == name]
    assert len(chosen) == 1
    monkeypatch.setattr("contractvm.cli.doctor.all_checks", lambda: chosen)


def test_this_installation_is_well(cli: Cli) -> None:
    ran = cli("doctor", "--json")
    assert ran.code == 0 and ran.err == ""
    assert ran.json["ok"] is True
    found = by_name(ran.json)
    assert list(found) == [name for name, _ in checks.all_checks()]
    assert all(check["state"] in (OK, OFF) for check in found.values()), found
    for name in ("contractvm", "python", "keccak256", "secp256k1", "ed25519", "tier reference", "tier portable"):
        assert found[name]["state"] == OK
    assert {f"tier {name}" for name in TIERS} <= set(found)
    expected = OK if compiler.available() else OFF
    assert found["compiler"]["state"] == expected, found["compiler"]


def test_it_fits_a_screen(cli: Cli) -> None:
    ran = cli("doctor")
    lines = ran.out.splitlines()
    assert ran.code == 0 and 14 <= len(lines) <= 24
    assert lines[0].startswith("ok      contractvm ")
    for line in cli("doctor", "-q").out.splitlines():
        assert not line.startswith(("ok ", "  "))


def wrong_hash() -> Callable[[bytes], bytes]:
    return lambda data: bytes(32)


@pytest.mark.parametrize(
    ("name", "target", "replacement", "words"),
    [
        ("keccak256", "contractvm.crypto.keccak_function", wrong_hash, "the hash of nothing is 0000"),
        ("secp256k1", "contractvm.crypto.recover", lambda *_: None, "the recovered key is None"),
        ("ed25519", "contractvm.crypto.ed25519_verify", lambda *_: True, "a bad signature's check is True"),
        ("tier portable", "contractvm.cli.checks.sum_on", lambda tier: ([1], 2), "the sum is [1]"),
        ("stack", "contractvm.nesting.Legs", lambda: 1 // 0, "ZeroDivisionError"),
    ],
)
def test_what_is_broken_is_told(
    cli: Cli, monkeypatch: pytest.MonkeyPatch, name: str, target: str, replacement: object, words: str
) -> None:
    only(monkeypatch, name)
    assert cli("doctor").code == 0
    monkeypatch.setattr(target, replacement)
    ran = cli("doctor")
    assert ran.out.startswith(f"broken  {name}") and words in ran.out and "reinstall" in ran.out
    ran.failed(f"broken: {name}")
    document = cli("doctor", "--json").json
    assert document["ok"] is False and words in document["checks"][0]["text"]


def test_other_gas_than_the_reference_tiers_is_broken(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    only(monkeypatch, "tier portable")
    real = checks.sum_on

    def dearer(tier: str) -> tuple[list[int], int]:
        result, gas = real(tier)
        return result, gas + (tier == "portable")

    monkeypatch.setattr(checks, "sum_on", dearer)
    assert "the gas is" in cli("doctor").failed("tier portable").out


def test_no_database_at_all_is_broken_one_is_enough(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    real = find_spec

    def without(*names: str) -> None:
        for module in ("contractvm.cli.checks", "state.directory"):
            monkeypatch.setattr(f"{module}.find_spec", lambda name: None if name in names else real(name))

    present = [name for name in ("plyvel", "rocksdict") if real(name)]
    if len(present) == 2:
        without("plyvel")
        found = by_name(cli("doctor", "--json").json)
        assert found["leveldb"]["state"] == OFF and "rocksdb" in found["leveldb"]["text"]
        assert found["rocksdb"]["state"] == OK and "for new chains" in found["rocksdb"]["text"]
    without("plyvel", "rocksdict")
    ran = cli("doctor")
    ran.failed("leveldb, rocksdb")
    assert "install plyvel" in ran.out


def test_without_llvmlite_the_native_tier_is_off(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    if not loader.supported():
        pytest.skip(f"native code is not for this machine: {loader.why_not()}")
    monkeypatch.setattr(compiler, "find_spec", lambda name: None)
    ran = cli("doctor", "--json")
    found = by_name(ran.json)
    assert ran.code == 0 and ran.json["ok"] is True
    for name in ("compiler", *(["tier native"] if "native" in TIERS else [])):
        assert found[name]["state"] == OFF and found[name]["wayOut"] == "pip install 'contractvm[native]'"


def test_another_platform_is_no_fault(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loader, "why_not", lambda: "native code is for Linux, this is plan9")
    found = by_name(cli("doctor", "--json").json)
    assert found["compiler"] == {
        "name": "compiler",
        "state": OFF,
        "text": "native code is for Linux, this is plan9",
        "wayOut": None,
    }


@pytest.fixture
def can_compile() -> None:
    if (reason := compiler.why_not()) is not None:
        pytest.skip(f"nothing can be compiled here: {reason}")


def test_a_worker_that_does_not_start(cli: Cli, monkeypatch: pytest.MonkeyPatch, can_compile: None) -> None:
    only(monkeypatch, "compiler")
    monkeypatch.setattr(sys, "executable", "/nonexistent/python")
    ran = cli("doctor").failed("broken: compiler")
    assert "llvmlite" in ran.out and "portable tier" in ran.out


def test_an_object_that_answers_wrongly(cli: Cli, monkeypatch: pytest.MonkeyPatch, can_compile: None) -> None:
    only(monkeypatch, "compiler")
    wrong = (probe.ADDEND + 1).to_bytes(8, "little")
    monkeypatch.setattr(probe, "job", lambda: Job(f"{probe.__name__}:generate", wrong))
    assert "the probe's answer is" in cli("doctor").failed("broken: compiler").out


def test_nothing_of_the_worker_stays(can_compile: None) -> None:
    program = (
        "import os; from contractvm.cli.checks import worker\n"
        "print(worker().state); print(len(os.listdir('/dev/fd')))\n"
        "worker(); print(len(os.listdir('/dev/fd')))\n"
        "try: print(os.waitpid(-1, os.WNOHANG))\nexcept ChildProcessError: print('no children')"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    state, before, after, children = done.stdout.splitlines()
    assert (state, children) == (OK, "no children") and before == after


def test_a_cache_that_cannot_be_used_is_off(cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    only(monkeypatch, "cache")
    (tmp_path / "cache").mkdir(mode=0o777)
    (tmp_path / "cache").chmod(0o777)
    ran = cli("doctor")
    assert ran.code == 0 and ran.out.startswith("off     cache") and "compiled again" in ran.out


def test_a_small_stack_is_off(tmp_path: Path) -> None:
    if sys.platform != "linux":
        pytest.skip(f"stacks are not measured on {sys.platform}")
    command = f"ulimit -s 1024 && exec {sys.executable} -c 'from contractvm.cli.checks import stack; print(stack())'"
    done = subprocess.run(["sh", "-c", command], cwd=ROOT, capture_output=True, text=True, check=True)
    assert "state='off'" in done.stdout and "ulimit -s" in done.stdout


@pytest.mark.parametrize(("extra", "module"), [("wat", "wasmtime"), ("c", "ziglang")])
def test_a_missing_compiler_is_off(cli: Cli, monkeypatch: pytest.MonkeyPatch, extra: str, module: str) -> None:
    only(monkeypatch, extra)
    monkeypatch.setattr(checks, "find_spec", lambda name: None)
    [found] = cli("doctor", "--json").json["checks"]
    assert found["state"] == OFF and found["wayOut"] == f"pip install 'contractvm[{extra}]'" and module in found["text"]


def test_a_python_too_old_is_broken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checks, "PYTHON", (99, 0))
    assert checks.python().state == BROKEN


def test_a_native_tier_that_falls_back_is_broken(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, can_compile: None
) -> None:
    if "native" not in TIERS:
        pytest.skip("there is no native tier")
    only(monkeypatch, "tier native")
    assert cli("doctor").code == 0

    class Refusing(Engine):
        def instantiate(self, *given: Any, **named: Any) -> Instance:
            self.refusals.append(Refused("too large a frame"))
            return super().instantiate(*given, **named)

    monkeypatch.setattr("contractvm.wasm.engine.Engine", Refusing)
    assert "too large a frame" in cli("doctor").failed("tier native").out
