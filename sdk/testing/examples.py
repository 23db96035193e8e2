"""One example of a property: run on the chain as it was found, which is put back, and told as Python if it fails.

Never: knows what draws the examples; `fuzz` and `invariant` do.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from hypothesis.errors import HypothesisException

from sdk.testing.book import Entry, Evidence
from sdk.testing.chain import MockChain
from sdk.testing.failures import refusal
from sdk.testing.values import written


class Example:
    """The chain while an example runs. `close` puts it back, and keeps the evidence if the example failed."""

    __slots__ = ("_chain", "_chapter", "_entries", "_moment")

    def __init__(self, chain: MockChain) -> None:
        self._chain = chain
        self._moment = chain.moment()
        self._chapter = chain.book.chapter()
        self._entries = self._chapter.__enter__()

    def close(self, error: BaseException | None) -> None:
        """End it; `error` is what it failed with, and is told how to do the same again."""
        chain = self._chain
        if error is not None:
            error.add_note(reproduction(chain, self._entries))
            chain.book.evidence = Evidence(tuple(self._entries), chain.moment().node)
        self._chapter.__exit__(None, None, None)
        chain.restore(self._moment)


@contextmanager
def example(chain: MockChain) -> Iterator[None]:
    """Run an example inside the `with` block. Exceptions that are none of a test's, as of hypothesis, leave no note."""
    running = Example(chain)
    try:
        yield
    except BaseException as error:
        running.close(error if is_failure(error) else None)
        raise
    running.close(None)


def is_failure(error: BaseException | None) -> bool:
    """Whether an exception fails a test, and is not hypothesis's way to say that it wants another example."""
    if isinstance(error, Exception):
        return not isinstance(error, HypothesisException)
    pytest = sys.modules.get("pytest")
    return pytest is not None and isinstance(error, pytest.fail.Exception)


def reproduction(chain: MockChain, entries: Iterable[Entry]) -> str:
    """What was done, as the lines of a test: all but calls that kept nothing and did not fail."""
    done = [entry for entry in entries if entry.kind not in ("call", "run") or entry.failed is not None]
    lines = [told(chain, entry) for entry in done]
    body = "\n".join(f"    {line}" for line in lines or ["pass  # nothing was done on the chain"])
    return f"Reproduction, on the fixtures' chain:\n{body}"


def deployable(entry: Entry) -> str:
    """What `chain.deploy` takes for what an entry deployed: its file, of Python with the contract's name."""
    source = entry.source
    if source is None or not source.files:
        return repr(entry.target)
    file = source.files[0]
    shown = file.relative_to(Path.cwd()) if file.is_relative_to(Path.cwd()) else file
    return repr(f"{shown}:{source.name}" if file.suffix == ".py" else str(shown))


def told(chain: MockChain, entry: Entry) -> str:
    """An entry as Python."""
    labels = chain.labels()
    arguments = [written(argument, labels) for argument in entry.arguments]
    options = [] if entry.sender in (bytes(20), chain.accounts[0]) else [f"sender={written(entry.sender, labels)}"]
    options += [f"value={written(entry.value)}"] if entry.value and entry.kind != "pay" else []
    options += [f"gas={entry.gas}"] if entry.gas is not None else []
    end = f"  # {type(entry.failed).__name__}: {refusal(entry.failed, labels)}" if entry.failed is not None else ""
    target = written(entry.target, labels)
    if entry.kind == "deploy":
        name = entry.result if isinstance(entry.result, str) else "contract"
        return f"{name} = chain.deploy({', '.join([deployable(entry), *arguments, *options])}){end}"
    if entry.function is not None:
        dot = ".call" if entry.kind == "call" and not entry.function.reads_only else ""
        return f"{target}.{entry.function.name}{dot}({', '.join(arguments + options)}){end}"
    if entry.kind in ("transact", "run"):
        data = written(entry.arguments[0])
        return f"chain.{entry.kind}({', '.join([target, f'bytes.fromhex({data[2:]!r})', *options])}){end}"
    if entry.kind in ("deal", "pay"):
        return f"chain.{entry.kind}({', '.join([target, *arguments, *options])}){end}"
    if entry.kind == "warp" and entry.result is not None:
        return f"chain.warp(to={entry.result})"
    return f"chain.{entry.kind}({', '.join(arguments)})"
