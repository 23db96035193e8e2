"""Where a transaction's gas goes, counted as it runs: by function as it was called from others, and by instruction.

Every instruction's gas is counted to the milligas where it runs: host calls with what they do, a call of another
contract without what that one uses, which counts there. Entering a frame (pages, segments, cold code) counts apart.
Never: samples, or keeps more than some bounds; see `MOST_NODES`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from contractvm.host import Host
from contractvm.node.remaining import Remaining
from contractvm.tracing import Follows, Frame

MOST_NODES: Final = 50_000
"""Stacks of functions that are told apart; what is called beyond them counts for its caller."""
ENTERING: Final = -1
"""Stands for a function where a frame is being entered."""
Key = tuple[bytes, int]
"""A function: code hash and index."""
Place = tuple[int, int]
"""An instruction: its function and byte."""


@dataclass(slots=True)
class Node:
    """A function as it was called from some stack of others. `gas` is its own, in milligas."""

    key: Key
    children: dict[Key, Node] = field(default_factory=dict)
    gas: int = 0
    calls: int = 0


@dataclass(slots=True)
class _Open:
    """A contract's frame that runs: where it was called from, its functions, and its last instruction.

    An activation of a function is known by its operands: each has a list of its own.
    """

    base: Node
    start: int
    left: int
    nodes: list[Node] = field(default_factory=list)
    stacks: list[list[Any]] = field(default_factory=list)
    places: list[Place] = field(default_factory=list)
    """What each activation's instructions count for."""
    levels: dict[int, int] = field(default_factory=dict)
    """Where an activation stands in `stacks`, by its list's identity."""
    last: Place | None = None
    """What the last instruction counts for."""
    itself: bool = False
    """Whether that is the instruction's own place."""
    below: int = 0
    """Milligas that frames below used since it began."""


class Profiler:
    """Counts; told by a `Recorder`.

    An instruction that is not followed counts for the one before it, in a function without any for the caller's: so
    what a line of a source has the runtime do is the line's.
    """

    def __init__(self, follows: Follows) -> None:
        self._follows = follows
        self.root = Node((b"", ENTERING))
        self.offsets: dict[tuple[bytes, int, int], list[int]] = {}
        """Milligas and runs by code hash, function and byte."""
        self._made = 0
        self._remaining = Remaining()
        self._open: list[_Open] = []

    def opened(self, frame: Frame, code: bytes, host: Host) -> None:
        self._remaining.expect(frame.code_hash, code, host.rules)
        outer = self._open[-1] if self._open else None
        base = self.root if outer is None else outer.nodes[-1] if outer.nodes else outer.base
        self._open.append(_Open(base, host.meter.left, host.meter.left))

    def step(
        self, frame: Frame, function: int, offset: int, name: str, immediate: object, milligas: int, stack: list[Any]
    ) -> None:
        state = self._open[-1]
        left = self._remaining.before(frame.code_hash, function, offset, milligas)
        self._spent(state, frame.code_hash, left)
        if not state.stacks or state.stacks[-1] is not stack:
            self._move(state, (frame.code_hash, function), stack, (function, offset))
        state.itself = self._follows(frame.code_hash, offset)
        if state.itself:
            state.places[-1] = function, offset
        state.last = state.places[-1]

    def read(self, frame: Frame, key: bytes, value: bytes) -> None:
        """Reading is no instruction of its own."""

    def closed(self, frame: Frame, milligas: int) -> None:
        state = self._open.pop()
        self._spent(state, frame.code_hash, milligas)
        if self._open:
            self._open[-1].below += state.start - milligas

    def _spent(self, state: _Open, code_hash: bytes, left: int) -> None:
        """Count what was used since the frame's last instruction began."""
        used = state.left - left - state.below
        state.left, state.below = left, 0
        if state.last is None:
            self._child(state.base, (code_hash, ENTERING)).gas += used
            return
        state.nodes[-1].gas += used
        counted = self.offsets.setdefault((code_hash, *state.last), [0, 0])
        counted[0] += used
        counted[1] += state.itself

    def _move(self, state: _Open, key: Key, stack: list[Any], place: Place) -> None:
        """A function was called, or one has returned."""
        level = state.levels.get(id(stack))
        if level is not None:
            for gone in state.stacks[level + 1 :]:
                del state.levels[id(gone)]
            del state.stacks[level + 1 :], state.nodes[level + 1 :], state.places[level + 1 :]
            return
        state.levels[id(stack)] = len(state.stacks)
        state.stacks.append(stack)
        state.places.append(state.places[-1] if state.places else place)
        state.nodes.append(self._child(state.nodes[-1] if state.nodes else state.base, key))

    def _child(self, above: Node, key: Key) -> Node:
        found = above.children.get(key)
        if found is None:
            if self._made >= MOST_NODES:
                return above
            self._made += 1
            found = above.children[key] = Node(key)
        found.calls += 1
        return found


@dataclass(slots=True)
class Total:
    """A function, wherever it was called from: milligas of its own, and with what it called."""

    own: int = 0
    whole: int = 0
    calls: int = 0


def stacks(root: Node) -> Iterator[tuple[list[Node], bool]]:
    """Every node with those above it, the outermost first: when it is come to, and again when it is left."""
    path: list[Node] = []
    waiting: list[Node | None] = list(root.children.values())
    while waiting:
        node = waiting.pop()
        if node is None:
            yield path, True
            path.pop()
            continue
        path.append(node)
        yield path, False
        waiting.append(None)
        waiting += node.children.values()


def totals(root: Node) -> dict[Key, Total]:
    """Every function's gas. One that calls itself counts once for what it does so."""
    found: dict[Key, Total] = {}
    whole: list[int] = []
    active: dict[Key, int] = {}
    for path, left in stacks(root):
        node = path[-1]
        total = found.setdefault(node.key, Total())
        if not left:
            total.own += node.gas
            total.calls += node.calls
            active[node.key] = active.get(node.key, 0) + 1
            whole.append(node.gas)
            continue
        active[node.key] -= 1
        below = whole.pop()
        if not active[node.key]:
            total.whole += below
        if whole:
            whole[-1] += below
    return found
