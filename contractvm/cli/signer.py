"""Who sends: a development account by number or address, a private key, a keystore, or an account that the node signs
for. And the options of everything that sends.

Never: prints a key or a password, or keeps one longer than the command.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from contractvm.cli.problem import USAGE, Problem
from contractvm.cli.values import address, amount, checksum, hex_bytes, positive
from contractvm.crypto import ORDER, address_of_secret
from contractvm.devaccounts import dev_accounts
from contractvm.types import ZERO_ADDRESS, Address

if TYPE_CHECKING:
    from contractvm.cli.chainlike import Chainlike

F = TypeVar("F", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class Signer:
    """An account to send from. `secret` None: the node has its key."""

    address: Address
    secret: bytes | None

    def __repr__(self) -> str:
        return f"Signer(0x{self.address.hex()})"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the options say of the sender."""

    sender: str | None = None
    private_key: str | None = None
    account: str | None = None
    keystore: Path | None = None
    keystore_dir: Path | None = None
    password_file: Path | None = None
    unlocked: bool = False

    def __repr__(self) -> str:
        return f"Wanted({self.sender})"


def signer_of(wanted: Wanted, chain: Chainlike) -> Signer:
    """The account to sign with: the first development account if nothing is said. Raises: Problem."""
    ways = {
        "--private-key": wanted.private_key is not None,
        "--account": wanted.account is not None,
        "--keystore": wanted.keystore is not None,
        "--unlocked": wanted.unlocked,
    }
    named = [way for way, given in ways.items() if given]
    if len(named) > 1:
        raise Problem(f"{' and '.join(named)} exclude each other", "say in one way who signs", code=USAGE)
    if not named:
        return development_signer(wanted.sender, chain)
    if wanted.unlocked:
        return Signer(account_of("0" if wanted.sender is None else wanted.sender, chain), None)
    if wanted.private_key is not None:
        what, secret = "the private key", secret_of(wanted.private_key)
    else:
        from contractvm.cli.keystore import unlocked

        what, secret = "the keystore", unlocked(wanted)
    signer = Signer(address_of_secret(secret), secret)
    if wanted.sender is not None and account_of(wanted.sender, chain) != signer.address:
        raise Problem(f"--from {wanted.sender} is not {what}'s account {checksum(signer.address)}", "leave --from out")
    return signer


def secret_of(private_key: str) -> bytes:
    """The bytes of a key that was given. Raises: Problem, which does not repeat it."""
    try:
        secret = hex_bytes(private_key)
    except click.BadParameter:
        raise Problem("the private key is not hex", "it has 64 hex digits") from None
    if len(secret) != 32 or not 0 < int.from_bytes(secret, "big") < ORDER:
        raise Problem(f"the private key is no key: {len(secret)} bytes", "it has 32 bytes, within secp256k1's order")
    return secret


def development_signer(sender: str | None, chain: Chainlike) -> Signer:
    """An account whose key everybody knows. Raises: Problem when it is none."""
    wanted = account_of("0" if sender is None else sender, chain)
    for account in dev_accounts():
        if account.address == wanted:
            return Signer(account.address, account.secret)
    raise Problem(
        f"there is no key for {checksum(wanted)}",
        "give --account NAME, --keystore FILE or --private-key, or one of contractvm accounts; "
        "--unlocked has a node sign",
    )


def account_of(text: str, chain: Chainlike) -> Address:
    """An address, or the chain's development account of that number. Raises: Problem."""
    if text.isascii() and text.isdecimal() and len(text) < 5:
        accounts = chain.accounts()
        if int(text) >= len(accounts):
            numbered = f"they are numbered 0 to {len(accounts) - 1}: contractvm accounts"
            raise Problem(
                f"there is no account {text}", numbered if accounts else f"{chain.name} has none: give an address"
            )
        return accounts[int(text)]
    try:
        return address(text)
    except click.BadParameter as error:
        raise Problem(error.message, "or give an account's number: contractvm accounts") from None


def caller_of(sender: str | None, chain: Chainlike) -> Address:
    """Who a message that nobody signs is from: the first development account if nothing is said. Raises: Problem."""
    if sender is not None:
        return account_of(sender, chain)
    return next(iter(chain.accounts()), ZERO_ADDRESS)


def sender_option(function: F) -> F:
    """`--from`, for commands that only read."""
    return click.option(
        "--from",
        "sender",
        metavar="ACCOUNT",
        envvar=["CONTRACTVM_FROM", "ETH_FROM"],
        help="Address or number of the sender.  [env: CONTRACTVM_FROM, ETH_FROM]",
    )(function)


def value_option(function: F) -> F:
    return click.option(
        "--value", type=amount, metavar="AMOUNT", default="0", help="Wei to send along: 1000, 1ether, 5gwei."
    )(function)


def gas_limit_option(function: F) -> F:
    return click.option(
        "--gas-limit",
        type=positive,
        metavar="GAS",
        envvar=["CONTRACTVM_GAS_LIMIT", "ETH_GAS_LIMIT"],
        help="Gas limit.  [default: as estimated; env: ETH_GAS_LIMIT]",
    )(function)


def keystore_options() -> tuple[Callable[[F], F], ...]:
    """Which keystore, and where its password is."""
    existing = click.Path(path_type=Path)
    return (
        click.option("--account", metavar="NAME", help="Sign with this keystore of `contractvm wallet list`."),
        click.option(
            "--keystore", type=existing, metavar="FILE", envvar="ETH_KEYSTORE", help="Sign with this keystore."
        ),
        click.option(
            "--keystore-dir",
            type=existing,
            metavar="DIR",
            envvar="CONTRACTVM_KEYSTORES",
            help="Where keystores are.  [default: ~/.contractvm/keystores]",
        ),
        click.option(
            "--password-file",
            type=existing,
            metavar="FILE",
            envvar="ETH_PASSWORD",
            help="The keystore's password, alone in a file; asked for if left out.",
        ),
    )


WHO = ("sender", "private_key", "account", "keystore", "keystore_dir", "password_file", "unlocked")
"""Parameters of `sending_options` that say who sends."""


def sending_options(function: F) -> F:
    """What a signed transaction can be told, by the names that anvil and cast use."""
    options = (
        sender_option,
        click.option(
            "--private-key",
            metavar="HEX",
            envvar=["CONTRACTVM_PRIVATE_KEY", "ETH_PRIVATE_KEY"],
            help="Key to sign with.  [env: CONTRACTVM_PRIVATE_KEY, ETH_PRIVATE_KEY]",
        ),
        *keystore_options(),
        click.option("--unlocked", is_flag=True, help="Have the node sign, with its key of --from."),
        value_option,
        gas_limit_option,
        click.option(
            "--gas-price",
            type=amount,
            metavar="AMOUNT",
            envvar=["CONTRACTVM_GAS_PRICE", "ETH_GAS_PRICE"],
            help="Highest price of a gas.  [default: twice the base fee, and the tip; env: ETH_GAS_PRICE]",
        ),
        click.option("--priority-gas-price", type=amount, metavar="AMOUNT", help="Tip for each gas.  [default: 0]"),
        click.option("--nonce", type=positive, metavar="N", help="Nonce.  [default: the account's next]"),
        click.option("--legacy", is_flag=True, help="Send a transaction without EIP-1559's fees."),
    )
    for option in reversed(options):
        function = option(function)
    return function
