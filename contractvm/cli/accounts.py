"""`contractvm accounts`: the development accounts, whose keys everybody knows.

Never: shows a key that is worth anything; these derive from the public test phrase. A node's keys stay its own.
"""

from __future__ import annotations

import click

from contractvm.cli.frame import Command, Settings, pass_settings
from contractvm.cli.opened import block_id, to_read
from contractvm.cli.output import hexed, show_json, show_table
from contractvm.cli.url import node_options
from contractvm.cli.values import checksum, ether
from contractvm.devaccounts import dev_accounts


@click.command(cls=Command)
@click.option("--keys", is_flag=True, help="Show the private keys too. They are public: never use them elsewhere.")
@click.option("-b", "--block", default="latest", metavar="BLOCK", help="State to read: a height, a hash or a tag.")
@node_options
@pass_settings
def accounts(settings: Settings, keys: bool, block: str) -> None:
    """List the development accounts and their balances.

    They derive from the test phrase that anvil and Hardhat use, so wallets set up for those work here.
    """
    secrets = {account.address: account.secret for account in dev_accounts()} if keys else {}
    with to_read(settings) as chain:
        listed = chain.accounts()
        rows = list(enumerate(zip(listed, chain.holdings(listed, block_id(block)), strict=True)))
    if settings.json:
        show_json(
            {
                "accounts": [
                    {
                        "index": index,
                        "address": checksum(address),
                        "balance": str(holding.balance),
                        "nonce": holding.nonce,
                        **({"privateKey": hexed(secrets.get(address))} if keys else {}),
                    }
                    for index, (address, holding) in rows
                ]
            }
        )
    elif settings.quiet:
        for address in listed:
            click.echo(checksum(address))
    else:
        header = ("", "address", "ether", "nonce", *(("private key",) if keys else ()))
        cells = [
            (
                index,
                checksum(address),
                ether(holding.balance),
                holding.nonce,
                *((hexed(secrets.get(address)) or "(the node's own)",) if keys else ()),
            )
            for index, (address, holding) in rows
        ]
        show_table(header, cells, right=(0, 2, 3))
