"""Builds small modules by hand, byte by byte, for the tests of decoding and validation."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from contractvm.rules import Limits, Rules, bare_rules
from contractvm.wasm.decode import MAGIC, VERSION
from contractvm.wasm.encode import section, sized, unsigned, vector
from tests.spec.pack import Command, Pack, default_pack

HEADER = MAGIC + VERSION
NO_TYPE = section(1, vector([b"\x60\x00\x00"]))


def body(code: bytes, locals_: bytes = b"\x00") -> bytes:
    """A function body with its size; `code` without the final `end`."""
    return sized(locals_ + code + b"\x0b")


def one_function(
    code: bytes, params: bytes = b"", results: bytes = b"", locals_: bytes = b"\x00", between: bytes = b""
) -> bytes:
    """A module of one function; `between` holds the sections from table to data count."""
    types = section(1, vector([b"\x60" + sized(params) + sized(results)]))
    functions = section(3, b"\x01\x00")
    return HEADER + types + functions + between + section(10, vector([body(code, locals_)]))


def name_section(names: dict[int, str]) -> bytes:
    """A name section with function names only."""
    entries = vector([unsigned(index) + sized(text.encode()) for index, text in names.items()])
    return section(0, sized(b"name") + b"\x01" + sized(entries))


def bare_with(**limits: int) -> Rules:
    """The bare engine's rules with other limits."""
    rules = bare_rules()
    return replace(rules, limits=replace(rules.limits, **limits))


def default_limits() -> Rules:
    """The bare engine with a contract's limits."""
    return replace(bare_rules(), limits=Limits())


def pack_commands(*kinds: str) -> Iterator[tuple[Command, bytes]]:
    """The commands of these kinds of the WebAssembly pack that name a binary module, with its bytes."""
    path = default_pack()
    if not path.exists():
        pytest.skip(f"{path} is missing: set CONTRACTVM_VECTORS to the folder of the vectors")
    with Pack(path) as pack:
        for script in pack.scripts:
            for command in pack.commands(script):
                name = command.filename
                if command.kind in kinds and name is not None and name.endswith(".wasm"):
                    yield command, pack.file(script, name)
