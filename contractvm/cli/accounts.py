"""`contractvm accounts`: the development accounts, whose keys everybody knows.

Never: shows a key that is worth anything; these derive from the public test phrase.
"""

from __future__ import annotations

import click

from contractvm.cli.frame import Command, Settings, pass_settings
from contractvm.cli.opened import block_id, to_read
from contractvm.cli.output import show_json, show_table
from contractvm.cli.values import checksum, ether
from contractvm.devaccounts import dev_accounts


@click.command(cls=Command)
@click.option("--keys", is_flag=True, help="Show the private keys too. They are public: never use them elsewhere.")
@click.option("-b", "--block", default="latest", metavar="BLOCK", help="State to read: a height, a hash or a tag.")
@pass_settings
def accounts(settings: Settings, keys: bool, block: str) -> None:
    """List the development accounts and their balances.

    They derive from the test phrase that anvil and Hardhat use, so wallets set up for those work here.
    """
    with to_read(settings) as chain:
        world = chain.world(block_id(block))
        rows = [
            (index, account, world.balance(account.address), world.nonce(account.address))
            for index, account in enumerate(dev_accounts())
        ]
    if settings.json:
        listed = []
        for index, account, balance, nonce in rows:
            entry: dict[str, object] = {
                "index": index,
                "address": checksum(account.address),
                "balance": str(balance),
                "nonce": nonce,
            }
            listed.append(entry | ({"privateKey": "0x" + account.secret.hex()} if keys else {}))
        show_json({"accounts": listed})
    elif settings.quiet:
        for _, account, _, _ in rows:
            click.echo(checksum(account.address))
    else:
        header = ("", "address", "ether", "nonce") + (("private key",) if keys else ())
        cells = [
            (index, checksum(account.address), ether(balance), nonce) + (("0x" + account.secret.hex(),) if keys else ())
            for index, account, balance, nonce in rows
        ]
        show_table(header, cells, right=(0, 2, 3))
