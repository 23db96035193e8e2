"""`contractvm node`: serve a chain to Ethereum's clients.

Never: imports the server before its options are known to be right.
"""

from __future__ import annotations

import click

from contractvm.cli.frame import Command, Settings, pass_settings
from contractvm.cli.problem import say
from contractvm.cli.tiers import NAMES


@click.command(cls=Command)
@click.option("--host", default="127.0.0.1", metavar="ADDRESS", help="Address to listen on.  [default: 127.0.0.1]")
@click.option("-p", "--port", type=click.IntRange(0, 65_535), default=8545, metavar="PORT", help="[default: 8545]")
@click.option("--chain-id", type=click.IntRange(1), metavar="N", help="[default: 31337, or what the chain has]")
@click.option("--tier", type=click.Choice(NAMES), default="auto", envvar="CONTRACTVM_TIER", help="How to run code.")
@pass_settings
def node(settings: Settings, host: str, port: int, chain_id: int | None, tier: str) -> None:
    """Serve a local chain to Ethereum's clients."""
    from contractvm.node.config import Config
    from contractvm.node.node import Node
    from contractvm.node.serve import bind, serve
    from contractvm.wasm.machine import WasmMachine

    config = Config(host=host, port=port, chain_id=chain_id, tier=tier)
    listener = bind(host, port)
    served = Node(config, [WasmMachine(tier)])
    serve(served, listener, lambda: say(f"listening on http://{host}:{listener.getsockname()[1]}"))
