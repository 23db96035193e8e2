"""`contractvm node`: serve a chain to Ethereum's clients.

Never: imports the server before its options are known to be right, or shows the keys of a phrase that is not public.
"""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from contractvm.cli.frame import Command, Settings, pass_settings
from contractvm.cli.nodelog import JsonLines, Lines, Terminal
from contractvm.cli.opened import URL_FILE
from contractvm.cli.problem import USAGE, Problem, say
from contractvm.cli.tiers import AUTO, NAMES, unavailable
from contractvm.cli.url import loopback

if TYPE_CHECKING:
    from contractvm.machine import Machine
    from contractvm.node.config import Config

FILE = click.Path(dir_okay=False, path_type=Path)
MOST = (1 << 63) - 1
"""Of what a chain's first block has: id, gas, fee."""
MOST_ETHER = 10**57
"""An account's wei have 256 bits."""
ID = click.IntRange(1, MOST)
GAS = click.IntRange(5_000, MOST)
SECONDS = click.FloatRange(0.001, 1 << 32)


@click.command(cls=Command)
@click.option("--host", default="127.0.0.1", metavar="ADDRESS", help="Address to listen on.  [default: 127.0.0.1]")
@click.option(
    "-p", "--port", type=click.IntRange(0, 65_535), default=8545, metavar="PORT", help="[default: 8545; 0: any free]"
)
@click.option(
    "--chain-id", type=click.IntRange(1, MOST), metavar="N", help="Chain id.  [default: 31337, or the chain's own]"
)
@click.option("-a", "--accounts", type=click.IntRange(0, 1_000), metavar="N", help="Dev accounts.  [default: 10]")
@click.option("--balance", type=click.IntRange(0, MOST_ETHER), metavar="ETHER", help="What each has.  [default: 10000]")
@click.option("-m", "--mnemonic", metavar="PHRASE", envvar="CONTRACTVM_MNEMONIC", help="Phrase of their keys.")
@click.option("-b", "--block-time", type=SECONDS, metavar="S", help="Make a block every S seconds.")
@click.option("--no-mining", is_flag=True, help="Make blocks only when asked: evm_mine.")
@click.option(
    "--gas-limit", type=click.IntRange(5_000, MOST), metavar="GAS", help="Gas of a block.  [default: 30000000]"
)
@click.option("--base-fee", type=click.IntRange(0, MOST), metavar="WEI", help="Of the first block.  [default: 1 gwei]")
@click.option("--keep", type=click.IntRange(1), metavar="N", help="Blocks of history to keep.  [default: all]")
@click.option("--state", type=FILE, metavar="FILE", help="Begin with this state, if it is there; leave it there.")
@click.option("--fork-url", metavar="URL", help="Go on from another contractvm node's chain, in memory.")
@click.option("--fork-block", type=click.IntRange(0), metavar="N", help="The block to go on from.  [default: its last]")
@click.option("--tier", type=click.Choice(NAMES), default=AUTO, envvar="CONTRACTVM_TIER", help="How to run code.")
@click.option("--json-logs", is_flag=True, help="One JSON object a line, also on a terminal.")
@click.option("--metrics", is_flag=True, help="Serve Prometheus metrics at /metrics.")
@pass_settings
def node(
    settings: Settings, /, host: str, port: int, tier: str, json_logs: bool, metrics: bool, **options: object
) -> None:
    """Serve a local chain to Ethereum's clients.

    HTTP and WebSocket on one port. The chain is in memory unless --data names a directory. A transaction is mined as
    it arrives, unless --block-time or --no-mining says otherwise.

    \b
    Examples:
      contractvm node
      contractvm node --data chain --block-time 2
    """
    config = configured(settings, host, port, tier, metrics, options)
    machine_read = json_logs or settings.json or not sys.stdout.isatty()
    lines = JsonLines(sys.stdout, settings.quiet) if machine_read else Terminal(settings)
    with server_packages():
        from contractvm.node.node import Node
        from contractvm.node.serve import bind, serve
    try:
        listener = bind(host, port)
    except OSError as error:
        raise cannot_listen(host, port, error) from None
    try:
        if not loopback(host):
            say(
                f"listening on {host}: whoever reaches this port can spend every account of this node",
                "leave --host out to be reached from this machine alone",
                label="warning",
            )
        served = Node(config, machines(settings, lines, tier))
        url = f"http://{f'[{host}]' if ':' in host else host}:{listener.getsockname()[1]}"
        with reachable(config, url):
            served.feed.add(lines)
            serve(served, listener, lambda: lines.listening(served, url))
        lines.ended()
    finally:
        lines.close()
        listener.close()
    if not served.pace.ended():
        # Calls that nobody waits for any more, with seconds to go; the chain is closed and everything said.
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(0)


def configured(
    settings: Settings, host: str, port: int, tier: str, metrics: bool, options: dict[str, object]
) -> Config:
    """The node's options; what nobody gave has the default that `Config` says."""
    if options["block_time"] is not None and options["no_mining"]:
        raise Problem("--block-time and --no-mining exclude each other", "leave one out", code=USAGE)
    if options["fork_block"] is not None and options["fork_url"] is None:
        raise Problem("--fork-block names a block of --fork-url", "name the node to fork: --fork-url URL", code=USAGE)
    kept = settings.named or options["state"] is not None
    if options["fork_url"] is not None and kept:
        raise Problem("a forked chain is in memory", "leave --data and --state out", code=USAGE)
    phrase, seconds, state = options["mnemonic"], options["block_time"], options["state"]
    if not host.strip():
        raise Problem("--host is empty, which would be every address", "leave it out, or name one", code=USAGE)
    if isinstance(phrase, str) and not phrase.strip():
        raise Problem("--mnemonic is empty", "leave it out for the usual test phrase, or give one", code=USAGE)
    if isinstance(seconds, float) and seconds != seconds:
        raise Problem("--block-time is no number", "give seconds: --block-time 2", code=USAGE)
    if isinstance(state, Path) and not os.access(state.absolute().parent, os.W_OK | os.X_OK):
        raise Problem(
            f"--state {state}: nothing can be written to its folder, and the state would be lost at the end",
            "make the folder, or name another file",
            code=USAGE,
        )
    with server_packages():
        from contractvm.node.config import Config
    mining = not options.pop("no_mining") and options["block_time"] is None
    given = {name: value for name, value in options.items() if value is not None}
    data = settings.data if settings.named else None
    return Config(host=host, port=port, data=data, tier=tier, metrics=metrics, mining=mining, **given)  # type: ignore[arg-type]


@contextmanager
def server_packages() -> Iterator[None]:
    """Say what to install when a package of the server is missing."""
    try:
        yield
    except ModuleNotFoundError as error:
        if error.name is None or error.name.startswith("contractvm"):
            raise
        raise Problem(f"the node needs {error.name}", "install its extra: pip install 'contractvm[node]'") from None


def machines(settings: Settings, lines: Lines, tier: str) -> tuple[Machine, ...]:
    """The machines of the node's chain. Raises: Problem when the native tier cannot be had."""
    from contractvm.native.protocol import Unavailable
    from contractvm.wasm.machine import WasmMachine

    try:
        return (WasmMachine(tier, fell_back=lines.fell_back),)
    except Unavailable as problem:
        raise unavailable(problem) from None


def cannot_listen(host: str, port: int, error: OSError) -> Problem:
    """Why a port cannot be had, and what to do."""
    if error.errno == errno.EADDRINUSE:
        return Problem(f"port {port} on {host} is taken", "choose another; --port 0 takes any that is free")
    if error.errno == errno.EACCES:
        return Problem(f"port {port} on {host} is not for everybody", "choose one above 1023: --port 8545")
    return Problem(
        f"cannot listen on {host}:{port}: {error.strerror}", "give an address of this machine: --host 127.0.0.1"
    )


@contextmanager
def reachable(config: Config, url: str) -> Iterator[None]:
    """Write beside a chain on disk where it can be reached, for as long as it can."""
    if config.data is None:
        yield
        return
    file = Path(config.data) / URL_FILE
    file.write_text(url + "\n", encoding="ascii")
    try:
        yield
    finally:
        file.unlink(missing_ok=True)
