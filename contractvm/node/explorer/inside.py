"""What happened inside a transaction, for pages: calls with arguments, answers, changes, events, gas and places.

The transaction is run once more by `replay`, whose frames are told here in words. Never: keeps a trace, or shows one
whose gas was not the receipt's.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from contractvm.errors import Place
from contractvm.execute import Executed
from contractvm.machine import Kind, Status
from contractvm.node import replay
from contractvm.node.artifacts import Known
from contractvm.node.explorer import decoded
from contractvm.node.explorer.decoded import Item, Told
from contractvm.node.explorer.highlight import Line, lines_of
from contractvm.node.explorer.lens import Lens
from contractvm.node.explorer.slots import Slot, change_of
from contractvm.node.replay import Subject
from contractvm.node.telling import Teller
from contractvm.node.telling import culprit as passed_on
from contractvm.tracing import Emitted, Frame, Recorder, TooLong, Write
from contractvm.types import Hash
from sdk.abi import ABIError, Constructor, Function, explain
from sdk.abi import decode as abi_decode
from sdk.interface import Interface

SHOWN: Final = 1_500
"""Calls, changes and events that one page shows."""
AROUND: Final = 3
"""Lines of a source shown before and after the one that matters."""
DEEPEST: Final = 64
"""Calls within calls that one page shows."""
QUICK: Final = 300_000
"""Instructions up to which a failure is followed to its line without being asked to."""


@dataclass(frozen=True, slots=True)
class Spot:
    """A place in code. `line` is 0 where there is no source; `anchor` leads into the page of the source."""

    text: str
    code: str = ""
    file: str = ""
    line: int = 0
    anchor: str = ""


@dataclass(slots=True)
class Step:
    """A change of storage, an event, or a call with steps of its own."""

    kind: str
    spot: Spot | None = None
    address: bytes = b""
    slot: Slot | None = None
    told: Told | None = None
    frame: Frame | None = None
    number: int = 0
    title: str = ""
    answer: tuple[Item, ...] = ()
    failure: str = ""
    stopped: Spot | None = None
    steps: list[Step] = field(default_factory=list)
    raw: bytes = b""
    topics: tuple[bytes, ...] = ()


@dataclass(slots=True)
class Part:
    """A function of a contract, with the gas that its calls used themselves."""

    title: str
    address: bytes
    calls: int = 0
    gas: int = 0


@dataclass(slots=True)
class Inside:
    """A transaction that was looked into; `left_out` counts what is not shown."""

    root: Step | None
    parts: list[Part]
    gas_spent: int
    refund: int
    placed: bool
    cut: bool
    left_out: int = 0


def look(lens: Lens, digest: bytes, most: int) -> Inside:
    """Run a mined transaction once more and tell it. Raises: Fault, HeightError."""
    subject = replay.mined(lens.chain, Hash(digest))
    return Telling(lens).tell(subject, most)


class Telling:
    """Tells the frames of one transaction."""

    def __init__(self, lens: Lens) -> None:
        self._lens = lens
        self._teller = Teller(lens.node.artifacts)
        self._left = SHOWN
        self._over = 0
        self._calls = 0

    def tell(self, subject: Subject, most: int) -> Inside:
        """Run and tell."""
        recorder, executed, placed = self._follow(subject, most)
        root = self._call(recorder.roots[0], None, 0) if recorder.roots else None
        refund = executed.gas_spent - executed.gas_used
        return Inside(root, self._parts(recorder), executed.gas_spent, refund, placed, recorder.cut, self._over)

    def _follow(self, subject: Subject, most: int) -> tuple[Recorder, Executed, bool]:
        """Record it with places, or without where it has more instructions than `most`; whether with them."""
        recorder = Recorder(self._teller.authored, most_steps=most)
        try:
            executed, _ = subject.run(recorder, reference=True)
        except TooLong:
            recorder = Recorder()
            executed, _ = subject.run(recorder)
            return recorder, executed, False
        return recorder, executed, True

    def _parts(self, recorder: Recorder) -> list[Part]:
        """What each function used itself, the most first."""
        parts: dict[tuple[str, bytes], Part] = {}
        for frame in recorder.frames:
            _, title = self._asked(frame, self._known(frame))
            part = parts.setdefault((title, frame.address), Part(title, frame.address))
            part.calls += 1
            part.gas += own_gas(frame)
        return sorted(parts.values(), key=lambda part: -part.gas)

    def _known(self, frame: Frame) -> Known | None:
        return self._lens.known_code(frame.code_hash) if frame.code_hash else None

    def _call(self, frame: Frame, parent: Frame | None, depth: int) -> Step:
        known = self._known(frame)
        step = Step("call", address=frame.address, frame=frame, number=self._calls)
        self._calls += 1
        step.spot = self._spot(parent, frame.place) if parent is not None else None
        step.told, step.title = self._asked(frame, known)
        for event in frame.events:
            if self._left <= 0 or (depth >= DEEPEST and isinstance(event, Frame)):
                self._over += 1
                continue
            self._left -= 1
            step.steps.append(self._step(frame, event, depth))
        step.failure = self._failure(frame, known)
        step.stopped = self._spot(frame, frame.stopped) if step.failure else None
        step.answer = self._answer(frame, step.told, known)
        return step

    def _step(self, frame: Frame, event: Frame | Write | Emitted, depth: int) -> Step:
        if isinstance(event, Frame):
            return self._call(event, frame, depth + 1)
        spot = self._spot(frame, event.place)
        known = self._known(frame)
        if isinstance(event, Write):
            slot = change_of(known, event.key, event.before, event.after)
            return Step("write", spot, event.address, slot)
        log = event.log
        told = decoded.event(known.interface, log) if known is not None else self._lens.event(log)
        return Step("event", spot, log.address, told=told, raw=log.data, topics=log.topics)

    def _asked(self, frame: Frame, known: Known | None) -> tuple[Told | None, str]:
        """What a call asked for, and a word for it."""
        interface = known.interface if known is not None else Interface()
        if frame.creates:
            return _made_with(frame, interface), "create2" if frame.kind is Kind.CREATE2 else "create"
        told = decoded.call(interface, frame.input) if known is not None else None
        if told is None and frame.code_hash and known is None:
            told = self._lens.call(frame.code_address, frame.input)
        if told is not None:
            return told, told.name
        return None, "0x" + frame.input[:4].hex() if frame.input else "receive" if frame.code_hash else "pay"

    def _answer(self, frame: Frame, told: Told | None, known: Known | None) -> tuple[Item, ...]:
        if frame.status is not Status.OK or told is None or frame.creates or not frame.output:
            return ()
        if known is not None:
            function = decoded.function_of(known.interface, frame.input)
        else:
            function = Function.parse(told.signature)
        return (decoded.output(function, frame.output) or ()) if function is not None else ()

    def _failure(self, frame: Frame, known: Known | None) -> str:
        if frame.status is Status.OK:
            return ""
        if frame.status is Status.REVERT:
            errors = (*(known.interface.errors if known else ()), *self._lens.node.known_errors())
            reason = explain(frame.output, errors).text
            return reason if reason.startswith("reverted") else f"reverted: {reason}"
        words = frame.status.name.lower().replace("_", " ")
        return f"trapped: {frame.detail}" if frame.status is Status.TRAP else f"{words} {frame.detail}".strip()

    def _spot(self, frame: Frame | None, place: Place | None) -> Spot | None:
        """A place in the code of a frame."""
        known = self._known(frame) if frame is not None else None
        if known is None or place is None or place.function is None:
            return None
        line = known.map.line(place)
        if line is None:
            return Spot(known.map.tell(place))
        files = list(known.sources)
        anchor = f"F{files.index(str(line.file))}L{line.number}" if str(line.file) in files else ""
        return Spot(f"{line.file.name}:{line.number}", line.text, str(line.file), line.number, anchor)


def own_gas(frame: Frame) -> int:
    """Gas that a call used without those it made."""
    return frame.gas_used - sum(event.gas_used for event in frame.events if isinstance(event, Frame))


def _made_with(frame: Frame, interface: Interface) -> Told | None:
    if not interface.constructor:
        return None
    constructor = Constructor.parse(interface.constructor)
    try:
        values = abi_decode(constructor.types, frame.arguments)
    except ABIError:
        return None
    return Told("constructor", constructor.declaration, decoded.items_of(constructor.inputs, values))


@dataclass(frozen=True, slots=True)
class Excerpt:
    """The line that a failure is at, with those around it."""

    step: Step
    spot: Spot
    lines: tuple[tuple[int, Line], ...]


def culprit(lens: Lens, inside: Inside) -> Excerpt | None:
    """Where a transaction's failure began: the innermost call that failed last, if its source is known."""
    step = inside.root
    while step is not None and step.frame is not None:
        deeper = passed_on(step.frame)
        inner = next((each for each in step.steps if deeper is not None and each.frame is deeper), None)
        if inner is None:
            break
        step = inner
    if step is None or step.frame is None or step.stopped is None or not step.stopped.line:
        return None
    known = lens.known_code(step.frame.code_hash)
    text = known.sources.get(step.stopped.file, "") if known is not None else ""
    first = max(step.stopped.line - AROUND, 1)
    lines = enumerate(lines_of(step.stopped.file, text)[first - 1 : step.stopped.line + AROUND], first)
    return Excerpt(step, step.stopped, tuple(lines))
