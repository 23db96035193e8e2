"""How the engine comes into a test's process: as it is, and out of the garbage collector's way.

pytest rewrites every module of a distribution that brings a plugin, so that the asserts of plugins explain themselves.
Ours is the whole engine: two hundred modules that hold no assert, each of them hashed, and where no bytecode may be
written parsed and compiled anew in every process, half a second before the first test. A finder before pytest's
answers for these modules alone, in the way that importlib documents (`sys.meta_path`). And its ten thousand functions
and tables, which stay as long as the process, are no garbage that a collection in the middle of a test would find,
nor one of those that Python makes while the process ends, as large as all others together.
Never: answers for a module outside our own folders, or for one that has tests in it; collects, or keeps from being
collected before the process ends, what is made once the chain is there.
"""

from __future__ import annotations

import atexit
import gc
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path
from types import ModuleType
from typing import Any

PACKAGES = frozenset({"contractvm", "gas", "sdk", "state"})
_HOME = Path(__file__).parents[2]


class AsItIs(MetaPathFinder):
    """Finds the modules of our packages as Python itself does."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Where a module of ours is; nothing for all others."""
        package = fullname.partition(".")[0]
        if package not in PACKAGES or fullname.rpartition(".")[2].startswith(("test_", "conftest")):
            return None
        spec = PathFinder.find_spec(fullname, path, target)
        place = None if spec is None else spec.origin
        return spec if place is not None and place.startswith(_folder(package)) else None

    @classmethod
    def begin(cls, finders: list[Any]) -> None:
        """Stand first among the finders of modules, once."""
        if not any(isinstance(finder, cls) for finder in finders):
            finders.insert(0, cls())

    @classmethod
    def end(cls, finders: list[Any]) -> None:
        """Stand there no more."""
        finders[:] = [finder for finder in finders if not isinstance(finder, cls)]


def _folder(package: str) -> str:
    """The folder of one of our packages: an author's own package of the same name is somewhere else."""
    return os.path.join(_HOME, package, "")


@contextmanager
def out_of_the_collectors_way() -> Iterator[Callable[[], None]]:
    """Hold collections back; the function given lets them go on, past what is there by then until the block ends.

    When the process ends, those are passed over that Python makes then: pytest has made its own, which report what was
    never closed, and no process is promised more (Python's reference, `object.__del__`). A process that manages its
    collector itself, by `gc.disable` or `gc.freeze`, is left alone.
    """
    ours = hasattr(gc, "freeze") and gc.isenabled() and not gc.get_freeze_count()
    if ours:
        gc.disable()

    def go_on() -> None:
        if ours:
            gc.freeze()
            gc.enable()

    try:
        yield go_on
    finally:
        if ours:
            gc.enable()
            gc.unfreeze()
            atexit.unregister(gc.freeze)  # once, however many sessions a process has
            atexit.register(gc.freeze)
