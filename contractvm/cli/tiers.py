"""`--tier`: how code is run, for every command that runs some.

One command is one short process: what is in the cache of compiled objects runs natively, nothing is compiled behind the
user's back, and only who asks for the native tier waits for its compiler. Never: changes an outcome or its gas.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, TypeVar

import click

from contractvm.cli.frame import Settings
from contractvm.cli.problem import Problem, say
from contractvm.errors import ContractVMError
from contractvm.machine import Machine

F = TypeVar("F", bound=Callable[..., Any])

AUTO, NATIVE, PORTABLE, REFERENCE = "auto", "native", "portable", "reference"
NAMES: Final = (AUTO, NATIVE, PORTABLE, REFERENCE)
"""As the engine has them, which a test compares; named here because help must not wait for the engine."""


def tier_option(function: F) -> F:
    """`--tier`, for commands on a chain."""
    return click.option(
        "--tier",
        type=click.Choice(NAMES),
        default=AUTO,
        envvar="CONTRACTVM_TIER",
        help="How to run code; native compiles first, auto does what is compiled already.  [env: CONTRACTVM_TIER]",
    )(function)


def machines(settings: Settings, tier: str) -> tuple[Machine, ...]:
    """The machines of a chain that a command opens. Raises: Problem when the native tier cannot be had."""
    from contractvm.native.protocol import Unavailable
    from contractvm.wasm.machine import WasmMachine

    def fell_back(code_hash: bytes, problem: ContractVMError) -> None:
        if not settings.quiet:
            say(f"code 0x{code_hash.hex()[:8]}.. ran on the portable tier: {problem}", label="warning")

    try:
        return (WasmMachine(tier, background=False, fell_back=fell_back),)
    except Unavailable as problem:
        raise unavailable(problem) from None


def unavailable(problem: ContractVMError) -> Problem:
    """What to say when nothing can be compiled here."""
    reason, _, way_out = str(problem).partition(": ")
    return Problem(f"there is no native tier here: {reason}", way_out or "leave --tier out; results are the same")
