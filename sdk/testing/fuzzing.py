"""`fuzz`: a test that is run on many drawn values, each on the chain as the fixtures left it.

    @fuzz
    def test_transfer(token: Deployed, accounts: tuple[Address, ...], amount: u256) -> None: ...

    @fuzz(to=addresses(), examples=300)
    def test_anyone(token: Deployed, to: Address) -> None: ...

Hypothesis draws and shrinks; it sees a plain function and nothing of it is changed. The failing example comes with the
calls it made, as Python. Never: an example that sees what another one did.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any, overload

from hypothesis import HealthCheck, given, seed, settings
from hypothesis.strategies import SearchStrategy

from sdk.testing.chain import MockChain
from sdk.testing.examples import example
from sdk.testing.strategies import of_annotation

EXAMPLES = 100

Test = Callable[..., None]


@overload
def fuzz(test: Test, /) -> Test: ...
@overload
def fuzz(*, examples: int = EXAMPLES, **strategies: SearchStrategy[Any]) -> Callable[[Test], Test]: ...
def fuzz(
    test: Test | None = None, /, *, examples: int = EXAMPLES, **strategies: SearchStrategy[Any]
) -> Test | Callable[[Test], Test]:
    """Run a test on `examples` drawn values.

    Drawn are the parameters named here and those annotated with a contract's type (`u256`, `bytes32`, `String` ...);
    the others are fixtures. Raises: TypeError when nothing is drawn, or a name is no parameter.
    """
    if test is not None:
        return _fuzzed(test, EXAMPLES, {})
    return lambda wanted: _fuzzed(wanted, examples, strategies)


def _fuzzed(test: Test, examples: int, strategies: dict[str, SearchStrategy[Any]]) -> Test:
    parameters = dict(inspect.signature(test).parameters)
    if unknown := strategies.keys() - parameters.keys():
        raise TypeError(f"{test.__qualname__} has no parameter {', '.join(sorted(unknown))}")
    drawn = dict(strategies)
    for name, parameter in parameters.items():
        inferred = of_annotation(parameter.annotation)
        if name not in drawn and inferred is not None:
            drawn[name] = inferred
    if not drawn:
        raise TypeError(
            f"@fuzz has nothing to draw for {test.__qualname__}: annotate a parameter (amount: u256) "
            "or give a strategy (@fuzz(amount=integers(0, 9)))"
        )
    bound = [name for name in parameters if name == "self"][:1]
    free = [
        parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY)
        for name, parameter in parameters.items()
        if name not in bound
    ]
    fixtures = [parameter for parameter in free if parameter.name not in drawn]
    asked = [parameter.name for parameter in fixtures]

    def run(*instance: object, **given_: Any) -> None:
        __tracebackhide__ = True
        chain: MockChain = given_["chain"]

        @functools.wraps(test)
        def once(**values: Any) -> None:
            __tracebackhide__ = True
            with example(chain):
                test(*instance, **values)

        once.__signature__ = inspect.Signature(free)  # type: ignore[attr-defined]
        drawing(given(**drawn)(once), chain, how_many(examples))(**{name: given_[name] for name in asked})

    functools.update_wrapper(run, test)
    del run.__wrapped__  # type: ignore[attr-defined]
    shown = [inspect.Parameter(name, inspect.Parameter.POSITIONAL_OR_KEYWORD) for name in bound]
    shown += [inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY) for name in dict.fromkeys([*asked, "chain"])]
    run.__signature__ = inspect.Signature(shown)  # type: ignore[attr-defined]
    run.__dict__["contractvm_drawn"] = True
    return run


def how_many(examples: int) -> settings:
    """The settings of a test: no deadline and no check of speed, because a busy machine must not fail a test."""
    return settings(max_examples=examples, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def drawing(test: Test, chain: MockChain, how: settings) -> Test:
    """A test of hypothesis with its settings, and the chain's seed if there is one."""
    if chain.seed is None:
        return how(test)
    return settings(how, database=None)(seed(chain.seed)(test))
