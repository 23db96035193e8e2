"""How long an author waits for the compiler: the longest contract of `contracts/`, and one of three hundred lines.

Those in `contracts/` are short on purpose, so the long one is put together from several: each file's own names and each
contract's members get a prefix, and one class gets all members; its constructor does what theirs do. Comments are not
kept. A cold compilation is a process's first and includes importing the compiler, whose bytecode is there.
Never: asserts; the target stands beside the figures.
"""

from __future__ import annotations

import ast
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from statistics import median
from textwrap import indent
from time import perf_counter

from sdk.compiler import compile_file
from tests.bench.compile import BenchError
from tests.bench.report import Row

ROOT = Path(__file__).parents[2]
CONTRACTS = ROOT / "contracts"
LONGEST = CONTRACTS / "governor" / "governor.py"
NAMES = ("multisig/multisig.py", "names/names.py", "exchange/exchange.py", "token/token.py")
PARTS = [CONTRACTS / name for name in NAMES]
REPEATS = 7
COLD = """
from time import perf_counter
start = perf_counter()
from sdk.compiler import compile_file
compile_file({path!r})
print(perf_counter() - start)
"""
NAME = "Everything"
_DECLARATIONS = (ast.ClassDef, ast.AnnAssign, ast.FunctionDef)
_KEPT = ("__init__", "receive")
"""Names that mean something to the language."""


def rows() -> Iterator[Row]:
    """Measure. Raises: BenchError, or CompileError when what was put together is no contract any more."""
    with tempfile.TemporaryDirectory() as folder:
        long = Path(folder) / "everything.py"
        long.write_text(together(PARTS))
        for path, target in ((LONGEST, None), (long, "< 0.3 s")):
            lines = len(path.read_text().splitlines())
            yield Row(f"compiling {lines} lines of Python", _warm(path), "s", target=target)
            yield Row(f"compiling {lines} lines of Python, cold", _cold(path, Path(folder)), "s", target=target)


def _warm(path: Path) -> float:
    def once() -> float:
        start = perf_counter()
        compile_file(path)
        return perf_counter() - start

    once()
    return median(once() for _ in range(REPEATS))


def _cold(path: Path, folder: Path) -> float:
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    environment |= {"PYTHONPATH": str(ROOT), "PYTHONPYCACHEPREFIX": str(folder / "bytecode")}
    command = [sys.executable, "-c", COLD.format(path=str(path))]
    runs = [
        subprocess.run(command, env=environment, capture_output=True, text=True, check=True) for _ in range(REPEATS + 1)
    ]
    return median(float(done.stdout) for done in runs[1:])


class _Apart(ast.NodeTransformer):
    """Puts a prefix before the names that a file gives to what is its own."""

    def __init__(self, prefix: str, names: frozenset[str], members: frozenset[str]) -> None:
        self._prefix = prefix
        self._names = names
        self._members = members

    def visit_Name(self, node: ast.Name) -> ast.Name:
        if node.id in self._names:
            node.id = self._prefix + node.id
        return node

    def visit_arg(self, node: ast.arg) -> ast.arg:
        if node.annotation is not None:
            node.annotation = self.visit(node.annotation)
        if node.arg in self._names:
            node.arg = self._prefix + node.arg
        return node

    def visit_Attribute(self, node: ast.Attribute) -> ast.Attribute:
        self.generic_visit(node)
        if isinstance(node.value, ast.Name) and node.value.id == "self" and node.attr in self._members:
            node.attr = self._prefix + node.attr
        return node


def together(paths: Iterable[Path]) -> str:
    """The source of one contract with everything that the last class of each file does. Raises: BenchError."""
    above: list[ast.stmt] = []
    fields: list[ast.stmt] = []
    functions: list[ast.stmt] = []
    parameters, first = ["self"], list[ast.stmt]()
    for number, path in enumerate(paths):
        prefix = f"{path.stem[0]}{number}_"
        *others, contract = [each for each in ast.parse(path.read_text()).body if isinstance(each, _DECLARATIONS)]
        if not isinstance(contract, ast.ClassDef):
            raise BenchError(f"{path}: the last declaration is no contract")
        names = frozenset(map(_name, others))
        members = frozenset(map(_name, contract.body)) - {*_KEPT, ""}
        apart = _Apart(prefix, names, members)
        above += [_named(each, prefix, names, apart) for each in others]
        for each in contract.body:
            if isinstance(each, ast.FunctionDef) and each.name == "__init__":
                given = frozenset(argument.arg for argument in each.args.args[1:])
                whole = _Apart(prefix, names | given, members).visit(each)
                parameters += [ast.unparse(argument) for argument in whole.args.args[1:]]
                first += whole.body
            elif isinstance(each, ast.FunctionDef | ast.AnnAssign):
                kind = fields if isinstance(each, ast.AnnAssign) else functions
                kind.append(_named(each, prefix, members, apart))
    constructor = f"def __init__({', '.join(parameters)}) -> None:\n{_indented(first)}"
    body = [*map(ast.unparse, fields), constructor, *map(ast.unparse, functions)]
    text = ["from sdk import *", *map(ast.unparse, above), f"class {NAME}(Contract):", indent("\n".join(body), " " * 4)]
    return "\n".join(text) + "\n"


def _indented(statements: Iterable[ast.stmt]) -> str:
    return indent("\n".join(map(ast.unparse, statements)), " " * 4)


def _named(declared: ast.stmt, prefix: str, names: frozenset[str], apart: _Apart) -> ast.stmt:
    """A declaration with the prefix before its own name, if that is one of these, and before all that it mentions."""
    changed: ast.stmt = apart.visit(declared)
    if isinstance(changed, ast.ClassDef | ast.FunctionDef):
        changed.name = prefix * (changed.name in names) + changed.name
    elif isinstance(changed, ast.AnnAssign) and isinstance(changed.target, ast.Name) and changed.target.id in names:
        changed.target.id = prefix + changed.target.id
    return changed


def _name(declared: ast.stmt) -> str:
    """What a declaration names; "" for text."""
    if isinstance(declared, ast.ClassDef | ast.FunctionDef):
        return declared.name
    return declared.target.id if isinstance(declared, ast.AnnAssign) and isinstance(declared.target, ast.Name) else ""
