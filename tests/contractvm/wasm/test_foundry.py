"""Where compiled modules come from: the cache, the worker, what is remembered; and that a process leaves in peace."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from contractvm.native.cache import ObjectCache
from contractvm.native.compiler import CompileFailed, Compiler, Job, Overrun, Refused, Result, Unavailable
from contractvm.native.elf import BadObject
from contractvm.native.loader import NoExecutableMemory
from contractvm.rules import Rules, contract_rules
from contractvm.wasm import foundry as module
from contractvm.wasm.compiled import Compiled
from contractvm.wasm.contract import accept
from contractvm.wasm.foundry import KEPT_DIGESTS, Foundry, foundry, generator_digest, payload, payload_of
from contractvm.wasm.mapped import NativeCode
from tests.contractvm.wasm.foundries import CODE, DECLINES, Shop, frame
from tests.sources import ROOT, imports_of
from tests.tiers import NATIVE, missing

pytestmark = pytest.mark.skipif(missing(NATIVE) is not None, reason=str(missing(NATIVE)))

RULES = contract_rules()
LONG = 60.0


def compiled(code: bytes = CODE, rules: Rules = RULES) -> Compiled:
    return accept(code, rules).compiled


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    made = Shop(tmp_path / "cache")
    yield made
    made.told.close()


def again(shop: Shop) -> Shop:
    """What another process would have."""
    assert shop.cache.root is not None
    return Shop(shop.cache.root)


def test_what_the_worker_is_told_comes_back_whole() -> None:
    code, rules = payload_of(payload(CODE, RULES))
    assert code == CODE
    assert (rules.digest, rules.limits, rules.contract) == (RULES.digest, RULES.limits, RULES.contract)


class TestMake:
    def test_once_compiled_found_by_all(self, shop: Shop) -> None:
        first = compiled()
        assert shop.find(first) is None and first.native is None
        made = shop.make(first)
        assert isinstance(made, NativeCode) and first.native is made
        assert shop.make(first) is made and shop.find(first) is made
        other = again(shop)
        found = other.find(compiled())
        assert found is not None and found.size == made.size
        other.make(compiled())
        assert (shop.told.tries, other.told.tries, other.told.worker) == (1, 0, None)

    def test_other_rules_and_other_code_are_other_objects(self, shop: Shop) -> None:
        shop.make(compiled())
        prices = dict(RULES.schedule.prices)
        dearer = replace(RULES.schedule, prices=prices, digest=bytes(32))
        assert shop.find(compiled(rules=replace(RULES, schedule=dearer))) is None
        assert shop.find(compiled(CODE + b"\0\2\1x")) is None
        assert shop.find(compiled()) is not None

    def test_a_hash_that_is_known_is_the_name(self, shop: Shop) -> None:
        shop.make(compiled(), b"\1" * 32)
        assert again(shop).find(compiled(), b"\1" * 32) is not None
        assert again(shop).find(compiled(), b"\2" * 32) is None

    def test_a_refusal_is_remembered(self, shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("contractvm.wasm.foundry.GENERATOR", DECLINES)
        with pytest.raises(Refused, match="not for this machine") as first:
            shop.make(compiled())
        for known in (shop, again(shop)):
            for ask in (known.make, known.find):
                with pytest.raises(Refused) as refusal:
                    ask(compiled())
                assert refusal.value.reason == first.value.reason
        assert shop.told.tries == 1

    def test_an_overrun_is_a_refusal_from_then_on(self, shop: Shop) -> None:
        shop.told.problem = Overrun(0.25)
        with pytest.raises(Refused, match=r"more than 0\.25 s"):
            shop.make(compiled())
        shop.told.problem = None
        with pytest.raises(Refused, match=r"more than 0\.25 s"):
            again(shop).make(compiled())

    def test_the_real_deadline_makes_an_overrun(self, tmp_path: Path) -> None:
        hurried = Foundry(ObjectCache(tmp_path / "cache"), Compiler(deadline=0.0))
        with pytest.raises(Refused, match="more than 0 s"):
            hurried.make(compiled())
        hurried.compiler.close()
        assert [entry.refusal is not None for entry in hurried.cache.entries()] == [True]

    @pytest.mark.parametrize("problem", [CompileFailed("killed"), Unavailable("no worker")])
    def test_a_compiler_that_broke_says_nothing_about_the_code(self, shop: Shop, problem: CompileFailed) -> None:
        shop.told.problem = problem
        with pytest.raises(type(problem)):
            shop.make(compiled())
        shop.told.problem = None
        assert shop.make(compiled()).size

    @pytest.mark.parametrize("content", [b"", b"junk", b"\x7fELF" + bytes(100)])
    def test_an_object_that_cannot_be_loaded_is_made_again(self, shop: Shop, content: bytes) -> None:
        shop.make(compiled())
        (entry,) = shop.cache.entries()
        shop.cache.put(entry.key, content)
        assert again(shop).find(compiled()) is None and not shop.cache.entries()
        shop.cache.put(entry.key, content)
        assert again(shop).make(compiled()).size
        assert again(shop).find(compiled()) is not None

    def test_what_the_compiler_made_wrong_is_its_failure_and_not_kept(
        self, shop: Shop, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(shop.told, "compile", lambda job: b"junk")
        with pytest.raises(CompileFailed, match="cannot be loaded"):
            shop.make(compiled())
        assert not shop.cache.entries()

    def test_without_a_cache_every_process_compiles(self, tmp_path: Path) -> None:
        folder = tmp_path / "cache"
        folder.mkdir(mode=0o777)
        folder.chmod(0o777)
        for _ in range(2):
            made = Shop(folder)
            assert made.make(compiled()).size and made.told.tries == 1
            assert made.cache.problem is not None


class TestOrder:
    def test_it_comes_when_it_is_ready(self, tmp_path: Path) -> None:
        real = Foundry(ObjectCache(tmp_path / "cache"), Compiler())
        ordered = compiled()
        real.order(ordered, b"\1" * 32)
        end = time.monotonic() + LONG
        while ordered.native is None:
            assert time.monotonic() < end
            time.sleep(0.01)
        assert real.find(compiled(), b"\1" * 32) is not None
        real.compiler.close()

    @pytest.mark.parametrize("problem", [Refused("no"), Overrun(0.25)])
    def test_a_refusal_is_kept(self, shop: Shop, problem: Refused | Overrun) -> None:
        shop.told.problem = problem
        shop.order(compiled(), b"\1" * 32)
        shop.told.work()
        with pytest.raises(Refused, match=str(problem)):
            again(shop).find(compiled(), b"\1" * 32)

    @pytest.mark.parametrize("problem", [BadObject("torn"), NoExecutableMemory("none")])
    def test_what_cannot_be_loaded_is_nobodys_error(
        self, shop: Shop, monkeypatch: pytest.MonkeyPatch, problem: Exception
    ) -> None:
        """It happens on the compiler's thread, where nobody would hear it."""

        def fail(*_: object) -> None:
            raise problem

        ordered = compiled()
        shop.order(ordered, b"\1" * 32)
        ((job, done),) = shop.told.orders
        data = shop.told.compile(job)
        monkeypatch.setattr(module, "NativeCode", fail)
        assert done is not None
        done(Result(job, data))
        assert ordered.native is None
        assert len(shop.cache.entries()) == isinstance(problem, NoExecutableMemory)

    def test_a_closed_compiler_is_no_error(self, tmp_path: Path) -> None:
        closed = Foundry(ObjectCache(tmp_path / "cache"), Compiler())
        closed.compiler.close()
        closed.order(compiled(), b"\1" * 32)
        with pytest.raises(Unavailable, match="closed"):
            closed.make(compiled())
        assert not closed.cache.entries()


def test_few_rules_are_kept(tmp_path: Path) -> None:
    """Each set is let go when enough others came after it."""
    made = Foundry(ObjectCache(tmp_path / "cache"), Compiler())
    keys = {made._key(compiled(rules=replace(RULES, name=str(n))), b"\1" * 32) for n in range(40)}
    assert len(keys) == 40 and len(made._digests) == KEPT_DIGESTS


def test_one_a_process() -> None:
    assert foundry() is foundry()


CHANGES_NO_OBJECT = {
    "contractvm.host.accounts": "runs beside compiled code, called by it",
    "contractvm.host.arithmetic": "runs beside compiled code, called by it",
    "contractvm.host.calls": "runs beside compiled code, called by it",
    "contractvm.host.context": "runs beside compiled code; what is compiled of it is said in `native.reading`",
    "contractvm.host.frame": "runs beside compiled code",
    "contractvm.host.hashing": "runs beside compiled code, called by it",
    "contractvm.host.storage": "runs beside compiled code, called by it",
    "contractvm.native.protocol": "carries them",
    "contractvm.native.translation": "two fields",
    "contractvm.wasm.beginning": "what instances start with",
    "contractvm.wasm.contract": "what makes a module a contract: instances, not code",
    "contractvm.wasm.externs": "the size of a page, which the specification fixes",
    "contractvm.wasm.instance": "what runs beside compiled code, called by name",
    "contractvm.wasm.interpreter": "runs beside compiled code, after a trap",
    "contractvm.wasm.names": "for people",
    "contractvm.wasm.numeric": "the meanings of instructions, which the specification fixes",
}


def test_the_digest_covers_what_makes_objects(monkeypatch: pytest.MonkeyPatch) -> None:
    """A module that the generator starts to import is named in `generator_digest`, or here with a reason."""
    covered: list[Path] = []

    def kept(files: list[Path]) -> bytes:
        covered.extend(files)
        return b""

    monkeypatch.setattr(module, "sources_digest", kept)
    generator_digest.__wrapped__()
    assert len(covered) == len(set(covered)) and all(path.is_file() for path in covered)
    folders = {ROOT / "contractvm" / name: f"contractvm.{name}" for name in ("wasm", "native", "host")}
    names = {f"{folders[path.parent]}.{path.stem}" for path in covered}
    for path in covered:
        if path.stem == "foundry":
            continue
        for imported, line in imports_of(path):
            package, _, _ = imported.rpartition(".")
            if package in folders.values() and (ROOT / imported.replace(".", "/")).with_suffix(".py").is_file():
                assert imported in names or imported in CHANGES_NO_OBJECT, f"{path}:{line} imports {imported}"


def gone(pid: int) -> bool:
    """Whether a process has ended."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except (FileNotFoundError, ProcessLookupError):
        return True


@pytest.mark.parametrize("options", [(), ("-X", "dev", "-W", "error")], ids=["plain", "dev"])
@pytest.mark.parametrize(("tier", "seconds"), [("native", 0), ("auto", 0), ("auto", 0.1), ("auto", 0.3), ("auto", 2)])
def test_a_process_leaves_in_peace(tmp_path: Path, options: tuple[str, ...], tier: str, seconds: float) -> None:
    """Whatever the worker is doing at that moment: status 0, nothing on standard error, no worker left behind."""
    command = [sys.executable, *options, "-m", "tests.contractvm.wasm.leaves", tier, str(seconds)]
    done = subprocess.run(
        command,
        cwd=ROOT,
        env={**os.environ, "CONTRACTVM_CACHE": str(tmp_path / "cache")},
        capture_output=True,
        text=True,
        check=False,
        timeout=LONG,
    )
    assert (done.returncode, done.stderr) == (0, "")
    answer, _, worker = done.stdout.strip().rpartition(" ")
    assert answer == str(frame_on_reference())
    end = time.monotonic() + LONG
    while int(worker) and not gone(int(worker)):
        assert time.monotonic() < end
        time.sleep(0.01)


def frame_on_reference() -> object:
    from contractvm.wasm.machine import WasmMachine

    return frame(WasmMachine("reference"))[0]


def test_threads_may_want_the_same_at_once(shop: Shop) -> None:
    wanted = [compiled() for _ in range(4)]
    threads = [threading.Thread(target=shop.make, args=(each,)) for each in wanted]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(LONG)
    assert all(each.native is not None for each in wanted)
    assert len(shop.cache.entries()) == 1
    assert shop.told.worker is not None
    shop.told.close()
    assert shop.told.worker is None


def test_a_job_names_the_generator() -> None:
    job = Foundry()._job(compiled())
    assert job == Job(module.GENERATOR, payload(CODE, RULES))
