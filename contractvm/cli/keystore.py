"""Keys kept encrypted in files: Web3 Secret Storage, which geth, foundry and every wallet read.

A directory holds one file an account, its name the account's. Encrypting and decrypting is eth-keyfile's, imported when
a file is. Source: Web3 Secret Storage version 3 (scrypt, n = 262,144). Never: writes a key in the clear, overwrites a
file, or takes a password from the command line itself, where other users of the machine could read it.
"""

from __future__ import annotations

import json
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from contractvm.cli.problem import Problem
from contractvm.cli.values import checksum
from contractvm.crypto import ORDER, address_of_secret
from contractvm.types import Address

if TYPE_CHECKING:
    from contractvm.cli.signer import Wanted

WORK: Final = 262_144
"""scrypt's n: about a second for each guess at a password."""
LARGEST: Final = 1 << 16
"""Bytes of a keystore; real ones have 500."""
MOST_BLOCKS: Final = 1 << 23
"""scrypt's n times r: a gigabyte of memory."""
MOST_TURNS: Final = 10_000_000
SUFFIX: Final = ".json"
NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


@dataclass(frozen=True, slots=True)
class Kept:
    """A keystore that is there. `address` None: it does not say whose key it holds."""

    name: str
    path: Path
    address: Address | None


def directory(given: Path | None) -> Path:
    """Where keystores are."""
    return Path.home() / ".contractvm" / "keystores" if given is None else given


def unlocked(wanted: Wanted) -> bytes:
    """The key in the keystore that the options name, the password asked for if need be. Raises: Problem."""
    if wanted.keystore is not None:
        path = wanted.keystore
    else:
        path = file_of(directory(wanted.keystore_dir), wanted.account or "")
    document = read(path)
    return decrypted(path, document, password(wanted.password_file, f"Password of {path.stem}"))


def file_of(folder: Path, name: str) -> Path:
    """The file of an account that is there. Raises: Problem."""
    path = folder / f"{checked_name(name)}{SUFFIX}"
    if not path.is_file():
        path = folder / name  # as foundry and geth name theirs
    if not path.is_file():
        names = [kept.name for kept in listed(folder)]
        there = f"there are {', '.join(names[:10])}" if names else "make one: contractvm wallet new NAME"
        raise Problem(f"there is no keystore {name} in {folder}", there)
    return path


def checked_name(name: str) -> str:
    """A name that is a file's name and nothing more. Raises: Problem."""
    if not NAME.fullmatch(name):
        raise Problem(f"{name[:80]!r} is no account's name", "use letters, digits, dots, dashes, underscores; up to 64")
    return name


def read(path: Path) -> dict[str, Any]:
    """The JSON of a keystore. Raises: Problem."""
    try:
        with path.open("rb") as file:
            content = file.read(LARGEST + 1)
    except FileNotFoundError:
        raise Problem(f"{path}: no such keystore", "contractvm wallet list shows those there are") from None
    except (IsADirectoryError, PermissionError) as error:
        raise Problem(f"{path}: {error.strerror}", "name a keystore's file") from None
    try:
        document = json.loads(content) if len(content) <= LARGEST else None
    except (ValueError, RecursionError):
        document = None
    if not isinstance(document, dict) or not isinstance(document.get("crypto") or document.get("Crypto"), dict):
        raise Problem(f"{path} is no keystore", "it is JSON with a member `crypto`, as Web3 Secret Storage has it")
    return document


def password(file: Path | None, prompt: str, *, twice: bool = False) -> str:
    """The password, from a file or asked for. Raises: Problem."""
    if file is None:
        answer: str = click.prompt(prompt, hide_input=True, confirmation_prompt=twice, err=True)
        return answer
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "no text"
        raise Problem(f"the password's file {file}: {reason}", "it holds the password alone") from None
    return text.removesuffix("\n").removesuffix("\r")


def decrypted(path: Path, document: dict[str, Any], word: str) -> bytes:
    """The key. Raises: Problem, for a wrong password too."""
    check_costs(path, document)
    keyfile = library()
    try:
        secret = bytes(keyfile.decode_keyfile_json(document, word.encode()))
    except ValueError as error:
        if "MAC" in str(error):
            raise Problem(f"wrong password for {path}", "nothing was signed; try again") from None
        raise Problem(f"{path} cannot be decrypted", "it is damaged, or of a kind that nobody uses") from None
    except (KeyError, TypeError, AttributeError, NotImplementedError, MemoryError):
        raise Problem(f"{path} cannot be decrypted", "it is damaged, or of a kind that nobody uses") from None
    if len(secret) != 32 or not 0 < int.from_bytes(secret, "big") < ORDER:
        raise Problem(f"{path} holds no secp256k1 key", "a keystore of another chain?")
    claimed = address_in(document)
    if claimed is not None and claimed != address_of_secret(secret):
        raise Problem(
            f"{path} says it is {checksum(claimed)} and holds the key of {checksum(address_of_secret(secret))}",
            "somebody changed it; do not use it",
        )
    return secret


def check_costs(path: Path, document: dict[str, Any]) -> None:
    """Refuse what is not as everybody writes it, or asks for more time or memory than an honest file.

    Raises: Problem.
    """
    crypto = document.get("crypto") or document.get("Crypto") or {}
    params = crypto.get("kdfparams")
    numbers = params if isinstance(params, dict) else {}
    costs = [numbers.get(name, 1) for name in ("n", "r", "p", "c")]
    usual = document.get("version") == 3 and crypto.get("cipher") == "aes-128-ctr"
    if not usual or not all(isinstance(each, int) for each in costs) or not affordable(*costs):
        raise Problem(
            f"{path} is no keystore of the kind that is read here",
            "version 3 with scrypt up to n = 1,048,576 or pbkdf2 up to 10,000,000 turns is",
        )


def affordable(n: int, r: int, p: int, c: int) -> bool:
    """Whether deriving the key from the password takes seconds and not hours."""
    return n * r <= MOST_BLOCKS and p <= 16 and c <= MOST_TURNS


def create(folder: Path, name: str, secret: bytes, word: str, work: int = WORK) -> Path:
    """Encrypt a key into a new file that its owner alone can read. Raises: Problem."""
    path = folder / f"{checked_name(name)}{SUFFIX}"
    document = library().create_keyfile_json(secret, word.encode(), kdf="scrypt", iterations=work)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise Problem(f"{path} is there already", "choose another name; keystores are not overwritten") from None
    with os.fdopen(handle, "w", encoding="ascii") as file:
        json.dump(document, file)
        file.flush()
        os.fsync(file.fileno())
    return path


def listed(folder: Path) -> list[Kept]:
    """The keystores of a directory by name, other wallets' too; files that are none are left out."""
    found = []
    for path in sorted(folder.glob("*")):
        name = path.name.removesuffix(SUFFIX)
        try:
            if NAME.fullmatch(name):
                found.append(Kept(name, path, address_in(read(path))))
        except Problem:
            continue
    return found


def address_in(document: dict[str, Any]) -> Address | None:
    """Whose key a keystore says it holds."""
    text = document.get("address")
    try:
        content = bytes.fromhex(text.removeprefix("0x")) if isinstance(text, str) else b""
    except ValueError:
        return None
    return Address(content) if len(content) == 20 else None


def library() -> Any:
    """eth-keyfile. Raises: Problem, with the way to install it."""
    try:
        import eth_keyfile
    except ImportError:
        raise Problem("keystores need eth-keyfile", "pip install 'contractvm[wallet]'") from None
    return eth_keyfile
