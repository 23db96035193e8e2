"""Contracts in Rust: what the crate's helpers calculate, that bytes never change, and how mistakes are told."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from contractvm.rules import contract_rules
from contractvm.wasm.machine import WasmMachine
from sdk import cargo
from sdk.abi import ABIError, Function, decode
from sdk.build import Artifact, build
from sdk.errors import BuildError, ToolMissing
from sdk.testing import Deployed, MockChain, Reverted, reverts
from tests.sdk.abi_values import damage, values_of
from tests.sdk.conftest import SOURCES

ROOT = Path(__file__).parents[2]
MAX = 2**256 - 1
Crate = Callable[..., Path]

EMPTY = "#![no_std]\nuse contractvm::*;\ncontract! {\n    fn nothing() {}\n}\n"


@pytest.fixture
def crate(tmp_path: Path) -> Crate:
    """Writes a crate with the given source and more lines of its manifest; returns the manifest's path."""
    if cargo.find_rustc() is None:
        pytest.skip(f"no rustc with {cargo.TARGET}: {cargo.INSTALL}")

    def write(source: str, more: str = "", version: str = "0.1.0", name: str = "contract") -> Path:
        folder = tmp_path / name
        (folder / "src").mkdir(parents=True, exist_ok=True)
        (folder / "src" / "lib.rs").write_text(source, encoding="utf-8")
        manifest = folder / "Cargo.toml"
        manifest.write_text(
            f'[package]\nname = "{name}"\nversion = "0.1.0"\nedition = "2021"\n[lib]\ncrate-type = ["cdylib"]\n'
            f'[dependencies]\ncontractvm = "{version}"\n{more}',
            encoding="utf-8",
        )
        return manifest

    return write


@pytest.fixture(scope="module")
def artifact() -> Artifact:
    """The contract that shows what the crate can; built once."""
    try:
        return build(SOURCES / "rust" / "Cargo.toml")
    except ToolMissing as missing:
        pytest.skip(str(missing))


@pytest.fixture(scope="module")
def shown(chain: MockChain, artifact: Artifact) -> Deployed:
    return chain.deploy(artifact, 7, value=3)


def test_a_crate_declares_its_interface(artifact: Artifact) -> None:
    interface = artifact.interface
    assert artifact.name == "shown"
    assert interface.constructor == "constructor(uint64 start) payable"
    assert interface.receive == "receive() payable"
    functions = {Function.parse(text).name: text for text in interface.functions}
    assert functions["sumAll"] == "sumAll(uint32[] numbers) pure returns (uint64)"
    assert (
        functions["mirror"]
        == "mirror(struct Point(int64 x, int64 y) point) pure returns (struct Point(int64 x, int64 y))"
    )
    assert functions["tokenURI"] == "tokenURI(string prefix, uint8 id) pure returns (string, uint8)"
    assert interface.events == ("event Kept(uint64 indexed key, string indexed name, string text, uint256[2] pair)",)
    assert artifact.compiler.startswith("rustc ")
    WasmMachine().check(artifact.code, contract_rules())


def test_numbers(shown: Deployed) -> None:
    assert shown.calculate(7, 5) == [12, 2, 35, 1, 2]
    assert shown.calculate(2**200, 2**50) == [2**200 + 2**50, 2**200 - 2**50, 2**250, 2**150, 0]
    assert shown.shift(2**64 + 1, 65) == (2**129 + 2**65, 0)
    assert shown.shift(2**255 | 2**70, 6) == (2**76, 2**249 | 2**64)
    assert shown.shift(MAX, 256) == (0, 0)
    assert shown.compare(2**64, 1) is False
    assert shown.compare(1, 2**192) is True


@pytest.mark.parametrize(("a", "b", "code"), [(MAX, 1, 0x11), (0, 1, 0x11), (2**255, 2, 0x11), (1, 0, 0x12)])
def test_numbers_that_do_not_fit(shown: Deployed, a: int, b: int, code: int) -> None:
    with reverts() as caught:
        shown.calculate(a, b)
    assert caught.error is not None
    assert caught.error.refusal.values == (code,)


def test_types_there_and_back(shown: Deployed) -> None:
    assert shown.mirror((-5, 6)) == (6, -5)
    assert shown.sumAll([1, 2, 2**32 - 1]) == 2**32 + 2
    assert shown.sumAll([]) == 0
    assert shown.tokenURI("a longer text than one word of thirty-two bytes", 200) == (
        "a longer text than one word of thirty-two bytes",
        200,
    )
    assert shown.join([b"ab", b"", b"c" * 40]) == b"ab" + b"c" * 40
    assert shown.narrow(-128, True, b"\1\2\3\4", [7, 8]) == ([8, 7], b"\1\2\3\4", False, -128)


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("sumAll", b""),
        ("sumAll", (32).to_bytes(32, "big")),
        ("sumAll", (32).to_bytes(32, "big") + (2**255).to_bytes(32, "big")),
        ("sumAll", (2**64).to_bytes(32, "big") + bytes(32)),
        ("narrow", (128).to_bytes(32, "big") + bytes(160)),
        ("narrow", bytes(32) + (2).to_bytes(32, "big") + bytes(128)),
        ("narrow", bytes(64) + b"\1" * 32 + bytes(96)),
        ("tokenURI", (64).to_bytes(32, "big") + bytes(32) + (1).to_bytes(32, "big") + b"\xff".ljust(32, b"\0")),
    ],
)
def test_malformed_arguments_revert_without_a_reason(chain: MockChain, shown: Deployed, name: str, data: bytes) -> None:
    selector = shown[name].function.selector
    with reverts() as caught:
        chain.transact(shown.address, selector + data)
    assert caught.error is not None
    assert caught.error.data == b""


def test_storage_and_events(shown: Deployed) -> None:
    assert shown.started() == 7
    receipt = shown.keep.tx(5, "name", "text", [1, MAX])
    ((key, _, text, pair),) = receipt.events("Kept")
    assert (key, text, pair) == (5, "text", [1, MAX])
    assert shown.kept(5) == b"text"
    assert shown.kept(6) == b""
    shown.keep(5, "name", "x" * 100, [0, 0])
    assert shown.kept(5) == b"x" * 100
    shown.forget(5)
    assert shown.has(5) is False


def test_value_goes_where_it_is_wanted(chain: MockChain, shown: Deployed) -> None:
    assert chain.balance(shown) == 3
    chain.pay(shown, 4)
    assert chain.balance(shown) == 7
    with reverts("not payable"):
        shown.forget(1, value=1)
    with reverts("unknown function"):
        shown["gone()"]()


def test_calls_of_other_contracts(chain: MockChain, artifact: Artifact, shown: Deployed) -> None:
    other = chain.deploy(artifact, 9)
    assert shown.askOther(other) == 9
    with reverts("Refused", code=4):
        shown.provoke(other, 4)


def test_the_same_source_gives_the_same_bytes_anywhere(artifact: Artifact, tmp_path: Path) -> None:
    shutil.copytree(SOURCES / "rust", tmp_path / "elsewhere")
    program = "import sys; from sdk.build import build; sys.stdout.buffer.write(build(sys.argv[1]).debug)"
    done = subprocess.run(
        [sys.executable, "-c", program, "."],
        cwd=tmp_path / "elsewhere",
        env=os.environ | {"PYTHONPATH": str(ROOT), "PYTHONHASHSEED": "7"},
        capture_output=True,
        check=True,
        timeout=300,
    )
    assert done.stdout == artifact.debug
    assert sorted(path.name for path in (tmp_path / "elsewhere").iterdir()) == ["Cargo.toml", "src"]


def test_mistakes_are_the_compilers(crate: Crate) -> None:
    with pytest.raises(BuildError, match=r"Cargo\.toml: it does not compile\n(.|\n)*cannot find value `gone`"):
        build(crate(EMPTY.replace("{}", "{ gone }")))
    with pytest.raises(BuildError, match=r"a contract's function cannot be #\[veiw\]"):
        build(crate(EMPTY.replace("fn nothing", "#[veiw] fn nothing")))
    with pytest.raises(BuildError, match="floats are not deterministic"):
        build(crate(EMPTY + '#[no_mangle] pub extern "C" fn ratio(a: f64) -> f64 { a / 3.0 }\n'))


def test_manifests_that_do_not_do(crate: Crate, tmp_path: Path) -> None:
    with pytest.raises(BuildError, match=r'that comes with this SDK is 0\.1\.0: contractvm = "0\.1\.0"'):
        build(crate(EMPTY, version="9.0"))
    manifest = tmp_path / "Cargo.toml"
    manifest.write_text("[workspace]\n")
    with pytest.raises(BuildError, match=r"no package\.name"):
        build(manifest)
    manifest.write_text("[package\n")
    with pytest.raises(BuildError, match=r"Cargo\.toml: "):
        build(manifest)


def test_a_crate_with_more_is_cargos(crate: Crate, tmp_path: Path) -> None:
    if shutil.which("cargo") is None:
        pytest.skip("cargo is not installed")
    helper = crate("#![no_std]\npub const ANSWER: u64 = 42;\n", name="helper").parent
    manifest = helper / "Cargo.toml"
    manifest.write_text('[package]\nname = "helper"\nversion = "0.1.0"\nedition = "2021"\n', encoding="utf-8")
    source = EMPTY.replace("fn nothing() {}", "#[pure]\n    fn answer() -> u64 { helper::ANSWER }")
    made = build(crate(source, more='helper = { path = "../helper" }\n'))
    with MockChain() as chain:
        assert chain.deploy(made).answer() == 42


def test_the_readmes_contract(crate: Crate) -> None:
    text = (ROOT / "contracts" / "README.md").read_text(encoding="utf-8")
    (source,) = re.findall(r"```rust\n(.*?)```", text, re.DOTALL)
    made = build(crate(source))
    assert made.warnings == ()
    with MockChain() as chain:
        vault, alice = chain.deploy(made), chain.accounts[0]
        assert vault.put.tx(value=7).events("Put") == [(alice, 7)]
        assert vault.balanceOf(alice) == 7
        with reverts("TooMuch", have=7, want=8):
            vault.requireBalance(8)


def test_without_a_compiler_the_way_to_one_is_told(crate: Crate, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cargo, "find_rustc", lambda: None)
    with pytest.raises(ToolMissing, match="rustup target add wasm32-unknown-unknown, or on Debian: apt install rustc"):
        build(crate(EMPTY))


ANSWERS: dict[str, Callable[..., object]] = {
    "join": b"".join,
    "sumAll": sum,
    "mirror": lambda point: (point[1], point[0]),
    "narrow": lambda a, b, c, d: ([d[1], d[0]], c, not b, a),
    "tokenURI": lambda prefix, number: (prefix, number),
}


@given(st.sampled_from(sorted(ANSWERS)), st.data())
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_damaged_arguments_are_read_as_python_reads_them_or_refused(
    chain: MockChain, shown: Deployed, name: str, data: st.DataObject
) -> None:
    function = shown[name].function
    values = [data.draw(values_of(type_)) for type_ in function.types]
    damaged = data.draw(st.just(function.encode(*values)[4:]) | damage(function.encode(*values)[4:]))
    try:
        read = decode(function.types, damaged)
    except ABIError:
        read = None
    try:
        output = chain.run(shown.address, function.selector + damaged)
    except Reverted as refused:
        assert refused.data == b""
        assert read is None
    else:
        if read is not None:
            assert function.decode_output(output) == ANSWERS[name](*read)
