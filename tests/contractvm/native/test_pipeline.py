"""IR text to objects: every level makes running code with described frames; bad text is an error, not a crash."""

from __future__ import annotations

import ctypes
import subprocess
import sys

import pytest

from tests.contractvm.native.generators import ADD, BUFFER

pytest.importorskip("llvmlite", reason="llvmlite is not installed: pip install 'contractvm[native]'")

from contractvm.native import loader, pipeline
from contractvm.native.pipeline import DEFAULT, LEVELS, PipelineError, emit
from contractvm.native.stacksize import frame_sizes

STRIDED = """
define i64 @strided(ptr %base, i64 %count) uwtable {
entry:
  br label %loop
loop:
  %i = phi i64 [0, %entry], [%next, %loop]
  %sum = phi i64 [0, %entry], [%both, %loop]
  %offset = mul i64 %i, 24
  %here = getelementptr i8, ptr %base, i64 %offset
  %near = load i64, ptr %here
  %beyond = getelementptr i8, ptr %here, i64 808
  %far = load i64, ptr %beyond
  %one = add i64 %sum, %near
  %both = add i64 %one, %far
  %next = add i64 %i, 1
  %more = icmp ult i64 %next, %count
  br i1 %more, label %loop, label %out
out:
  ret i64 %both
}
"""

needs_loader = pytest.mark.skipif(not loader.supported(), reason=str(loader.why_not()))


@needs_loader
@pytest.mark.parametrize("level", LEVELS)
def test_every_level_makes_running_code(level: str) -> None:
    loaded = loader.load(emit(ADD + STRIDED, level))
    word = ctypes.c_uint64
    add = ctypes.CFUNCTYPE(word, word, word)(loaded.symbols["add"])
    assert add(2**64 - 1, 44) == 43
    strided = ctypes.CFUNCTYPE(word, ctypes.c_void_p, word)(loaded.symbols["strided"])
    words = (word * 256)(*range(256))
    assert strided(ctypes.addressof(words), 20) == sum(3 * i + 3 * i + 101 for i in range(20))


@pytest.mark.parametrize("level", LEVELS)
def test_every_level_describes_its_frames(level: str) -> None:
    sizes = frame_sizes(emit(ADD + BUFFER, level))
    assert sizes["add"] < 64
    assert 4096 < sizes["wide"] < 4096 + 256


@pytest.mark.parametrize("level", LEVELS)
def test_the_same_text_gives_the_same_object(level: str) -> None:
    first = emit(STRIDED, level)
    for other in LEVELS:  # a level leaves nothing behind that another could feel
        emit(STRIDED, other)
    assert emit(STRIDED, level) == first


def test_a_level_s_switches_reach_the_code_generator_and_no_other_level(monkeypatch: pytest.MonkeyPatch) -> None:
    usual, reduced = pipeline.Level(1), pipeline.Level(1, switches={"disable-lsr": "false"})
    monkeypatch.setattr(pipeline, "LEVELS", {"usual": usual, "reduced": reduced})
    first = emit(STRIDED, "usual")
    assert emit(STRIDED, "reduced") != first
    assert emit(STRIDED, "usual") == first


@pytest.mark.parametrize("switch", pipeline.SWITCHES)
def test_llvm_knows_every_switch(switch: str) -> None:
    program = f"from llvmlite import binding; binding.set_option('it', '-{switch}=neither')"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert f"-{switch} option" in done.stderr


def test_every_stage_is_timed() -> None:
    seconds: dict[str, float] = {}
    emit(ADD, DEFAULT, seconds)
    assert list(seconds) == ["parse", "optimise", "emit"]
    assert all(spent > 0 for spent in seconds.values())


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("define i32 @f( {", "expected type"),
        ("define i32 @f() {\n ret i64 0\n}", "doesn't match function result type"),
        ("define i32 @f() {\n %a = add i32 %b, 1\n %b = add i32 %a, 1\n ret i32 %b\n}", "does not dominate"),
        ("define i32 @f() {\n ret i32 %nobody\n}", "undefined value"),
        (ADD + "\0" + ADD, "NUL"),
        ("é", "expected top-level entity"),
    ],
)
def test_bad_text_is_an_error_with_llvm_s_words(text: str, said: str) -> None:
    with pytest.raises(PipelineError, match=said):
        emit(text)
    emit(ADD)  # and nothing is broken by it


def test_an_unknown_level_is_named_with_those_there_are() -> None:
    with pytest.raises(ValueError, match=r"no level 'heavy'; there are: draft, light"):
        emit(ADD, "heavy")


def test_the_text_s_own_target_is_overruled() -> None:
    assert emit('target triple = "aarch64-unknown-none"\n' + ADD) == emit(ADD)


def test_the_target_is_told() -> None:
    version, triple, processor = pipeline.target()
    assert int(version.split(".")[0]) >= 15
    assert "linux" in triple
    assert processor
