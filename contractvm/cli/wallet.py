"""`contractvm wallet`: accounts of your own, their keys encrypted in files.

Never: prints a key, takes one from the command line, or overwrites a file.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from contractvm.cli.frame import ALSO, Command, Context, Settings, common_options, pass_settings
from contractvm.cli.keystore import checked_name, create, decrypted, directory, file_of, listed, password, read
from contractvm.cli.output import hexed, show_json, show_pairs, show_table
from contractvm.cli.problem import FAILED, Problem, say
from contractvm.cli.signer import secret_of
from contractvm.cli.values import address, checksum, hex_bytes
from contractvm.crypto import ORDER, address_of, address_of_secret, keccak256, recover, sign
from contractvm.types import Address

F = TypeVar("F", bound=Callable[..., Any])


def folder_option(function: F) -> F:
    return click.option(
        "--keystore-dir",
        "folder",
        type=click.Path(path_type=Path),
        metavar="DIR",
        envvar="CONTRACTVM_KEYSTORES",
        help="Where keystores are.  [default: ~/.contractvm/keystores]",
    )(function)


def password_option(function: F) -> F:
    return click.option(
        "--password-file",
        type=click.Path(path_type=Path),
        metavar="FILE",
        envvar="ETH_PASSWORD",
        help="The password, alone in a file; asked for if left out.",
    )(function)


class Group(click.Group):
    """A group in the same frame as the commands."""

    context_class = Context

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.params += common_options(hidden=True)
        self.epilog = ALSO


@click.group(cls=Group, context_settings={"help_option_names": ["-h", "--help"]})
def wallet() -> None:
    """Keep accounts of your own, their keys encrypted.

    The files are Web3 Secret Storage, which geth, foundry and wallets read. Send with one: `contractvm send ...
    --account NAME`.
    """


@wallet.command(cls=Command)
@click.argument("name")
@folder_option
@password_option
@pass_settings
def new(settings: Settings, name: str, folder: Path | None, password_file: Path | None) -> None:
    """Make an account with a new key."""
    checked_name(name)
    store(settings, folder, name, (1 + secrets.randbelow(ORDER - 1)).to_bytes(32, "big"), password_file)


@wallet.command("import", cls=Command)
@click.argument("name")
@folder_option
@password_option
@click.option("--key-file", type=click.Path(path_type=Path), metavar="FILE", help="The key in hex, alone in a file.")
@pass_settings
def import_(
    settings: Settings, name: str, folder: Path | None, password_file: Path | None, key_file: Path | None
) -> None:
    """Keep a private key that you have.

    It is asked for, or read from --key-file; never write it on a command line.
    """
    checked_name(name)
    given = password(key_file, "Private key (64 hex digits)")
    store(settings, folder, name, secret_of(given.strip()), password_file)


def store(settings: Settings, folder: Path | None, name: str, secret: bytes, password_file: Path | None) -> None:
    """Encrypt a key and say whose it is."""
    where = directory(folder)
    if any(kept.name == name for kept in listed(where)):
        raise Problem(f"there is a keystore {name} in {where} already", "choose another name")
    word = password(password_file, f"Password for {name}", twice=True)
    if not word:
        raise Problem("the password is empty", "a keystore without one protects nothing")
    path = create(where, name, secret, word)
    who = checksum(address_of_secret(secret))
    if settings.json:
        show_json({"name": name, "address": who, "file": str(path)})
    elif settings.quiet:
        click.echo(who)
    else:
        show_pairs([("account", name), ("address", who), ("file", path)])
        say("keep the file and the password: without both the key is lost", label="note")


@wallet.command("list", cls=Command)
@folder_option
@pass_settings
def list_(settings: Settings, folder: Path | None) -> None:
    """List the accounts that are kept."""
    found = listed(directory(folder))
    if settings.json:
        show_json({"accounts": [{"name": k.name, "address": k.address and checksum(k.address)} for k in found]})
    elif settings.quiet:
        for kept in found:
            click.echo(kept.name)
    elif found:
        show_table(("name", "address"), [(k.name, checksum(k.address) if k.address else "?") for k in found])
    else:
        say(f"no keystores in {directory(folder)}; make one: contractvm wallet new NAME", label="note")


@wallet.command("address", cls=Command)
@click.argument("name")
@folder_option
@password_option
@pass_settings
def address_(settings: Settings, name: str, folder: Path | None, password_file: Path | None) -> None:
    """Show an account's address."""
    kept = next((kept for kept in listed(directory(folder)) if kept.name == name), None)
    if kept is not None and kept.address is not None:
        who = kept.address
    else:
        who = address_of_secret(key_of(folder, name, password_file))
    if settings.json:
        show_json({"name": name, "address": checksum(who)})
    else:
        click.echo(checksum(who))


@wallet.command("sign", cls=Command)
@click.argument("name")
@click.argument("message")
@folder_option
@password_option
@pass_settings
def sign_(settings: Settings, name: str, message: str, folder: Path | None, password_file: Path | None) -> None:
    """Sign a message, as personal_sign does.

    MESSAGE is text, or bytes in 0x hex. Source: EIP-191, version 0x45.
    """
    secret = key_of(folder, name, password_file)
    r, s, recid = sign(personal_digest(message), secret)
    signature = r.to_bytes(32, "big") + s.to_bytes(32, "big") + bytes([27 + recid])
    if settings.json:
        show_json({"address": checksum(address_of_secret(secret)), "signature": hexed(signature)})
    else:
        click.echo(hexed(signature))


@wallet.command(cls=Command)
@click.argument("account", metavar="ADDRESS")
@click.argument("message")
@click.argument("signature")
@pass_settings
def verify(settings: Settings, account: str, message: str, signature: str) -> None:
    """Check who signed a message.

    Ends with 1 if it was not ADDRESS.
    """
    wanted, raw = address(account), hex_bytes(signature)
    if len(raw) != 65 or raw[64] not in (0, 1, 27, 28):
        raise Problem("that is no signature", "it has 65 bytes: r, s, and 27 or 28")
    r, s = int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:64], "big")
    key = recover(personal_digest(message), r, s, raw[64] % 27)
    signer: Address | None = None if key is None else address_of(key)
    if settings.json:
        show_json({"valid": signer == wanted, "signer": signer and checksum(signer)})
    elif signer == wanted and not settings.quiet:
        click.echo(f"signed by {checksum(wanted)}")
    if signer != wanted:
        say(f"not signed by {checksum(wanted)}{f', but by {checksum(signer)}' if signer else ''}")
        click.get_current_context().exit(FAILED)


def key_of(folder: Path | None, name: str, password_file: Path | None) -> bytes:
    """A kept account's key. Raises: Problem."""
    path = file_of(directory(folder), name)
    return decrypted(path, read(path), password(password_file, f"Password of {name}"))


def personal_digest(message: str) -> bytes:
    """What is signed of a message. Raises: click.BadParameter for hex that is none."""
    content = hex_bytes(message) if message.startswith("0x") else message.encode()
    return keccak256(b"\x19Ethereum Signed Message:\n" + str(len(content)).encode() + content)
