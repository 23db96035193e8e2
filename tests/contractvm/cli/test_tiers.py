"""`--tier` of the commands on a chain: the same outcome on each, who asks for native gets it or is told why not."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from contractvm.cli import tiers
from contractvm.native import compiler, loader
from contractvm.native.cache import ObjectCache
from contractvm.native.compiler import Compiler, Overrun
from contractvm.wasm import choice, runner
from contractvm.wasm.choice import MACHINE_TIERS
from contractvm.wasm.foundry import Foundry
from tests.contractvm.cli.conftest import Cli
from tests.contractvm.cli.wat import COUNTER, assemble
from tests.tiers import HERE, NATIVE, missing

FIRST = "0x5FbDB2315678afecb367f032d93F642f64180aa3"
"""Where account 0's first contract is."""

native_only = pytest.mark.skipif(missing(NATIVE) is not None, reason=str(missing(NATIVE)))


@pytest.fixture
def counter(tmp_path: Path) -> Path:
    return assemble(tmp_path / "counter.wasm", COUNTER)


@pytest.fixture(autouse=True)
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Foundry]:
    made = Foundry(ObjectCache(tmp_path / "cache"), Compiler())
    monkeypatch.setattr(choice, "foundry", lambda: made)
    yield made
    made.compiler.close()


@pytest.fixture
def ran(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The tiers of the frames that ran."""
    found: list[str] = []

    def watched(kind: type[runner.Portable] | type[runner.Native], name: str) -> None:
        run = kind.run

        def counted(self: runner.Portable | runner.Native, index: int, weight: int) -> bytes:
            found.append(name)
            return run(self, index, weight)  # type: ignore[arg-type]

        monkeypatch.setattr(kind, "run", counted)

    watched(runner.Portable, "portable")
    watched(runner.Native, "native")
    return found


def test_names_are_the_engines() -> None:
    assert sorted(tiers.NAMES) == sorted(MACHINE_TIERS)


def whole(cli: Cli, counter: Path, *options: object) -> list[object]:
    """What each command prints, times apart."""
    told: list[object] = []
    for words in (
        ("deploy", counter),
        ("send", FIRST),
        ("call", FIRST, "0x00"),
        ("call", FIRST, "0xff"),
        ("call", FIRST, "0xee"),
        ("estimate", FIRST, "--parts"),
        ("estimate", "--create", counter),
    ):
        done = cli(*words, "--json", *options)
        document = re.sub(r'"(timestamp|blockHash)": "[^"]*"', "", done.out)
        told.append((done.code, document))
    return told


@pytest.mark.parametrize("tier", ["auto", *(tier for tier in HERE if tier != "portable")])
def test_every_command_on_every_tier(
    cli: Cli, counter: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tier: str
) -> None:
    expected = whole(cli, counter, "--tier", "portable")
    monkeypatch.setenv("CONTRACTVM_DATA", str(tmp_path / "other"))
    assert whole(cli, counter, "--tier", tier) == expected


@native_only
def test_a_contract_deployed_natively_is_native_from_then_on(
    cli: Cli, counter: Path, own: Foundry, ran: list[str]
) -> None:
    assert cli("deploy", counter, "--tier", "native").code == 0
    assert [entry.refusal for entry in own.cache.entries()] == [None]
    cli("call", FIRST, "0x00")
    cli("send", FIRST)
    assert ran and set(ran) == {"native"}
    ran.clear()
    cli("call", FIRST, "0x00", "--tier", "portable")
    assert ran == ["portable"]


def test_nothing_is_compiled_unasked(cli: Cli, counter: Path, own: Foundry, ran: list[str]) -> None:
    for words in (("deploy", counter), ("send", FIRST), ("call", FIRST, "0x00"), ("inspect", counter)):
        assert cli(*words).code == 0
    assert set(ran) == {"portable"} and own.compiler.worker is None and not own.cache.entries()


@native_only
def test_what_runs_portably_though_asked_for_natively_is_told(
    cli: Cli, counter: Path, own: Foundry, monkeypatch: pytest.MonkeyPatch
) -> None:
    cli("deploy", counter)

    def overrun(_: object) -> bytes:
        raise Overrun(0.5)

    monkeypatch.setattr(own.compiler, "compile", overrun)
    for _ in range(2):
        ran = cli("call", FIRST, "0x00", "--tier", "native")
        assert ran.code == 0
        assert re.fullmatch(
            r"warning: code 0x[0-9a-f]{8}\.\. ran on the portable tier: compilation took more than 0\.5 s and was "
            r"ended\n",
            ran.err,
        )
    assert cli("call", FIRST, "0x00", "--tier", "native", "-q").err == ""


def test_without_llvmlite(cli: Cli, counter: Path, data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if (reason := loader.why_not()) is not None:
        pytest.skip(reason)
    monkeypatch.setattr(compiler, "find_spec", lambda name: None)
    for words in (("deploy", counter), ("send", FIRST), ("call", FIRST), ("estimate", FIRST), ("demo",)):
        cli(*words, "--tier", "native").failed("llvmlite is not installed", "pip install 'contractvm[native]'")
        assert not data.exists()
    assert cli("deploy", counter).code == 0
    assert cli("send", FIRST, "--tier", "auto").code == 0


@native_only
def test_the_demo(cli: Cli, ran: list[str]) -> None:
    told = cli("demo", "--tier", "native")
    assert told.code == 0 and "999,750 CVM" in told.out
    assert "native" in ran
