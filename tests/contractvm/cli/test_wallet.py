"""Accounts of one's own: encrypted files, passwords, what is signed with them, and what is never shown."""

from __future__ import annotations

import json
import stat
import sys
from pathlib import Path

import pytest

from contractvm.cli import keystore
from contractvm.crypto import address_of_secret
from tests.contractvm.cli.conftest import Cli

pytest.importorskip("eth_keyfile", reason="the extra 'wallet' is not installed")

SECRET = "4c0883a69102937d6231471b5dbb6204fe5129617082792ae468d01a3f362318"
OWNER = "0x2c7536E3605D9C16a7a3D7b1898e529396a65c23"
FIRST = "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266"
FIRST_KEY = "ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where keystores are, made quickly."""
    monkeypatch.setattr(keystore.create, "__defaults__", (2,))
    monkeypatch.setenv("CONTRACTVM_KEYSTORES", str(tmp_path / "keys"))
    for name in ("ETH_PASSWORD", "ETH_KEYSTORE", "ETH_RPC_URL", "CONTRACTVM_RPC_URL"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path / "keys"


@pytest.fixture
def word(tmp_path: Path) -> Path:
    """A file with a password."""
    path = tmp_path / "word"
    path.write_text("open sesame\n")
    return path


def key_file(tmp_path: Path, secret: str = SECRET) -> Path:
    path = tmp_path / "key"
    path.write_text(f"0x{secret}\n")
    return path


def test_import_list_address(cli: Cli, folder: Path, word: Path, tmp_path: Path) -> None:
    made = cli("wallet", "import", "mine", "--key-file", key_file(tmp_path), "--password-file", word, "--json").json
    assert made == {"name": "mine", "address": OWNER, "file": str(folder / "mine.json")}
    assert stat.S_IMODE((folder / "mine.json").stat().st_mode) == 0o600
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert cli("wallet", "list", "--json").json == {"accounts": [{"name": "mine", "address": OWNER}]}
    assert OWNER in cli("wallet", "list").out and cli("wallet", "list", "-q").out == "mine\n"
    assert cli("wallet", "address", "mine").out == f"{OWNER}\n"
    assert SECRET not in (folder / "mine.json").read_text()


def test_new_keys_differ_and_open_again(cli: Cli, folder: Path, word: Path) -> None:
    addresses = [cli("wallet", "new", name, "--password-file", word, "-q").out for name in ("one", "two")]
    assert len({*addresses}) == 2
    shown = cli("wallet", "new", "three", "--password-file", word)
    assert "keep the file and the password" in shown.err and "sesame" not in shown.out + shown.err
    secret = keystore.decrypted(folder / "one.json", keystore.read(folder / "one.json"), "open sesame")
    assert f"0x{address_of_secret(secret).hex()}" == addresses[0].strip().lower()


def test_what_other_wallets_wrote_is_read(cli: Cli, folder: Path, word: Path) -> None:
    """A vector of Web3 Secret Storage's definition, whose password is `testpassword`."""
    folder.mkdir()
    vector = {
        "version": 3,
        "id": "3198bc9c-6672-5ab3-d995-4942343ae5b6",
        "crypto": {
            "cipher": "aes-128-ctr",
            "cipherparams": {"iv": "6087dab2f9fdbbfaddc31a909735c1e6"},
            "ciphertext": "5318b4d5bcd28de64ee5559e671353e16f075ecae9f99c7a79a38af5f869aa46",
            "kdf": "pbkdf2",
            "kdfparams": {
                "c": 262144,
                "dklen": 32,
                "prf": "hmac-sha256",
                "salt": "ae3cd4e7013836a3df6bd7241b12db061dbe2c6785853cce422d148a624ce0bd",
            },
            "mac": "517ead924a9d0dc3124507e3393d175ce3ff7c1e96529c6c555ce9e51205e9b2",
        },
    }
    for name in ("old.json", "UTC--2026-01-01T00-00-00.0Z--ab"):
        (folder / name).write_text(json.dumps(vector))
    word.write_text("testpassword")
    assert [kept["name"] for kept in cli("wallet", "list", "--json").json["accounts"]] == [
        "UTC--2026-01-01T00-00-00.0Z--ab",
        "old",
    ]
    same = cli("wallet", "address", "UTC--2026-01-01T00-00-00.0Z--ab", "--password-file", word)
    found = cli("wallet", "address", "old", "--password-file", word)
    secret = bytes.fromhex("7a28b5ba57c53603b0b07b56bba752f7784bf506fa95edc395f5cf6c7514fe9d")
    assert found.out.strip().lower() == same.out.strip().lower() == f"0x{address_of_secret(secret).hex()}"


def test_sending_with_a_keystore(cli: Cli, folder: Path, word: Path, tmp_path: Path) -> None:
    cli("wallet", "import", "rich", "--key-file", key_file(tmp_path, FIRST_KEY), "--password-file", word)
    by_name = cli("send", 1, "--value", 1, "--account", "rich", "--password-file", word, "--json").json
    by_file = cli("send", 1, "--value", 1, "--keystore", folder / "rich.json", "--password-file", word, "--json").json
    assert by_name["from"] == by_file["from"] == FIRST
    same = ("send", 1, "--account", "rich", "--password-file", word)
    assert cli(*same, "--from", 0).code == 0
    cli(*same, "--from", 1).failed("--from 1 is not the keystore's account", FIRST)
    cli(*same, "--private-key", SECRET).failed("--private-key and --account exclude each other", code=2)


def test_passwords_are_asked_for(cli: Cli, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    answers = iter([SECRET, "a", "a", "a", "b"])

    def answer(prompt: str) -> str:
        asked.append(prompt)
        return next(answers)

    monkeypatch.setattr("click.termui.hidden_prompt_func", answer)
    imported = cli("wallet", "import", "mine")
    assert imported.code == 0 and SECRET not in imported.out + imported.err
    assert [line.split()[0] for line in asked] == ["Private", "Password", "Repeat"]
    assert cli("wallet", "sign", "mine", "hello").code == 0
    cli("wallet", "sign", "mine", "hello").failed("wrong password")


def test_signing_and_verifying(cli: Cli, folder: Path, word: Path, tmp_path: Path) -> None:
    """The signature that eth_account and web3.js give as their example."""
    cli("wallet", "import", "mine", "--key-file", key_file(tmp_path), "--password-file", word)
    signature = cli("wallet", "sign", "mine", "Some data", "--password-file", word).out.strip()
    assert signature == (
        "0xb91467e570a6466aa9e9876cbcd013baba02900b8979d43fe208a4a4f339f5fd"
        "6007e74cd82e037b800186422fc2da167c747ef045e5d18a5f5d4300f8e1a0291c"
    )
    as_bytes = cli("wallet", "sign", "mine", "0x" + b"Some data".hex(), "--password-file", word, "--json").json
    assert as_bytes == {"address": OWNER, "signature": signature}
    assert cli("wallet", "verify", OWNER, "Some data", signature).out == f"signed by {OWNER}\n"
    assert cli("wallet", "verify", OWNER, "Some data", signature, "--json").json == {"valid": True, "signer": OWNER}
    cli("wallet", "verify", FIRST, "Some data", signature).failed(f"not signed by {FIRST}, but by {OWNER}")
    cli("wallet", "verify", OWNER, "Some data", "0x00").failed("that is no signature")
    cli("wallet", "verify", OWNER, "Some data", "0x" + "00" * 65).failed("not signed by")


def test_refusals(cli: Cli, folder: Path, word: Path, tmp_path: Path) -> None:
    key = key_file(tmp_path)
    assert "make one" in cli("wallet", "list").err
    cli("wallet", "address", "mine").failed("there is no keystore mine", "contractvm wallet new")
    cli("wallet", "import", "mine", "--key-file", key, "--password-file", word)
    before = (folder / "mine.json").read_bytes()
    cli("wallet", "new", "mine", "--password-file", word).failed("a keystore mine", "choose another name")
    assert (folder / "mine.json").read_bytes() == before
    cli("wallet", "address", "other").failed("there is no keystore other", "there are mine")
    for name in ("../up", "", "a/b", ".hidden", "x" * 65):
        cli("wallet", "new", name, "--password-file", word).failed("is no account's name")
    wrong = tmp_path / "wrong"
    wrong.write_text("shut sesame")
    refused = cli("send", 1, "--account", "mine", "--password-file", wrong).failed("wrong password for")
    assert "sesame" not in refused.err
    cli("wallet", "new", "b", "--password-file", tmp_path / "none").failed("the password's file", "No such file")
    wrong.write_text("")
    cli("wallet", "new", "b", "--password-file", wrong).failed("the password is empty")
    for text in ("zz", "00" * 32, "12"):
        key.write_text(text)
        refused = cli("wallet", "import", "b", "--key-file", key, "--password-file", word)
        assert refused.code == 1 and "the private key is" in refused.err
    cli("send", 1, "--keystore", tmp_path / "none").failed("no such keystore")
    cli("send", 1, "--keystore", tmp_path).failed("Is a directory")


@pytest.mark.parametrize(
    "change",
    [
        {"version": 4},
        {"crypto": {}},
        {"crypto": {"kdfparams": {"n": 1 << 40, "r": 8}}},
        {"crypto": {"kdfparams": {"c": 1 << 40}}},
        {"crypto": {"kdfparams": {"n": "many"}}},
        {"crypto": {"kdf": "rot13"}},
        {"crypto": {"cipher": "none"}},
        {"crypto": {"ciphertext": "zz"}},
        {"address": "00" * 20},
    ],
)
def test_damaged_and_hostile_files(
    cli: Cli, folder: Path, word: Path, tmp_path: Path, change: dict[str, object]
) -> None:
    cli("wallet", "import", "mine", "--key-file", key_file(tmp_path), "--password-file", word)
    path = folder / "mine.json"
    document = json.loads(path.read_text())
    for name, value in change.items():
        if isinstance(value, dict) and value:
            document[name] |= {k: document[name].get(k, {}) | v if isinstance(v, dict) else v for k, v in value.items()}
        else:
            document[name] = value
    path.write_text(json.dumps(document))
    cli("send", 1, "--account", "mine", "--password-file", word).failed(str(path))


@pytest.mark.parametrize("content", [b"", b"{}", b"[1]", b"\xff\xfe", b'{"crypto": 5}', b"[" * 60_000, b" " * 70_000])
def test_files_that_are_no_keystores(cli: Cli, folder: Path, word: Path, content: bytes) -> None:
    folder.mkdir()
    (folder / "odd.json").write_bytes(content)
    cli("send", 1, "--account", "odd", "--password-file", word).failed("odd.json is no keystore")
    assert cli("wallet", "list", "--json").json == {"accounts": []}


def test_without_the_library(cli: Cli, folder: Path, word: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "eth_keyfile", None)
    cli("wallet", "new", "mine", "--password-file", word).failed("eth-keyfile", "pip install 'contractvm[wallet]'")
    assert not folder.exists()


def test_keys_never_show_in_reprs() -> None:
    from contractvm.cli.signer import Signer, Wanted

    secret = bytes.fromhex(SECRET)
    shown = repr(Signer(address_of_secret(secret), secret)) + repr(Wanted(private_key=SECRET))
    assert SECRET not in shown and SECRET[:8] not in shown


def test_not_even_a_traceback_shows_a_key(cli: Cli, folder: Path, word: Path, tmp_path: Path) -> None:
    almost = SECRET[:-1] + "g"
    for shown in (
        cli("send", 1, "--private-key", almost, "--debug"),
        cli("wallet", "import", "mine", "--key-file", key_file(tmp_path, almost), "--password-file", word, "--debug"),
        cli("wallet", "import", "mine", "--key-file", key_file(tmp_path), "--password-file", tmp_path, "--debug"),
    ):
        assert shown.code == 1 and "Traceback" in shown.err
        assert SECRET[:16] not in shown.err + shown.out and "sesame" not in shown.err + shown.out
