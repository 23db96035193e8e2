"""`contractvm rpc`: any method of a node, with its answer as it is.

Never: looks into what is asked or answered.
"""

from __future__ import annotations

import json

import click

from contractvm.cli.client import Client
from contractvm.cli.frame import Command, Settings, pass_settings
from contractvm.cli.opened import url_of_holder
from contractvm.cli.problem import USAGE, Problem
from contractvm.cli.url import DEFAULT_URL, chosen_url, node_options


@click.command(cls=Command)
@click.argument("method")
@click.argument("params", nargs=-1)
@node_options
@pass_settings
def rpc(settings: Settings, method: str, params: tuple[str, ...]) -> None:
    """Call any method of a node.

    Each of PARAMS is JSON, or text where it is none. Without -r the node is the one that holds the data directory, or
    http://127.0.0.1:8545. Prints the result: text as it is, the rest as JSON.

    \b
    Examples:
      contractvm rpc eth_blockNumber
      contractvm rpc eth_getBlockByNumber latest false
      contractvm rpc eth_call '{"to": "0x5FbD...", "data": "0x18160ddd"}' latest
    """
    url = chosen_url(settings) or url_of_holder(settings.data)
    if url is None and settings.data_given:
        raise Problem(f"no node holds {settings.data}", f"contractvm node --data {settings.data} serves it", code=USAGE)
    client = Client(url or DEFAULT_URL, settings.timeout)
    try:
        answer = client.ask(method, *map(parameter, params))
    finally:
        client.close()
    if settings.json:
        click.echo(json.dumps({"result": answer}))
    elif isinstance(answer, str):
        click.echo(answer)
    else:
        click.echo(json.dumps(answer, indent=None if settings.quiet else 2))


def parameter(word: str) -> object:
    """JSON where it is some, otherwise text."""
    try:
        return json.loads(word)
    except (ValueError, RecursionError):
        return word
