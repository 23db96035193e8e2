"""`cvm_profile`: the gas of a transaction by function, by line of the source, and as stacks for flame graphs.

What no instruction used has names of its own: `intrinsic`, paid before anything runs; `entering`, for a frame's pages,
segments and cold code; `other`, for deposits and what is rounded up. Source: the folded form is flamegraph.pl's, in
whole gas. Never: counts; `profile` does.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from contractvm.errors import Place
from contractvm.execute import Executed
from contractvm.node.artifacts import Artifacts, Authored
from contractvm.node.profile import ENTERING, Key, Profiler, stacks, totals
from contractvm.node.replay import Subject
from contractvm.node.words import Document
from contractvm.tracing import Recorder, TooLong
from contractvm.types import MILLI
from sdk.places import Line

MOST_STEPS: Final = 1_000_000
"""Instructions that are counted; what comes after them is left out, and `truncated` says so."""
LISTED: Final = 2_000
"""Functions, lines and instructions that are listed, those that use the most."""
FOLDED_BYTES: Final = 8 << 20
NAMES: Final = 64
"""Functions of a stack that are named, the innermost ones."""


def profile(subject: Subject, artifacts: Artifacts, most: int | None = None) -> Document:
    """The whole answer, of the first `most` instructions, otherwise of `MOST_STEPS`."""
    profiler = Profiler(Authored(artifacts))
    truncated, bound = False, MOST_STEPS if most is None else most
    try:
        executed, _ = subject.run(Recorder(steps=profiler, most_steps=bound, most_events=0), reference=True)
    except TooLong:
        executed, _ = subject.run()
        truncated = True
    document = _parts(subject, executed, profiler)
    names = _Names(artifacts)
    document["functions"] = [
        {**names.document(key), "gas": gas(total.own), "gasWithCalls": gas(total.whole), "calls": total.calls}
        for key, total in sorted(totals(profiler.root).items(), key=lambda item: -item[1].own)[:LISTED]
    ]
    document |= _places(profiler, names)
    document["folded"] = _folded(profiler, names)
    if truncated:
        document["truncated"] = True
    return document


def gas(milligas: int) -> str:
    """Gas with three decimals, as text: sums of it are exact."""
    whole, rest = divmod(milligas, MILLI)
    return f"{whole}.{rest:03d}" if rest else str(whole)


def _parts(subject: Subject, executed: Executed, profiler: Profiler) -> Document:
    intrinsic = subject.intrinsic
    counted = {key: total.own for key, total in totals(profiler.root).items()}
    entering = sum(own for key, own in counted.items() if key[1] == ENTERING)
    running = sum(counted.values()) - entering
    return {
        "status": executed.status.name.lower(),
        "gasUsed": executed.gas_used,
        "gasRefund": executed.gas_spent - executed.gas_used,
        "parts": {
            "intrinsic": str(intrinsic),
            "entering": gas(entering),
            "running": gas(running),
            "other": gas((executed.gas_spent - intrinsic) * MILLI - entering - running),
        },
    }


class _Names:
    """What functions are called: `Token.transfer`."""

    def __init__(self, artifacts: Artifacts) -> None:
        self._artifacts = artifacts
        self._names: dict[Key, str] = {}

    def contract(self, code_hash: bytes) -> str:
        """A build's name, else the beginning of the code's hash."""
        known = self._artifacts.get(code_hash)
        return known.name if known is not None else f"0x{code_hash[:4].hex()}"

    def function(self, key: Key) -> str:
        """A function's name within its contract."""
        code_hash, index = key
        if index == ENTERING:
            return "(entering)"
        known = self._artifacts.get(code_hash)
        return known.map.function(index) if known is not None else f"function {index}"

    def whole(self, key: Key) -> str:
        """Both, with nothing in it that divides stacks."""
        found = self._names.get(key)
        if found is None:
            contract, function = f"{self.contract(key[0])}.", self.function(key)
            found = function if function.startswith(contract) else contract + function
            found = self._names[key] = found.replace(";", ",")
        return found

    def document(self, key: Key) -> Document:
        return {
            "contract": self.contract(key[0]),
            "codeHash": "0x" + key[0].hex(),
            "function": self.function(key),
            "functionIndex": None if key[1] == ENTERING else key[1],
        }

    def file(self, code_hash: bytes, file: Path) -> str:
        known = self._artifacts.get(code_hash)
        return file.name if known is None else known.shown_file(file)

    def line(self, code_hash: bytes, function: int, offset: int) -> Line | None:
        known = self._artifacts.get(code_hash)
        return None if known is None else known.map.line(Place(offset, function))


def _places(profiler: Profiler, names: _Names) -> Document:
    """Lines of sources, and instructions of what has no line."""
    lines: dict[tuple[bytes, str, int], tuple[Line, list[int]]] = {}
    offsets = []
    for (code_hash, function, offset), (used, runs) in profiler.offsets.items():
        line = names.line(code_hash, function, offset)
        if line is None:
            offsets.append(((code_hash, function), offset, used, runs))
            continue
        _, counted = lines.setdefault((code_hash, str(line.file), line.number), (line, [0, 0]))
        counted[0] += used
        counted[1] = max(counted[1], runs)
    return {
        "lines": [
            {
                "contract": names.contract(key[0]),
                "file": names.file(key[0], line.file),
                "line": key[2],
                "code": line.text,
                "gas": gas(used),
                "runs": runs,
            }
            for key, (line, (used, runs)) in sorted(lines.items(), key=lambda item: -item[1][1][0])[:LISTED]
        ],
        "instructions": [
            {**names.document(key), "offset": offset, "gas": gas(used), "runs": runs}
            for key, offset, used, runs in sorted(offsets, key=lambda item: -item[2])[:LISTED]
        ],
    }


def _folded(profiler: Profiler, names: _Names) -> str:
    """`Pair.swap;Token.transfer 1234`, a line a stack that used whole gas."""
    lines = []
    left = FOLDED_BYTES
    for path, leaving in stacks(profiler.root):
        used = path[-1].gas // MILLI
        if leaving or not used:
            continue
        shown = [names.whole(node.key) for node in path[-NAMES:]]
        line = f"{';'.join(shown if len(path) <= NAMES else ['...', *shown])} {used}"
        left -= len(line)
        if left < 0:
            break
        lines.append(line)
    return "\n".join(lines)
