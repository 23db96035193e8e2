"""The project's promises about its own files: sizes, docstrings, no floats, live links, one version."""

from __future__ import annotations

import ast
import re
import subprocess
import tomllib
from pathlib import Path

import pytest

import contractvm
from tests.sources import PACKAGES, ROOT, parse, python_files

LONGEST_MODULE = 450
MAY_BE_LONG = {
    "sdk/compiler/tree.py": "classes of nodes alone, whose types name one another: apart they would be a cycle",
}
AROUND = {"cli", "node"}
"""Parts of contractvm that show and serve what was worked out elsewhere."""
CONSENSUS = [p for p in python_files("contractvm", "gas", "state") if not AROUND & set(p.relative_to(ROOT).parts)]
"""Everything whose answer may reach a result, a root or a gas figure."""

MAY_DIVIDE = {
    "gas/schedule.py": "joins paths",
    "state/directory.py": "joins paths",
    "state/seal.py": "joins paths",
    "contractvm/docs.py": "joins paths",
    "contractvm/__init__.py": "joins paths",
    "contractvm/native/cache.py": "joins paths",
    "contractvm/native/child.py": "seconds from clock ticks",
    "contractvm/native/protocol.py": "seconds from nanoseconds",
    "contractvm/native/identity.py": "joins paths",
    "contractvm/wasm/foundry.py": "joins paths",
}
MAY_USE_FLOATS = {
    "contractvm/nesting.py": "how long to wait for a thread that is being interrupted",
    "contractvm/clock.py": "the type of a clock; a timestamp is its whole seconds",
    "contractvm/native/child.py": "deadlines of a compilation, which decide on a tier and never on an outcome",
    "contractvm/native/compiler.py": "deadlines of a compilation, which decide on a tier and never on an outcome",
    "contractvm/native/pipeline.py": "seconds that a compilation took, for reports",
    "contractvm/native/protocol.py": "seconds that a compilation took, for reports",
    "contractvm/native/worker.py": "seconds that a compilation took, for reports",
}
MAY_USE_IDENTITY = {
    "state/dataclass.py": "what the hash of a fact is: no result depends on it",
    "contractvm/host/facts.py": "an object's address, where compiled code reads the bytes",
    "contractvm/wasm/foundry.py": "names an entry of a cache that keeps the object",
    "contractvm/wasm/native.py": "an object's address, which compiled code calls it by",
    "contractvm/wasm/mapped.py": "an object's address, which compiled code calls it by",
    "contractvm/wasm/instance.py": "names an entry of a cache that keeps the object",
    "contractvm/wasm/machine.py": "names an entry of a cache that keeps the object",
    "contractvm/wasm/runner.py": "names an entry of a cache that keeps the object",
}
MAY_CATCH_EVERYTHING = {
    "state/rocks.py": "rocksdict raises nothing more precise",
    "contractvm/node/dispatch.py": "a request that meets a bug of ours is answered, and ends nobody else's",
    "contractvm/node/feed.py": "a listener that fails is logged, and the others are told",
    "contractvm/node/miner.py": "whoever waits for a block is told why there is none",
}
FORBIDDEN = {"math", "random", "time", "datetime", "secrets", "uuid", "statistics", "decimal", "fractions"}
MAY_USE_CLOCKS: dict[str, str] = {
    "contractvm/clock.py": "the timestamp of a block nobody gave one; it is part of the block from then on",
    "contractvm/native/child.py": "deadlines of a compilation",
    "contractvm/native/compiler.py": "deadlines of a compilation",
    "contractvm/native/pipeline.py": "seconds that a compilation took",
    "contractvm/native/worker.py": "seconds that a compilation took",
}
DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")), *sorted((ROOT / "contracts").rglob("*.md"))]


def relative(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("path", python_files(*PACKAGES, "tests", "contracts"), ids=relative)
def test_a_module_is_short_and_says_what_it_is(path: Path) -> None:
    lines = path.read_text(encoding="utf-8").count("\n")
    assert lines <= LONGEST_MODULE or relative(path) in MAY_BE_LONG, f"{relative(path)} has {lines} lines"
    if lines:
        assert ast.get_docstring(parse(path)), f"{relative(path)} opens without a docstring"
    assert path.stem not in ("utils", "helpers", "misc"), f"{relative(path)}: name the idea"


@pytest.mark.parametrize("path", CONSENSUS, ids=relative)
def test_no_float_can_reach_a_result(path: Path) -> None:
    name = relative(path)
    for node in ast.walk(parse(path)):
        where = f"{name}:{getattr(node, 'lineno', 0)}"
        if name not in MAY_USE_FLOATS:
            assert not (isinstance(node, ast.Constant) and isinstance(node.value, float | complex)), f"{where}: a float"
            assert not (isinstance(node, ast.Name) and node.id == "float"), f"{where}: float"
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div):
            assert name in MAY_DIVIDE, f"{where}: `/` makes floats; use `//`, or say in MAY_DIVIDE why not"
        if isinstance(node, ast.Import | ast.ImportFrom) and name not in MAY_USE_CLOCKS:
            modules = (
                {a.name.split(".")[0] for a in node.names}
                if isinstance(node, ast.Import)
                else {str(node.module).split(".")[0]}
            )
            assert not modules & FORBIDDEN, f"{where}: {modules & FORBIDDEN} is not deterministic"
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and name not in MAY_USE_IDENTITY:
            assert node.func.id not in ("hash", "id"), f"{where}: {node.func.id}() differs between processes"


@pytest.mark.parametrize("path", python_files(*PACKAGES), ids=relative)
def test_errors_are_caught_by_name(path: Path) -> None:
    name = relative(path)
    for node in ast.walk(parse(path)):
        assert not isinstance(node, ast.Assert), f"{name}:{node.lineno}: assert is no check of input"
        if isinstance(node, ast.ExceptHandler) and "cli" not in path.parts and name not in MAY_CATCH_EVERYTHING:
            assert node.type is not None, f"{name}:{node.lineno}: bare except"
            caught = ast.unparse(node.type)
            assert caught != "Exception", f"{name}:{node.lineno}: except Exception"


@pytest.mark.parametrize("path", DOCUMENTS, ids=relative)
def test_links_in_documents_lead_somewhere(path: Path) -> None:
    text = re.sub(r"^```.*?^```", "", path.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", text):
        if "://" not in target:
            assert (path.parent / target).exists(), f"{relative(path)} links to {target}"


def test_commands_named_in_the_readme_exist() -> None:
    from contractvm.cli.app import COMMANDS

    text = (ROOT / "README.md").read_text(encoding="utf-8")
    for command in re.findall(r"^\s*(?:\$ )?contractvm ([a-z]+)", text, re.MULTILINE):
        assert command in COMMANDS
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    for target in re.findall(r"^\s*(?:\$ )?make ([a-z-]+)", text, re.MULTILINE):
        assert target in targets


def test_one_version() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["version"] == contractvm.__version__
    assert f"## {contractvm.__version__}" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


def test_exemptions_name_files_that_exist() -> None:
    for name in (*MAY_DIVIDE, *MAY_USE_FLOATS, *MAY_USE_CLOCKS, *MAY_USE_IDENTITY, *MAY_CATCH_EVERYTHING):
        assert (ROOT / name).exists(), f"{name} is gone; take it out of the exemptions"


def test_nothing_names_the_machine_it_was_written_on() -> None:
    """Tracked text holds no home directory and no temporary path of whoever wrote it."""
    try:
        listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError) as error:
        pytest.skip(f"not a git checkout: {error}")
    for name in listed.decode().split("\0"):
        path = ROOT / name
        if name and path.is_file() and path.suffix in {".py", ".md", ".toml", ".c", ".h", ".wat", ""}:
            text = path.read_text(encoding="utf-8", errors="replace")
            found = re.search(r"(?<![\w.])/(?:home|root|Users)/\w+", text)
            assert not found, f"{name}: {found[0] if found else ''}"
