"""The policy: what is compiled and when, that nobody sees the change of tier but the clock, and what failure costs."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from contractvm.chain import Chain
from contractvm.clock import Clock
from contractvm.devaccounts import dev_accounts
from contractvm.errors import ContractVMError, TrapCode
from contractvm.genesis import Genesis
from contractvm.native import compiler, loader
from contractvm.native.cache import OBJECT, ObjectCache
from contractvm.native.compiler import CompileFailed, Compiler, Overrun, Refused, Unavailable
from contractvm.native.loader import NoExecutableMemory
from contractvm.rules import contract_rules
from contractvm.transaction import Transaction
from contractvm.types import Address
from contractvm.wasm import choice, runner
from contractvm.wasm.foundry import Foundry
from contractvm.wasm.machine import WasmMachine
from state.store import MemoryStore
from tests.contractvm.host.rig import RULES
from tests.contractvm.wasm.foundries import ANSWER, CODE, DECLINES, FOREVER, REVERT, TRAP, Shop, data, frame
from tests.tiers import HERE, NATIVE, missing

native_only = pytest.mark.skipif(missing(NATIVE) is not None, reason=str(missing(NATIVE)))
EXPECTED = frame(WasmMachine("reference"))
LONG = 60.0


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Shop]:
    """The process's foundry, with an empty cache and a compiler that waits for `work`."""
    yield from opened(tmp_path / "cache", monkeypatch)


def opened(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Shop]:
    made = Shop(folder)
    monkeypatch.setattr(choice, "foundry", lambda: made)
    yield made
    made.compiler.close()


@pytest.fixture
def natively(monkeypatch: pytest.MonkeyPatch) -> Callable[[], int]:
    """How many frames ran on the native tier since it was last asked."""
    ran = []
    run = runner.Native.run

    def counted(self: runner.Native, index: int, weight: int) -> bytes:
        ran.append(1)
        return run(self, index, weight)

    def count() -> int:
        found = len(ran)
        ran.clear()
        return found

    monkeypatch.setattr(runner.Native, "run", counted)
    return count


Told = list[tuple[bytes, ContractVMError]]


def telling(told: Told, tier: str = NATIVE) -> WasmMachine:
    return WasmMachine(tier, fell_back=lambda code_hash, problem: told.append((code_hash, problem)))


@native_only
class TestAuto:
    def test_a_deployment_orders_and_the_next_frame_after_it_is_native(
        self, shop: Shop, natively: Callable[[], int]
    ) -> None:
        machine = WasmMachine()
        machine.check(CODE, RULES)
        assert len(shop.told.orders) == 1
        assert frame(machine) == EXPECTED
        machine.check(CODE, RULES)
        assert len(shop.told.orders) == 1 and natively() == 0
        shop.told.work()
        assert frame(machine) == EXPECTED
        assert (natively(), shop.told.tries, shop.told.orders) == (1, 1, [])

    def test_heat_orders(self, shop: Shop, natively: Callable[[], int], monkeypatch: pytest.MonkeyPatch) -> None:
        machine = WasmMachine()
        rounds = data(50_000)
        portable = WasmMachine("portable")
        loop = _left(frame(portable, input_=data(0))) - _left(frame(portable, input_=rounds))
        monkeypatch.setattr(choice, "HOT", 3 * loop)
        frame(machine, input_=rounds)
        frame(machine, input_=rounds)
        assert not shop.told.orders
        frame(machine, input_=rounds)
        assert len(shop.told.orders) == 1
        for _ in range(4):
            frame(machine, input_=rounds)
        assert len(shop.told.orders) == 1 and natively() == 0
        shop.told.work()
        assert frame(machine) == EXPECTED and natively() == 1

    def test_a_frame_that_fails_heats_too(self, shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(choice, "HOT", 900_000_000)
        frame(WasmMachine(), input_=data(end=FOREVER), gas=1_000_001)
        assert len(shop.told.orders) == 1

    def test_what_another_process_compiled_is_found(
        self, shop: Shop, natively: Callable[[], int], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """At the first frame; and again when a compilation is about to be ordered."""
        monkeypatch.setattr(choice, "HOT", 1)
        late = WasmMachine(background=False)
        late._choice.background = False
        frame(late)
        machine = WasmMachine()
        frame(machine)
        assert len(shop.told.orders) == 1
        shop.told.work()
        assert frame(WasmMachine()) == EXPECTED and natively() == 1
        late._choice.background = True
        frame(late)
        assert not shop.told.orders and natively() == 0
        assert frame(late) == EXPECTED and natively() == 1
        assert shop.told.tries == 1

    def test_without_background_nothing_is_compiled_and_what_is_there_is_used(
        self, shop: Shop, natively: Callable[[], int], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(choice, "HOT", 1)
        quiet = WasmMachine(background=False)
        quiet.check(CODE, RULES)
        assert frame(quiet) == EXPECTED
        assert not shop.told.orders and shop.told.worker is None and natively() == 0
        WasmMachine("native").check(CODE, RULES)
        later = WasmMachine(background=False)
        assert frame(later) == EXPECTED and natively() == 1

    def test_without_background_no_process_and_no_thread_is_started(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        real = Foundry(ObjectCache(tmp_path / "cache"), Compiler())
        monkeypatch.setattr(choice, "foundry", lambda: real)
        monkeypatch.setattr(choice, "HOT", 1)
        before = threading.active_count()
        machine = WasmMachine(background=False)
        machine.check(CODE, RULES)
        for _ in range(3):
            assert frame(machine) == EXPECTED
        assert real.compiler.worker is None and threading.active_count() == before
        assert not real.cache.entries()

    @pytest.mark.parametrize("remembered", [True, False])
    def test_what_cannot_be_compiled_stays_portable_and_is_not_tried_again(
        self, shop: Shop, natively: Callable[[], int], monkeypatch: pytest.MonkeyPatch, remembered: bool
    ) -> None:
        """What is the code's fault no other process tries either; a compiler that broke may be mended."""
        monkeypatch.setattr(choice, "HOT", 1)
        shop.told.problem = Overrun(0.25) if remembered else CompileFailed("killed")
        machine = WasmMachine()
        machine.check(CODE, RULES)
        shop.told.work()
        for _ in range(3):
            assert frame(machine) == EXPECTED
        assert not shop.told.orders and natively() == 0
        refusals = [entry.refusal for entry in shop.cache.entries()]
        assert refusals == (["compilation took more than 0.25 s and was ended"] if remembered else [])
        assert shop.cache.root is not None
        for other in opened(shop.cache.root, monkeypatch):
            machine = WasmMachine()
            machine.check(CODE, RULES)
            assert frame(machine) == EXPECTED
            assert len(other.told.orders) == (0 if remembered else 1)

    def test_a_refusal_is_remembered_on_disk(
        self, shop: Shop, natively: Callable[[], int], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("contractvm.wasm.foundry.GENERATOR", DECLINES)
        expected = frame(WasmMachine("reference"))
        for orders in (1, 0):
            machine = WasmMachine()
            machine.check(CODE, RULES)
            assert len(shop.told.orders) == orders
            shop.told.work()
            assert frame(machine) == expected
        assert natively() == 0 and shop.told.tries == 1
        (entry,) = shop.cache.entries()
        assert entry.refusal is not None and "not for this machine" in entry.refusal

    def test_no_memory_for_code(self, shop: Shop, natively: Callable[[], int], monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("contractvm.wasm.mapped.load", _no_memory)
        monkeypatch.setattr(choice, "HOT", 1)
        for _ in range(2):  # the second time with an object in the cache
            machine = WasmMachine()
            machine.check(CODE, RULES)
            shop.told.work()
            assert frame(machine) == EXPECTED and frame(machine) == EXPECTED
        assert natively() == 0 and shop.told.tries == 1 and not shop.told.orders

    def test_a_compiler_that_works_meanwhile(
        self, tmp_path: Path, natively: Callable[[], int], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The real one: frames run while it does, and at some moment they are native."""
        real = Foundry(ObjectCache(tmp_path / "cache"), Compiler())
        monkeypatch.setattr(choice, "foundry", lambda: real)
        machine = WasmMachine()
        machine.check(CODE, RULES)
        end = time.monotonic() + LONG
        while not natively():
            assert frame(machine) == EXPECTED
            assert time.monotonic() < end
        real.compiler.close()
        assert frame(machine) == EXPECTED and natively() == 1


@native_only
class TestNativeTier:
    def test_it_waits(self, shop: Shop, natively: Callable[[], int]) -> None:
        told: Told = []
        assert frame(telling(told)) == EXPECTED
        assert (natively(), shop.told.tries, told) == (1, 1, [])

    def test_a_deployment_waits_too(self, shop: Shop) -> None:
        WasmMachine("native").check(CODE, RULES)
        assert shop.told.tries == 1 and len(shop.cache.entries()) == 1

    @pytest.mark.parametrize(
        "problem",
        [Refused("no"), Overrun(0.25), CompileFailed("killed"), Unavailable("no worker"), NoExecutableMemory("none")],
        ids=lambda problem: type(problem).__name__,
    )
    def test_what_cannot_be_had_runs_portably_and_is_told_once(
        self, shop: Shop, natively: Callable[[], int], problem: ContractVMError
    ) -> None:
        shop.told.problem = problem
        told: Told = []
        machine = telling(told)
        for _ in range(3):
            assert frame(machine) == EXPECTED
        assert natively() == 0 and shop.told.tries == 1
        assert [str(what) for _, what in told] == [str(problem)]

    def test_an_interrupted_wait_is_no_answer(self, shop: Shop, natively: Callable[[], int]) -> None:
        machine = WasmMachine("native")
        shop.told.problem = KeyboardInterrupt()
        with pytest.raises(KeyboardInterrupt):
            frame(machine)
        shop.told.problem = None
        assert frame(machine) == EXPECTED and natively() == 1

    @pytest.mark.parametrize("content", [None, b"junk", b"\x7fELF" + bytes(200)])
    @pytest.mark.parametrize("tier", ["native", "auto"])
    def test_a_corrupt_object_is_made_again(
        self, shop: Shop, natively: Callable[[], int], tier: str, content: bytes | None
    ) -> None:
        """Whether the file is torn (None) or holds, with the right digest, what is no object."""
        WasmMachine("native").check(CODE, RULES)
        (entry,) = shop.cache.entries()
        assert shop.cache.folder is not None
        if content is None:
            path = shop.cache.folder / (entry.key.hex() + OBJECT)
            path.write_bytes(path.read_bytes()[:-1] + b"?")
        else:
            shop.cache.put(entry.key, content)
        machine = WasmMachine(tier)
        machine.check(CODE, RULES)
        if tier == "auto":
            assert frame(machine) == EXPECTED and natively() == 0
        shop.told.work()
        assert frame(machine) == EXPECTED and natively() == 1
        assert shop.told.tries == 2
        assert frame(WasmMachine(background=False)) == EXPECTED and natively() == 1


class TestWithoutLlvmlite:
    @pytest.fixture(autouse=True)
    def gone(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(compiler, "find_spec", lambda name: None)

    def test_everything_works(self, shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(choice, "HOT", 1)
        machine = WasmMachine()
        machine.check(CODE, RULES)
        for _ in range(2):
            assert frame(machine) == EXPECTED
        assert not shop.told.orders and not shop.cache.entries()

    @pytest.mark.skipif(loader.why_not() is not None, reason=str(loader.why_not()))
    def test_the_native_tier_names_the_way_out(self) -> None:
        with pytest.raises(Unavailable, match=r"llvmlite is not installed: pip install 'contractvm\[native\]'"):
            WasmMachine("native")


@dataclass(frozen=True, slots=True)
class Block:
    """What a transaction left."""

    root: bytes
    ok: bool
    gas_used: int
    output: bytes
    logs: tuple[object, ...]
    trap: object


WAYS = (ANSWER, TRAP, ANSWER, REVERT, FOREVER, ANSWER, TRAP, ANSWER, REVERT, FOREVER)


def history(machine: WasmMachine, before: Callable[[int], None] = lambda number: None) -> list[Block]:
    """A deployment and a transaction for each way to end, each in a block of its own; `before` is told its number."""
    sender = dev_accounts()[0].address
    blocks = []
    with Chain(MemoryStore(), Genesis(), rules=contract_rules(), machines=[machine], clock=Clock(lambda: 0)) as chain:
        to: Address | None = None
        for number, (rounds, way) in enumerate(zip(range(len(WAYS) + 1), (ANSWER, *WAYS), strict=True)):
            before(number)
            tx = Transaction(
                nonce=chain.next_nonce(sender),
                max_fee=chain.next_base_fee,
                max_tip=0,
                gas_limit=400_000,
                to=to,
                data=CODE if to is None else data(rounds, way),
                chain_id=chain.chain_id,
            ).impersonate(sender)
            digest = chain.submit(tx)
            chain.produce()
            receipt = chain.receipt(digest)
            assert receipt is not None
            to = to or receipt.created
            left = (
                receipt.ok,
                receipt.gas_used,
                receipt.output,
                tuple(receipt.logs),
                receipt.trap and str(receipt.trap),
            )
            blocks.append(Block(chain.head.state_root, *left))
    return blocks


@pytest.fixture(scope="module")
def law() -> list[Block]:
    """The same on the reference tier."""
    found = history(WasmMachine("reference"))
    assert [block.ok for block in found] == [True, *(way == ANSWER for way in WAYS)]
    assert str(TrapCode.UNREACHABLE) in str(found[2].trap)
    return found


@pytest.mark.parametrize("tier", [tier for tier in HERE if tier != "reference"])
def test_tiers_make_the_same_chain(shop: Shop, law: list[Block], tier: str) -> None:
    assert history(WasmMachine(tier)) == law


@native_only
@pytest.mark.parametrize("switch", [1, 2, 5, 6, len(WAYS)])
def test_a_switch_is_not_to_be_seen(shop: Shop, law: list[Block], natively: Callable[[], int], switch: int) -> None:
    def work(number: int) -> None:
        if number == switch:
            assert natively() == 0 and len(shop.told.orders) == 1
            shop.told.work()

    assert history(WasmMachine(), work) == law
    assert natively() == len(WAYS) + 1 - switch


def _left(ended: tuple[object, ...]) -> int:
    left = ended[1]
    assert isinstance(left, int)
    return left


def _no_memory(*_: object) -> None:
    raise NoExecutableMemory("the system gives no memory for code")
