"""Who sends: a development account by number or address, or a private key. And the options of everything that sends.

Never: prints a key or keeps one.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

import click

from contractvm.cli.problem import Problem
from contractvm.cli.values import address, amount, checksum, hex_bytes, positive
from contractvm.crypto import ORDER, address_of_secret
from contractvm.devaccounts import dev_accounts
from contractvm.types import Address

F = TypeVar("F", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class Signer:
    """An account whose key is at hand."""

    address: Address
    secret: bytes

    def __repr__(self) -> str:
        return f"Signer(0x{self.address.hex()})"


def signer_of(sender: str | None, private_key: str | None) -> Signer:
    """The account to sign with: the first development account if nothing is said. Raises: Problem."""
    if private_key is not None:
        try:
            secret = hex_bytes(private_key)
        except click.BadParameter:
            raise Problem("the private key is not hex", "it has 64 hex digits") from None
        if len(secret) != 32 or not 0 < int.from_bytes(secret, "big") < ORDER:
            raise Problem(
                f"the private key is no key: {len(secret)} bytes", "it has 32 bytes, within secp256k1's order"
            )
        signer = Signer(address_of_secret(secret), secret)
        if sender is not None and account_of(sender) != signer.address:
            raise Problem(
                f"--from {sender} is not the private key's account {checksum(signer.address)}", "leave --from out"
            )
        return signer
    wanted = account_of("0" if sender is None else sender)
    for account in dev_accounts():
        if account.address == wanted:
            return Signer(account.address, account.secret)
    raise Problem(
        f"there is no key for {checksum(wanted)}", "give --private-key, or one of the accounts: contractvm accounts"
    )


def account_of(text: str) -> Address:
    """An address, or the development account of that number. Raises: Problem."""
    accounts = dev_accounts()
    if text.isascii() and text.isdecimal() and len(text) < 5:
        if int(text) >= len(accounts):
            raise Problem(
                f"there is no account {text}", f"they are numbered 0 to {len(accounts) - 1}: contractvm accounts"
            )
        return accounts[int(text)].address
    try:
        return address(text)
    except click.BadParameter as error:
        raise Problem(error.message, "or give an account's number: contractvm accounts") from None


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
