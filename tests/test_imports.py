"""The import law: which part may know of which, read from the sources and not from a convention."""

from __future__ import annotations

import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

from tests.sources import PACKAGES, ROOT, imports_of, module_name, python_files

LAYERS = (
    {"dataclass"},
    {"clock", "errors", "processors", "types", "table", "url"},
    {
        "crypto",
        "crypto_coincurve",
        "crypto_ed25519",
        "crypto_secp256k1",
        "crypto_btclib",
        "crypto_windows",
        "rules",
        "rejections",
    },
    {"machine"},
    {"host"},
    {"native", "nesting"},
    {"wasm"},
    {"devaccounts", "transaction", "receipt"},
    {"block", "frames", "identity"},
    {"execute"},
    {"archive", "heights", "spill", "estimate", "mempool", "genesis", "recovery", "snapshots", "tracing"},
    {"ahead", "founding"},
    {"builder"},
    {"chain"},
    {"docs", "process"},
    {"node"},
    {"cli"},
)
"""Modules and packages directly in `contractvm`, the lowest first: each imports its own layer and those below."""

ONLY_IN = {
    "plyvel": {"state.level"},
    "rocksdict": {"state.rocks"},
    "tiny_keccak": {"contractvm.crypto"},
    "coincurve": {"contractvm.crypto_coincurve"},
    "btclib_libsecp256k1": {"contractvm.crypto_btclib"},
    "Crypto": {"contractvm.crypto"},
}
"""Third-party packages that have one door."""

FRONT_ENDS = {
    "click": "contractvm.cli",
    "wasmtime": "sdk",
    "ziglang": "sdk",
    "eth_keyfile": "contractvm.cli",
    "IPython": "contractvm.cli",
    "pytest": "sdk",
    "uvicorn": "contractvm.node",
    "uvloop": "contractvm.node",
    "orjson": "contractvm.node",
    "jinja2": "contractvm.node",
    "markupsafe": "contractvm.node",
    "prometheus_client": "contractvm.node",
}
"""Third-party packages that only one part of the house uses."""

HEAVY = [
    "click",
    "eth_keyfile",
    "IPython",
    "uvicorn",
    "orjson",
    "jinja2",
    "wasmtime",
    "ziglang",
    "llvmlite",
    "pytest",
    "hypothesis",
    "plyvel",
    "rocksdict",
    "coincurve",
    "btclib_libsecp256k1",
    "Crypto",
    "tiny_keccak",
]


def layer(module: str) -> int:
    """Height of a `contractvm` module."""
    part = module.split(".")[1]
    for height, names in enumerate(LAYERS):
        if part in names:
            return height
    raise AssertionError(f"{module}: place {part!r} in LAYERS of {__file__}")


@cache
def every_import() -> list[tuple[str, str, str]]:
    """(importing module, imported module, where)."""
    return [
        (module_name(path), imported, f"{path.relative_to(ROOT)}:{line}")
        for path in python_files(*PACKAGES)
        for imported, line in imports_of(path)
    ]


def test_gas_and_state_import_nothing_of_ours() -> None:
    for importer, imported, where in every_import():
        top, wanted = importer.split(".")[0], imported.split(".")[0]
        if top in ("gas", "state"):
            assert wanted not in PACKAGES or wanted == top, f"{where}: {importer} imports {imported}"


def test_inside_contractvm_imports_point_down() -> None:
    for importer, imported, where in every_import():
        if importer.startswith("contractvm.") and imported.startswith("contractvm."):
            assert layer(imported) <= layer(importer), f"{where}: {importer} imports {imported}, which stands above it"
        if importer.startswith("contractvm.") and not importer.startswith(("contractvm.cli", "contractvm.node")):
            assert imported.split(".")[0] != "sdk", f"{where}: only the command line and the node may import the sdk"


def test_nobody_imports_the_command_line() -> None:
    for importer, imported, where in every_import():
        if imported.startswith("contractvm.cli"):
            assert importer.startswith("contractvm.cli"), f"{where}: {importer} imports the roof"


@pytest.mark.parametrize("library", ONLY_IN)
def test_a_backend_has_one_door(library: str) -> None:
    users = {importer for importer, imported, _ in every_import() if imported.split(".")[0] == library}
    assert users <= ONLY_IN[library]


@pytest.mark.parametrize("library", FRONT_ENDS)
def test_a_front_end_library_stays_in_its_part(library: str) -> None:
    for importer, imported, where in every_import():
        if imported.split(".")[0] == library:
            assert importer.startswith(FRONT_ENDS[library]), f"{where}: {importer} imports {library}"


def test_no_cycles() -> None:
    """Between modules, lazy imports included; an import of a name from a package counts as one of the package."""
    names = {module_name(path) for path in python_files(*PACKAGES)}
    graph: dict[str, set[str]] = {name: set() for name in names}
    for importer, imported, _ in every_import():
        if imported in names and imported != importer:
            graph[importer].add(imported)
    done: set[str] = set()
    for root in sorted(graph):
        path: list[str] = []
        stack: list[tuple[str, bool]] = [(root, False)]
        while stack:
            name, leaving = stack.pop()
            if leaving:
                path.pop()
                done.add(name)
            elif name not in done:
                assert name not in path, f"cycle: {' -> '.join([*path[path.index(name) :], name])}"
                path.append(name)
                stack.append((name, True))
                stack.extend((target, False) for target in sorted(graph[name]))


def test_importing_contractvm_is_light() -> None:
    """No extra, no backend, no front end: those are loaded by whoever needs them."""
    program = f"import contractvm, sys; print([m for m in {HEAVY!r} if m in sys.modules])"
    found = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"


def test_the_layers_name_what_exists() -> None:
    here = {p.stem for p in (ROOT / "contractvm").glob("*.py")} | {
        p.parent.name for p in (ROOT / "contractvm").glob("*/__init__.py")
    }
    placed = {name for names in LAYERS for name in names}
    assert not placed - here, f"LAYERS of {Path(__file__).name} names modules that are gone"
