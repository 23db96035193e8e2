"""`contractvm demo` and `inspect`: what they tell is what happened."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from contractvm.cli import demo
from contractvm.cli.parts import GROUPS, gas_by_part
from contractvm.execute import Message
from contractvm.rules import contract_rules
from tests.contractvm.cli.conftest import Cli
from tests.contractvm.cli.golden import contents
from tests.contractvm.cli.wat import COUNTER, FLOATS, MATH, assemble
from tests.sources import ROOT

STEPS = ("Build", "Validate", "Deploy", "Transfer", "Receipt", "Estimate", "Revert", "Prove", "Reopen", "Refuse")


def test_the_demo_tells_its_story(cli: Cli, tmp_path: Path) -> None:
    told = cli("demo", "--data", tmp_path / "kept")
    assert told.code == 0, told.err
    assert re.findall(r"^\d+\. (\w+)", told.out, re.MULTILINE) == list(STEPS)
    for fact in ("999,750 CVM", "150 CVM, proven", "ERC20InsufficientBalance", "f64.convert_i64_s", "block 4"):
        assert fact in told.out
    parts = told.out[told.out.index("5. Receipt") : told.out.index("6. Estimate")]
    *gas, whole = [int(n.replace(",", "")) for n in re.findall(r"^ +([\d,]+) ", parts, re.MULTILINE)]
    assert sum(gas) == whole > 21_000
    limits = [
        int(n.replace(",", ""))
        for n in re.findall(r"^   ([\d,]+) +(?:succeeds|execution failed)", told.out, re.MULTILINE)
    ]
    assert limits[0] == limits[1] + 1
    assert cli("--data", tmp_path / "kept", "block", "--json").json["number"] == 4
    cli("demo", "--data", tmp_path / "kept").failed("exists already")
    cli("demo", "--json").failed("for people")


def test_the_demo_without_its_source(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(demo, "SOURCE", Path("contracts/token/not-there.py"))
    told = cli("demo")
    assert told.code == 0, told.err
    assert "not installed here" in told.out and "150 CVM, proven" in told.out


def test_the_built_modules_are_fresh() -> None:
    """They are what their sources give; after a change: `python -m tests.contractvm.cli.golden`."""
    pytest.importorskip("wasmtime", reason="the extra 'wat' is not installed")
    for path, content in contents().items():
        assert path.read_bytes() == content, f"{path.relative_to(ROOT)} is stale"


def test_prices_belong_to_one_part() -> None:
    assert GROUPS[-1][1] == ("",), "the last group takes what no other does"
    for _, starts in GROUPS[:-1]:
        for start in starts:
            assert any(name.startswith(start) for name in contract_rules().schedule.prices), start


def test_parts_add_up(cli: Cli, data: Path, tmp_path: Path) -> None:
    from contractvm.chain import Chain
    from contractvm.devaccounts import dev_accounts
    from contractvm.types import Address
    from state.directory import open_store

    path = assemble(tmp_path / "counter.wasm", COUNTER)
    counter = Address(bytes.fromhex(cli("deploy", path, "-q").out.strip()[2:]))
    with Chain(open_store(data, create=False)) as chain:
        message = Message(dev_accounts()[0].address, counter)
        whole, parts = gas_by_part(chain.rules, message, chain.world, chain.context("latest"))
        assert sum(part.gas for part in parts) == whole == chain.call(message).gas_spent
    named = {part.name: part.gas for part in parts}
    assert named["the transaction itself and its data"] == 21_000
    assert named["storage"] > 20_000


def test_inspect_shows_what_a_module_asks_and_offers(cli: Cli, tmp_path: Path) -> None:
    counter = assemble(tmp_path / "counter.wasm", COUNTER)
    shown = cli("inspect", counter).out
    for word in ("storage_get", "[i32 i32 i32 i32] -> [i32]", "memory", "1.. pages", "deployable  yes", "none"):
        assert word in shown
    document = cli("inspect", counter, "--json").json
    assert document["deployable"] is True and document["floats"] == []
    assert document["limits"]["functions"] == {"used": 1, "limit": 8_192}
    assert document["limits"]["imports"]["used"] == 7
    assert document["limits"]["code_bytes"]["used"] == document["bytes"] == counter.stat().st_size
    assert [e["name"] for e in document["exports"]] == ["memory", "call"]
    runs = document["functions"][0]["runs"]
    assert runs[0]["start"] == 0 and all(run["milligas"] >= 0 for run in runs)


def test_inspect_prints_code_with_gas(cli: Cli, tmp_path: Path) -> None:
    math = assemble(tmp_path / "math.wasm", MATH)
    whole = cli("inspect", math, "--code").out
    assert whole.startswith("(module") and "i64.div_s" in whole and "gas for" in whole
    one = cli("inspect", math, "--function", "div").out
    assert "i64.div_s" in one and "i32.lt_u" not in one
    assert cli("inspect", math, "--function", 1).out == one
    cli("inspect", math, "--function", "fob").failed("'fob'", "fib")
    cli("inspect", math, "--function", 99).failed("0 to 4")
    cli("inspect", math, "--code", "--json").failed("text")


def test_inspect_names_every_float(cli: Cli, tmp_path: Path) -> None:
    floats = assemble(tmp_path / "floats.wasm", FLOATS)
    shown = cli("inspect", floats)
    shown.failed("uses floats")
    assert "area" in shown.out and "hidden" in shown.out and "fine" not in shown.out
    document = cli("inspect", floats, "--json").json
    assert [(m["function"], m["name"]) for m in document["floats"]] == [(0, "area"), (2, "hidden")]
    code = floats.read_bytes()
    assert all(0 < m["offset"] < len(code) for m in document["floats"])


def test_inspect_says_why_no_chain_would_take_it(cli: Cli, tmp_path: Path) -> None:
    math = assemble(tmp_path / "math.wasm", MATH)
    assert "deployable  no: " in cli("inspect", math).out
    assert cli("inspect", math, "--json").json["refused"]
    (tmp_path / "cut.wasm").write_bytes(math.read_bytes()[:-3])
    cli("inspect", tmp_path / "cut.wasm").failed("byte 0x")
