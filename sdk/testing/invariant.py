"""`Invariant`: a property that must hold whatever is done in whatever order.

    class TestSupply(Invariant):
        def start(self, token: Deployed, accounts: tuple[Address, ...]) -> None:
            self.token, self.accounts = token, accounts

        @rule(to=addresses(), amount=integers(0, 1000))
        def transfer(self, to: Address, amount: int) -> None:
            self.token.transfer(to, amount)

        @invariant()
        def supply_is_constant(self) -> None:
            assert self.token.total_supply() == SUPPLY

`rule`, `invariant`, `precondition` and bundles are hypothesis's own (`hypothesis.stateful`), which draws, shrinks and
prints the steps; pytest collects the class, whose `start` takes fixtures. Every run begins on the chain as the fixtures
left it. Never: a run that sees what another one did.
"""

from __future__ import annotations

import functools
import inspect
import sys
from collections.abc import Callable
from typing import Any, ClassVar

from hypothesis import seed, settings
from hypothesis.stateful import RuleBasedStateMachine, run_state_machine_as_test

from sdk.testing.chain import MockChain
from sdk.testing.examples import Example, is_failure
from sdk.testing.fuzzing import how_many


class Invariant(RuleBasedStateMachine):
    """Subclass it with rules and invariants; `start` is run before each run's first step and takes fixtures."""

    examples: ClassVar[int] = 50
    """Runs."""
    steps: ClassVar[int] = 30
    """Steps of a run, at most."""

    def __init__(self, chain: MockChain, fixtures: dict[str, Any]) -> None:
        """Begin a run."""
        super().__init__()
        self.chain = chain
        self._outside = sys.exc_info()[1]
        self._example = Example(chain)
        try:
            self.start(**fixtures)
        except BaseException as error:
            self._example.close(error if is_failure(error) else None)
            raise

    def start(self, *nothing: Any, **fixtures: Any) -> None:
        """Take what the rules need; overridden with the names of fixtures as parameters."""

    def teardown(self) -> None:
        """End a run. Hypothesis calls it while the failure, if there is one, is on its way."""
        error = sys.exc_info()[1]
        self._example.close(error if error is not self._outside and is_failure(error) else None)


def as_test(machine: type[Invariant]) -> Callable[..., None]:
    """The test that pytest runs for a subclass. Its parameters are fixtures."""
    parameters = [] if machine.start is Invariant.start else [*inspect.signature(machine.start).parameters][1:]

    def run(**fixtures: Any) -> None:
        __tracebackhide__ = True
        chain: MockChain = fixtures["chain"]
        given = {name: fixtures[name] for name in parameters}
        how = settings(how_many(machine.examples), stateful_step_count=machine.steps)

        @functools.wraps(machine, updated=())
        def begin() -> Invariant:
            return machine(chain, given)

        if chain.seed is not None:
            how, begin = settings(how, database=None), seed(chain.seed)(begin)
        run_state_machine_as_test(begin, settings=how)  # type: ignore[arg-type]

    run.__name__ = run.__qualname__ = machine.__name__
    run.__module__, run.__doc__ = machine.__module__, machine.__doc__
    names = dict.fromkeys([*parameters, "chain"])
    run.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
        [inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY) for name in names]
    )
    marks = getattr(machine, "pytestmark", [])
    run.__dict__.update(contractvm_drawn=True, pytestmark=list(marks))
    return run
