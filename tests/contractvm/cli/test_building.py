"""`contractvm build`, `verify`, `upgrade-check` and `stubs`: what they write, compare and refuse."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.contractvm.cli.conftest import Cli
from tests.contractvm.cli.wat import COUNTER

ROOT = Path(__file__).parents[3]
TOKEN = ROOT / "contracts" / "token" / "token.c"


@pytest.fixture
def counter(tmp_path: Path) -> Path:
    pytest.importorskip("wasmtime", reason="the extra 'wat' is not installed")
    path = tmp_path / "counter.wat"
    path.write_text(COUNTER)
    return path


def field(name: str, prefix: str = "0x0001", type_: str = "u256", **more: object) -> dict[str, object]:
    return {"name": name, "prefix": prefix, "type": type_, **more}


def layout(path: Path, *fields: dict[str, object]) -> Path:
    path.write_text(json.dumps({"contract": "Token", "fields": fields}))
    return path


def test_a_wasm_file_can_be_named(cli: Cli, counter: Path, tmp_path: Path) -> None:
    out = tmp_path / "deep" / "mine.wasm"
    built = cli("build", counter, "-o", out, "--json").json["built"][0]
    assert built["code"] == str(out)
    assert sorted(path.name for path in out.parent.iterdir()) == [
        f"mine.{end}" for end in ("abi.json", "build.json", "debug.wasm", "gas.json", "wasm")
    ]
    assert cli("deploy", out, "--json").json["codeSize"] == built["bytes"] == out.stat().st_size
    cli("build", counter, counter, "-o", out).failed("is one file, and there are 2 sources")


def test_what_lies_beside_the_code(cli: Cli, tmp_path: Path) -> None:
    pytest.importorskip("ziglang", reason="the extra 'c' is not installed")
    built = cli("build", TOKEN, "-o", tmp_path, "--json").json["built"][0]
    abi = json.loads(Path(built["abi"]).read_text())
    assert {entry["name"]: entry["stateMutability"] for entry in abi if entry["type"] == "function"}["name"] == "pure"
    gas = json.loads(Path(built["gas"]).read_text())["code"]["move"]
    assert gas["instructions"] > 10 and gas["milligas"] > 1000 and gas["bytes"] > 10
    record = json.loads(Path(built["build"]).read_text())
    assert record["compiler"].startswith("ziglang ") and "-O2" in record["options"]
    assert (record["codeHash"], record["bytes"]) == (built["codeHash"], built["bytes"])


def test_without_a_file_the_project_is_built(
    cli: Cli, counter: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    cli("build").failed("[tool.contractvm]", "name a contract's file")
    (tmp_path / "pyproject.toml").write_text('[tool.contractvm]\ncontracts = ["counter.wat"]\nout = "made"\n')
    inside = tmp_path / "inside"
    inside.mkdir()
    monkeypatch.chdir(inside)
    (built,) = cli("build", "--json").json["built"]
    assert Path(built["code"]) == tmp_path / "made" / "counter.wasm"
    for table, words in (("contract = 1", "has contracts and out"), ("contracts = 1", "a list of files")):
        (tmp_path / "pyproject.toml").write_text(f"[tool.contractvm]\n{table}\n")
        cli("build").failed(words)


def test_several_contracts_are_pythons(cli: Cli, counter: Path) -> None:
    cli("build", counter, "--contract", "Counter").failed("only a Python file has several contracts")


def test_code_that_came_from_a_source(cli: Cli, counter: Path) -> None:
    address = cli("deploy", counter, "--json").json["contractAddress"]
    verified = cli("verify", address, counter, "--json").json
    assert verified["verified"] is True and verified["onChain"] == verified["codeHash"]
    assert "verified" in cli("verify", address, counter).out


def test_code_that_did_not(cli: Cli, counter: Path, tmp_path: Path) -> None:
    address = cli("deploy", counter, "--json").json["contractAddress"]
    built = cli("build", counter, "-o", tmp_path, "--json").json["built"][0]
    original = counter.read_text()
    counter.write_text(original.replace("never", "no..!"))
    ran = cli("verify", address, counter)
    assert ran.code == 1 and "the source has changed since it was deployed" in ran.err
    record = Path(built["build"])
    older = json.loads(record.read_text()) | {"compiler": "wasmtime 0.1"}
    record.write_text(json.dumps(older))
    ran = cli("verify", address, counter)
    assert "compiler: wasmtime 0.1 then, wasmtime " in ran.err
    record.unlink()
    assert "the first byte that differs is at " in cli("verify", address, counter).err
    counter.write_text(original.replace("(data", '(data (i32.const 400) "more")\n  (data', 1))
    ran = cli("verify", address, counter, "--json")
    assert ran.code == 1 and "bytes are on chain, the source gives" in ran.json["why"][0]
    cli("verify", "0x" + "11" * 20, counter).failed("has no code at block latest")


def test_an_upgrade_that_fits(cli: Cli, tmp_path: Path) -> None:
    old = layout(tmp_path / "old.json", field("T.a"), field("T.m", "0x0002", "Map[Address, u256]", encoding={"k": 1}))
    new = layout(
        tmp_path / "new.json",
        field("T.m", "0x0002", "Map[Owner, u256]", encoding={"k": 1}),
        field("T.a"),
        field("T.b", "0x0003", "bool"),
    )
    ran = cli("upgrade-check", old, new)
    assert ran.code == 0 and "T.b: new, a bool" in ran.out and "all 2 fields are read as they were kept" in ran.err
    assert cli("upgrade-check", old, new, "--json").json == {"compatible": True, "incompatible": [], "added": ["T.b"]}


def test_an_upgrade_that_does_not(cli: Cli, tmp_path: Path) -> None:
    old = layout(
        tmp_path / "old.json",
        field("T.gone", "0x0001"),
        field("T.typed", "0x0002", "u64"),
        field("T.moved", "0x0003"),
        field("T.struct", "0x0004", "Point", encoding={"members": 2}),
    )
    new = layout(
        tmp_path / "new.json",
        field("T.typed", "0x0002", "u128"),
        field("T.moved", "0x0005"),
        field("T.struct", "0x0004", "Point", encoding={"members": 3}),
        field("T.fresh", "0x0001"),
    )
    ran = cli("upgrade-check", old, new)
    assert ran.code == 1 and "5 fields incompatible" in ran.err
    assert [line.split(": ", 1) for line in ran.out.splitlines()[:5]] == [
        [
            "T.gone",
            "it is gone, and what lies under 0x0001 would be left behind; if T.fresh is its new name, keep the "
            "old one: keys come from names",
        ],
        ["T.typed", "what was kept as u64 would be read as u128"],
        ["T.moved", "it was kept under 0x0003 and is now looked for under 0x0005"],
        ["T.struct", "what was kept as Point would be read as Point"],
        ["T.fresh", "it is new, but its keys are those of the old T.gone; give it another name"],
    ]
    fields = [problem["field"] for problem in cli("upgrade-check", old, new, "--json").json["incompatible"]]
    assert fields == ["T.gone", "T.typed", "T.moved", "T.struct", "T.fresh"]


def test_what_has_no_layout(cli: Cli, counter: Path, tmp_path: Path) -> None:
    cli("upgrade-check", counter, counter).failed("has no storage layout: only Python")
    broken = tmp_path / "broken.json"
    for text, words in (
        ("{", "broken.json: "),
        ("[]", "no storage layout"),
        ("{}", "list of fields"),
        ('{"fields": [{"name": "a"}]}', "a name, a prefix and a type"),
    ):
        broken.write_text(text)
        cli("upgrade-check", broken, broken).failed(words)


def test_stubs_of_an_abi_and_of_a_source(cli: Cli, counter: Path, tmp_path: Path) -> None:
    pytest.importorskip("ziglang", reason="the extra 'c' is not installed")
    built = cli("build", TOKEN, "-o", tmp_path, "--json").json["built"][0]
    made = cli("stubs", built["abi"], "--json").json["stubs"][0]
    assert made["class"] == "Token" and Path(made["stub"]) == tmp_path / "token_abi.pyi"
    text = Path(made["stub"]).read_text()
    assert "def __init__(self, supply: int, *" in text and "balance_of: _BalanceOf" in text
    cli("stubs", TOKEN, "-o", tmp_path / "other.pyi")
    assert (tmp_path / "other.pyi").read_text() == text
    cli("stubs", counter).failed("declares no functions", "give its JSON ABI")
    (tmp_path / "token_abi.pyi").write_text("# mine\n")
    cli("stubs", built["abi"]).failed("is no stub of ours")
    cli("stubs", built["abi"], built["abi"], "-o", tmp_path / "x.pyi").failed("-o names one file")


PYTHON = """from sdk import *


class Vault(Contract):
    owner: Public[Address]
    balance_of: Public[Map[Address, u128]]

    def __init__(self, owner: Address) -> None:
        self.owner = owner

    @external
    def put(self, amount: u128) -> None:
        self.balance_of[msg.sender] += amount
"""


@pytest.fixture
def vault(tmp_path: Path) -> Path:
    path = tmp_path / "vault.py"
    path.write_text(PYTHON)
    return path


def test_a_python_contract_from_source_to_chain(cli: Cli, vault: Path, tmp_path: Path) -> None:
    built = cli("build", vault, "-o", tmp_path / "vault.wasm", "--json").json["built"][0]
    assert built["name"] == "Vault" and built["compiler"].startswith("contractvm ")
    fields = json.loads(Path(built["layout"]).read_text())["fields"]
    assert [each["name"] for each in fields] == ["Vault.owner", "Vault.balance_of"]
    gas = json.loads(Path(built["gas"]).read_text())
    assert gas["functions"]["put(uint128)"]["least"] > 100 and "Vault.put" in gas["code"]
    deployed = cli("deploy", vault, "0x" + "22" * 20, "--json").json
    assert cli("call", deployed["contractAddress"], "owner()(address)", "-q").out.strip() == "0x" + "22" * 20
    assert cli("verify", deployed["contractAddress"], vault, "--json").json["verified"] is True
    assert cli("verify", deployed["contractAddress"], tmp_path / "vault.wasm", "--json").json["verified"] is True
    cli("deploy", vault).failed("constructor(address owner) takes 1 arguments, 0 given", code=2)


def test_an_upgrade_of_python(cli: Cli, vault: Path, tmp_path: Path) -> None:
    wider, renamed = tmp_path / "wider.py", tmp_path / "renamed.py"
    wider.write_text(PYTHON.replace("u128", "u256").replace("    owner:", "    paused: bool\n    owner:"))
    renamed.write_text(PYTHON.replace("owner", "keeper"))
    fits = cli("upgrade-check", vault, wider)
    assert fits.code == 0 and fits.out == "Vault.paused: new, a bool\n"
    cli("build", vault, "-o", tmp_path)
    ran = cli("upgrade-check", tmp_path / "Vault.layout.json", renamed)
    assert ran.code == 1 and ran.out.startswith("Vault.owner: it is gone, and what lies under 0x")
    assert "if Vault.keeper is its new name, keep the old one" in ran.out
    assert "Vault.balance_of: what was kept as" in cli("upgrade-check", wider, vault).out


def test_a_python_source_with_errors(cli: Cli, vault: Path, tmp_path: Path) -> None:
    vault.write_text(PYTHON.replace("+= amount", "+= amount * 2.5"))
    ran = cli("build", vault, "-o", tmp_path / "vault.wasm")
    assert ran.code == 1 and "vault.py:13:" in ran.err and "Traceback" not in ran.err
    assert not (tmp_path / "vault.wasm").exists()


def test_stubs_of_python(cli: Cli, vault: Path) -> None:
    made = cli("stubs", vault, "--json").json["stubs"][0]
    assert (made["class"], Path(made["stub"]).name) == ("Vault", "vault_abi.pyi")
    assert "def __init__(self, owner: AddressLike, *" in Path(made["stub"]).read_text()
