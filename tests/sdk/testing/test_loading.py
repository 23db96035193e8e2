"""How the engine comes into a test's process: which modules the finder answers for, and what the collector is told."""

from __future__ import annotations

import gc
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from sdk.testing.loading import AsItIs, out_of_the_collectors_way

ROOT = Path(__file__).parents[3]


def test_modules_of_others_are_not_ours_to_find(tmp_path: Path) -> None:
    (tmp_path / "gas").mkdir()
    (tmp_path / "gas" / "__init__.py").write_text("")
    (tmp_path / "gas" / "prices.py").write_text("")
    finder = AsItIs()
    assert finder.find_spec("gas.prices", [str(tmp_path / "gas")]) is None
    assert finder.find_spec("json.decoder", None) is None
    assert finder.find_spec("contractvm.test_it", [str(ROOT / "contractvm")]) is None
    assert finder.find_spec("contractvm.chain", [str(ROOT / "contractvm")]) is not None


def test_the_finder_stands_there_once() -> None:
    finders: list[object] = ["others"]
    AsItIs.begin(finders)
    AsItIs.begin(finders)
    assert [type(one) for one in finders] == [AsItIs, str]
    AsItIs.end(finders)
    assert finders == ["others"]


@pytest.fixture
def untouched() -> Iterator[None]:
    """A collector as a process starts with; the plugin that runs this very test may have frozen what was there."""
    frozen = gc.get_freeze_count()
    gc.unfreeze()
    yield
    gc.enable()
    if frozen:
        gc.freeze()


@pytest.mark.usefixtures("untouched")
def test_what_was_loaded_is_passed_over_until_the_end() -> None:
    with out_of_the_collectors_way() as go_on:
        assert not gc.isenabled()
        go_on()
        assert gc.isenabled()
        assert gc.get_freeze_count() > 0
    assert gc.isenabled()
    assert gc.get_freeze_count() == 0


@pytest.mark.usefixtures("untouched")
def test_an_error_leaves_the_collector_as_it_was() -> None:
    with pytest.raises(ValueError, match="no chain"), out_of_the_collectors_way():
        raise ValueError("no chain")
    assert gc.isenabled()


@pytest.mark.usefixtures("untouched")
def test_a_process_that_has_its_own_way_is_left_alone() -> None:
    gc.disable()
    with out_of_the_collectors_way() as go_on:
        go_on()
        assert not gc.isenabled()
    assert not gc.isenabled()
    gc.enable()
    gc.freeze()
    with out_of_the_collectors_way() as go_on:
        assert gc.isenabled()
        go_on()
    assert gc.get_freeze_count() > 0
    gc.unfreeze()


def test_the_end_of_the_process_is_not_spent_on_collecting() -> None:
    program = """
import atexit, gc
atexit.register(lambda: print(gc.get_freeze_count() > 0))
from sdk.testing.loading import out_of_the_collectors_way
with out_of_the_collectors_way() as go_on:
    go_on()
print(gc.get_freeze_count())
"""
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["0", "True"]
