"""Which node a command is for: `-r`, or the environment; and what a URL may be.

Nothing leaves this machine unless the command line itself says so: the environment may name a node on it, while another
needs `-r`. A data directory that was named counts more than the environment's URL.
Never: shows more of a URL than scheme, host and port; the rest may hold a password or a provider's key.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from ipaddress import ip_address
from typing import Any, Final, TypeVar
from urllib.parse import SplitResult, urlsplit

import click

from contractvm.cli.frame import Settings, remember
from contractvm.cli.problem import USAGE, Problem
from contractvm.url import origin

F = TypeVar("F", bound=Callable[..., Any])

ENVIRONMENT: Final = ("CONTRACTVM_RPC_URL", "ETH_RPC_URL")
DEFAULT_URL: Final = "http://127.0.0.1:8545"


def node_options(function: F) -> F:
    """`-r` and `--timeout`, for commands that a node can serve as well as a data directory."""
    options = (
        click.option(
            "-r",
            "--rpc-url",
            "contractvm_url",
            metavar="URL",
            expose_value=False,
            callback=remember,
            help="Ask the node at this URL, instead of a data directory.  [env: CONTRACTVM_RPC_URL, ETH_RPC_URL]",
        ),
        click.option(
            "--timeout",
            "contractvm_timeout",
            type=click.FloatRange(0.001, 86_400),
            metavar="SECONDS",
            expose_value=False,
            callback=remember,
            help="Longest wait for an answer, or for a block.  [default: 30]",
        ),
    )
    for option in reversed(options):
        function = option(function)
    return function


def chosen_url(settings: Settings) -> str | None:
    """The URL that this command is for; None: a data directory. Raises: Problem."""
    if settings.url is not None:
        if settings.data_given:
            raise Problem("-r and --data exclude each other", "leave one out", code=USAGE)
        checked(settings.url, "-r")
        return settings.url
    if settings.named:
        return None
    for variable in ENVIRONMENT:
        url = os.environ.get(variable)
        if url:
            parts = checked(url, variable)
            if not loopback(parts.hostname or ""):
                raise Problem(
                    f"{variable} names {origin(url)}, which is not this machine",
                    f'say so on the command line if you mean it: -r "${variable}"; or use a directory: --data DIR',
                )
            return url
    return None


def checked(url: str, where: str) -> SplitResult:
    """The parts of a URL that can be asked. Raises: Problem."""
    try:
        parts = urlsplit(url)
        parts.port  # noqa: B018 - raises for a port that is none
    except ValueError:
        raise Problem(f"{where} is no URL", f"write it as {DEFAULT_URL}", code=USAGE) from None
    if parts.scheme in ("ws", "wss"):
        raise Problem(
            f"{where} names a WebSocket, {origin(url)}",
            "a node answers HTTP on the same port: begin the URL with http" + parts.scheme[2:],
            code=USAGE,
        )
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise Problem(f"{where} is no http or https URL", f"write it as {DEFAULT_URL}", code=USAGE)
    return parts


def loopback(host: str) -> bool:
    """Whether an address is this machine's own and reached by nobody else."""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
