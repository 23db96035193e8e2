"""The console: what is at hand in it, in a directory and through a node, with IPython and without."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.contractvm.cli.conftest import Cli
from tests.contractvm.cli.test_remote import SECOND, TOKEN, started
from tests.contractvm.cli.wat import COUNTER, assemble
from tests.sources import ROOT

pytest.importorskip("uvicorn", reason="the extra 'node' is not installed")


@pytest.fixture(params=["directory", "node"])
def where(request: pytest.FixtureRequest, data: Path) -> Iterator[tuple[str, str]]:
    """Options for a fresh chain."""
    if request.param == "directory":
        yield "--data", str(data)
        return
    with started() as process:
        yield "-r", process.ready().url


def test_a_contract_from_deployment_to_storage(cli: Cli, where: tuple[str, str]) -> None:
    assert cli("deploy", TOKEN, 1000, *where).code == 0

    def run(source: str) -> str:
        done = cli("console", "-c", source, *where)
        assert done.code == 0, done
        return done.out.strip()

    assert run("token.total_supply()") == run("token.totalSupply()") == "1000"
    assert run("token.balance_of(accounts[0])") == "1000"
    sent = run("token.transfer(accounts[1], 5)")
    assert sent.startswith("<0x") and "in block 2" in sent and "Transfer(from=0xf39f" in sent and "value=5" in sent
    assert run("token.balanceOf(accounts[1])") == "5"
    assert run("token.transfer(accounts[0], 2, sender=1).events[0][-8:]") == "'value=2)'"
    assert run("token.call if False else token.transfer.call(accounts[1], 1)") == "True"
    assert run("chain.height") == "3"
    assert run("len(chain.storage(token))") == "3"
    assert run("chain.logs(token)[-1][:8]") == "'Transfer'"
    assert run("chain.trace(chain.receipt(chain.block().transactions[0].hex()))").startswith("Token.transfer(")
    assert run("[chain.at(token.address).name(), len(chain.code(token)) > 1000]") == "['Contract Token', True]"
    assert run("chain.contracts()").startswith("[Token(0x")
    assert run("for n in (1, 2): print(n)") == "1\n2"
    assert run("a = 1\nb = 2\nprint(a + b)") == "3"


def test_deploying_twice_and_sending(cli: Cli, where: tuple[str, str]) -> None:
    source = f"t = deploy({str(TOKEN)!r}, 7, sender=1); print(t.balance_of(accounts[1]))"
    assert cli("console", "-c", source, *where).out == "7\n"
    assert cli("console", "-c", source, *where).out == "7\n"
    assert cli("console", "-c", "token.address != token_1.address", *where).out == "True\n"
    assert cli("console", "-c", "chain.send(1, '1.5ether')", *where).out.startswith("<0x")
    assert cli("console", "-c", "chain.balance(accounts[1]) > 10_001 * 10**18", *where).out == "True\n"
    assert cli("console", "-c", "chain.nonce()", *where).out == "1\n"
    assert cli("console", "-c", "chain", *where).out.startswith("<the ")


def test_refusals_are_a_line_and_the_users_own_errors_a_traceback(cli: Cli, where: tuple[str, str]) -> None:
    cli("deploy", TOKEN, 5, *where)

    def refused(source: str, *words: str) -> None:
        cli("console", "-c", source, *where).failed(*words)

    refused("token.transfer(accounts[1], 6)", "execution reverted: ERC20InsufficientBalance")
    refused("token.transfer(accounts[1], 6, gas=100_000)", "mined but reverted", "at token.py:")
    refused("token.transfer.call(accounts[1], 6)", "Token(0x", ".transfer: execution reverted")
    refused("token.transfr", "has no function 'transfr'; did you mean transfer")
    refused("chain.at(accounts[3])", "has no code")
    refused("chain.balance('x')", "is not hex")
    refused("chain.balance(99)", "there is no account 99")
    refused("deploy('nothing.py')", "nothing.py: no such file")
    refused("chain.receipt('0x12')", "hash is 32")
    refused("1 +", "invalid syntax")
    own = cli("console", "-c", "1 / 0", *where)
    assert own.code == 1 and "ZeroDivisionError" in own.err and "bug of contractvm" not in own.err


def test_modules_take_signatures(cli: Cli, tmp_path: Path) -> None:
    path = assemble(tmp_path / "counter.wasm", COUNTER)
    contract = cli("deploy", path, "--json").json["contractAddress"]
    view = "f() view returns (uint256)"
    cli("console", "-c", f"chain.send({contract!r})")
    assert cli("console", "-c", f"chain.at({contract!r}, {view!r}).f()").out == "1\n"
    assert cli("console", "-c", f"chain.at({contract!r})[{view!r}]()").out == "1\n"
    cli("console", "-c", f"deploy({str(path)!r}, 5)").failed("declares no constructor")


def test_python_s_own_prompt(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "IPython", None)
    monkeypatch.setitem(sys.modules, "IPython.terminal.embed", None)
    monkeypatch.setattr("sys.stdin", io.StringIO("chain.height\nchain.send(1, 5)\nchain.balance('x')\n"))
    talked = cli("console")
    assert talked.code == 0
    assert "contractvm[console]" in talked.err and "accounts  deploy(" in talked.err
    assert "0\n" in talked.out and "in block 1" in talked.out
    assert "error: 'x' is not hex" in talked.err and "Traceback" not in talked.err


def test_ipython(data: Path, tmp_path: Path) -> None:
    pytest.importorskip("IPython", reason="the extra 'console' is not installed")
    environment = {**os.environ, "IPYTHONDIR": str(tmp_path), "CONTRACTVM_DATA": str(data), "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-m", "contractvm.cli", "console"],
        input="chain.height + 41\nchain.balance('x')\naccounts[1]\n",
        env=environment,
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    assert "41" in done.stdout and SECOND in done.stdout
    assert "error: 'x' is not hex" in done.stderr and "Traceback" not in done.stdout + done.stderr
