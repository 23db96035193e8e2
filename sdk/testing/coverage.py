"""`--contract-coverage`: which lines of contracts in Python ran, and which way their tests went.

Contracts run on the reference tier, which tells of each instruction of the wasm that is deployed; the compiler's map
says whose it is. So a line counts when code of it ran, in whatever contract it came to be.
Source: LCOV, geninfo(1), "Tracefile format" (SF, DA, BRDA, LF, LH, BRF, BRH). Never: instruments code, or changes gas.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import field
from pathlib import Path
from typing import Any, TypeAlias

from contractvm.crypto import keccak256
from contractvm.dataclass import dataclass
from contractvm.host import Host
from contractvm.machine import Machine
from contractvm.rules import Rules
from contractvm.wasm.machine import WasmMachine
from sdk.compiler.back.debug import SourceMap, read_map
from sdk.testing.source import Source

Packed: TypeAlias = list[Any]
"""A file's coverage as JSON, for a worker to hand over."""


@dataclass(slots=True)
class FileCoverage:
    """Of one source: lines that have code, those that ran; tests by place, and whether they were true, false."""

    lines: set[int] = field(default_factory=set)
    hit: set[int] = field(default_factory=set)
    branches: dict[tuple[int, int, int], list[bool]] = field(default_factory=dict)
    """By line, column and end column."""

    def add(self, other: FileCoverage) -> None:
        """Take over what ran elsewhere."""
        self.lines |= other.lines
        self.hit |= other.hit
        for place, (true, false) in other.branches.items():
            mine = self.branches.setdefault(place, [False, False])
            mine[0], mine[1] = mine[0] or true, mine[1] or false

    @property
    def taken(self) -> int:
        """Ways of tests that were gone."""
        return sum(map(sum, self.branches.values()))

    @property
    def missed(self) -> list[int]:
        """Lines that have code and did not run."""
        return sorted(self.lines - self.hit)

    def pack(self) -> Packed:
        branches = [[*place, *ways] for place, ways in self.branches.items()]
        return [sorted(self.lines), sorted(self.hit), branches]

    @staticmethod
    def unpack(packed: Packed) -> FileCoverage:
        lines, hit, branches = packed
        return FileCoverage(set(lines), set(hit), {(a, b, c): [true, false] for a, b, c, true, false in branches})


class Coverage:
    """What ran of each contract; turned into lines when it is asked for."""

    def __init__(self) -> None:
        self._maps: dict[bytes, SourceMap] = {}
        self._ran: dict[bytes, set[int]] = {}
        self._ways: dict[bytes, set[tuple[int, bool]]] = {}

    def expect(self, source: Source) -> None:
        """Be told of a contract before it is deployed. Raises: Malformed for a map of another version."""
        code_hash = keccak256(source.code)
        if code_hash not in self._maps and source.debug and (found := read_map(source.debug)) is not None:
            self._maps[code_hash] = found
            self._ran[code_hash], self._ways[code_hash] = set(), set()

    def follows(self, code_hash: bytes) -> bool:
        """Whether there is a map of this code."""
        return code_hash in self._maps

    def recorder(self, code_hash: bytes) -> tuple[set[int], set[tuple[int, bool]]]:
        """Where to write down offsets that ran, and conditions of branches by offset."""
        return self._ran[code_hash], self._ways[code_hash]

    def files(self) -> dict[Path, FileCoverage]:
        """What ran, by source."""
        found: dict[Path, FileCoverage] = {}
        for code_hash, known in self._maps.items():
            for path, covered in _of_contract(known, self._ran[code_hash], self._ways[code_hash]).items():
                found.setdefault(path, FileCoverage()).add(covered)
        return {path: covered for path, covered in found.items() if covered.lines}


def _of_contract(known: SourceMap, ran: Iterable[int], ways: Iterable[tuple[int, bool]]) -> dict[Path, FileCoverage]:
    files = [FileCoverage() for _ in known.files]
    for file, line in known.lines():
        files[file].lines.add(line)
    for offset in ran:
        span = known.at(offset)
        if span is not None:
            files[span.file].hit.add(span.line)
    meanings = {branch.offset: branch for branch in known.branches}
    for branch in known.branches:
        files[branch.span.file].branches.setdefault(
            (branch.span.line, branch.span.column, branch.span.end_column), [False, False]
        )
    for offset, taken in ways:
        if (meant := meanings.get(offset)) is not None:
            place = meant.span.line, meant.span.column, meant.span.end_column
            files[meant.span.file].branches[place][0 if taken == meant.when else 1] = True
    return {path.resolve(): covered for path, covered in zip(known.files, files, strict=True)}


class Covering:
    """A machine that writes down what runs of the contracts that `coverage` has a map of; others run portably."""

    name = "wasm"

    def __init__(self, coverage: Coverage) -> None:
        self._coverage = coverage
        self._followed: Machine = WasmMachine("reference", trace=self._instruction)
        self._other: Machine = WasmMachine("portable", background=False)
        self._open: list[tuple[set[int], set[tuple[int, bool]]]] = []

    def accepts(self, code: bytes) -> bool:
        return self._other.accepts(code)

    def split(self, init: bytes) -> tuple[bytes, bytes]:
        """Raises: ModuleError."""
        return self._other.split(init)

    def check(self, code: bytes, rules: Rules) -> None:
        """Raises: ModuleError."""
        self._other.check(code, rules)

    def sees_gas(self, code: bytes, code_hash: bytes, rules: Rules) -> bool:
        return self._other.sees_gas(code, code_hash, rules)

    def run(self, code: bytes, code_hash: bytes, entry: str, host: Host) -> bytes:
        """Raises: Revert, Trap, OutOfGas."""
        if not self._coverage.follows(code_hash):
            return self._other.run(code, code_hash, entry, host)
        self._open.append(self._coverage.recorder(code_hash))
        try:
            return self._followed.run(code, code_hash, entry, host)
        finally:
            self._open.pop()

    def _instruction(
        self, function: int, offset: int, name: str, immediate: object, milligas: int, stack: list[Any]
    ) -> None:
        ran, ways = self._open[-1]
        ran.add(offset)
        if name in ("br_if", "if"):
            ways.add((offset, stack[-1] != 0))


def lcov(files: Mapping[Path, FileCoverage], root: Path) -> str:
    """A tracefile; paths under `root` are relative to it."""
    lines: list[str] = []
    for path, covered in sorted(files.items()):
        lines.append(f"SF:{shown(path, root)}")
        for number, (place, ways) in enumerate(sorted(covered.branches.items())):
            reached = place[0] in covered.hit
            lines += [
                f"BRDA:{place[0]},{number},{way},{int(gone) if reached else '-'}" for way, gone in enumerate(ways)
            ]
        lines += [f"BRF:{2 * len(covered.branches)}", f"BRH:{covered.taken}"]
        lines += [f"DA:{line},{int(line in covered.hit)}" for line in sorted(covered.lines)]
        lines += [f"LF:{len(covered.lines)}", f"LH:{len(covered.lines & covered.hit)}", "end_of_record"]
    return "".join(f"{line}\n" for line in lines)


def table(files: Mapping[Path, FileCoverage], root: Path) -> list[str]:
    """A line a source: lines and ways that ran, of how many, and lines that did not."""
    rows = [("source", "lines", "branches", "missing")]
    for path, covered in sorted(files.items()):
        lines, ways = len(covered.lines), 2 * len(covered.branches)
        half = [f"{place[0]}?" for place, (true, false) in sorted(covered.branches.items()) if true != false]
        missing = [*_ranges(covered.missed), *half]
        rows.append(
            (
                shown(path, root),
                _share(lines - len(covered.missed), lines),
                _share(covered.taken, ways),
                ", ".join(missing),
            )
        )
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, [*widths, 0], strict=True)).rstrip() for row in rows
    ]


def _share(part: int, whole: int) -> str:
    return f"{part}/{whole} {100 * part // whole} %" if whole else "none"


def _ranges(numbers: list[int]) -> list[str]:
    """`3-5, 8` for 3, 4, 5, 8."""
    found: list[list[int]] = []
    for number in numbers:
        if found and found[-1][1] == number - 1:
            found[-1][1] = number
        else:
            found.append([number, number])
    return [str(first) if first == last else f"{first}-{last}" for first, last in found]


def shown(path: Path, root: Path) -> str:
    """A path as people write it."""
    return path.relative_to(root).as_posix() if path.is_relative_to(root) else path.as_posix()
