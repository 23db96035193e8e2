"""From source to the bytes to deploy: what they look like, that they never change, and how mistakes are told."""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from contractvm.rules import bare_rules, contract_rules
from contractvm.wasm.decode import decode
from contractvm.wasm.machine import WasmMachine
from sdk import clang, envelope, toolchain
from sdk.build import Artifact, build, compile_module
from sdk.errors import BuildError, ToolMissing
from tests.sdk.conftest import SOURCES

Write = Callable[[str], Path]
EMPTY = '#include <cvm_abi.h>\nCVM_EXPORT("call") void call(void) {}\n'
EMPTY_WAT = '(module (memory (export "memory") 1) (func $main (export "call")))'


def test_a_contract_begins_with_its_length(numbers: Artifact) -> None:
    code = numbers.code
    assert code[:8] == envelope.HEADER
    assert code[8:18] == b"\0\x08\x03cvm" + len(code).to_bytes(4, "little")
    assert WasmMachine().split(code + b"arguments") == (code, b"arguments")


def test_names_are_in_the_debug_file_alone(numbers: Artifact) -> None:
    assert numbers.debug.startswith(numbers.code)
    assert [custom.name for custom in decode(numbers.code, bare_rules()).customs] == ["cvm"]
    assert "call" in decode(numbers.debug, bare_rules()).names.values()
    assert b"cvm_swap64" in numbers.debug
    assert b"cvm_swap64" not in numbers.code
    WasmMachine().check(numbers.code, contract_rules())


def test_a_source_declares_its_interface(numbers: Artifact) -> None:
    assert numbers.interface.functions[0] == "add(uint256,uint256)(uint256)"
    assert numbers.interface.constructor == ""


def test_the_same_source_gives_the_same_bytes_anywhere(numbers: Artifact, tmp_path: Path) -> None:
    there = tmp_path / "elsewhere" / "numbers.c"
    there.parent.mkdir()
    shutil.copy(SOURCES / "numbers.c", there)
    program = "import sys; from sdk.build import build; sys.stdout.buffer.write(build(sys.argv[1]).debug)"
    for seed in ("1", "2"):
        environment = os.environ | {
            "PYTHONHASHSEED": seed,
            "XDG_CACHE_HOME": str(tmp_path / seed),
            "PYTHONPATH": str(Path(__file__).parents[2]),
        }
        done = subprocess.run(
            [sys.executable, "-c", program, "numbers.c"],
            cwd=there.parent,
            env=environment,
            capture_output=True,
            check=True,
            timeout=300,
        )
        assert hashlib.sha256(done.stdout).digest() == hashlib.sha256(numbers.debug).digest()
    assert clang.cache_directory().name == "zig"
    assert [path.name for path in there.parent.iterdir()] == ["numbers.c"]


def test_text_and_binary_modules_pass(wat: Write, tmp_path: Path) -> None:
    text = build(wat(EMPTY_WAT))
    assert b"main" in text.debug
    code, debug = text.write(tmp_path / "out")[:2]
    assert (code.read_bytes(), debug.read_bytes()) == (text.code, text.debug)
    assert build(code).code == text.code
    assert build(debug).code == text.code
    assert build(debug).debug == text.debug


def test_a_module_that_is_no_contract_can_be_compiled(wat: Write) -> None:
    path = wat('(module (func (export "answer") (result i32) (i32.const 42)))')
    assert compile_module(path).startswith(envelope.HEADER)
    with pytest.raises(BuildError, match=r"contract\.wat: "):
        build(path)


def test_memory_beyond_a_page_is_a_warning(c: Write) -> None:
    artifact = build(c("static char big[70000];\n" + EMPTY.replace("{}", '{ __asm__("" :: "r"(big)); }')))
    assert len(artifact.warnings) == 1
    assert "2 pages of memory" in artifact.warnings[0]


def test_what_the_compiler_warns_of_is_passed_on(c: Write) -> None:
    (warning,) = build(c(EMPTY.replace("{}", "{ int unused; }"))).warnings
    assert "unused variable 'unused'" in warning


def refused(path: Path, *words: str) -> None:
    """Assert that building fails and says these words, the file's name first."""
    refused_in(path, path, *words)


def refused_in(place: Path, path: Path, *words: str) -> None:
    """Assert that building `path` fails for what stands in `place`."""
    with pytest.raises(BuildError) as caught:
        build(path)
    text = str(caught.value)
    assert str(place) in text.split("\n")[0]
    for word in words:
        assert word in text, text


def test_a_compile_error_is_the_compilers(c: Write) -> None:
    refused(c(EMPTY.replace("{}", "{ return 1 }")), "contract.c:2:", "error: expected ';'")


def test_an_undefined_function_is_named(c: Write) -> None:
    refused(c("void gone(void);\n" + EMPTY.replace("{}", "{ gone(); }")), "gone")


def test_floats_name_their_function(c: Write) -> None:
    source = EMPTY + 'CVM_EXPORT("ratio") double ratio(double a, double b) { return a / b; }\n'
    refused(c(source), "floats are not deterministic", "ratio")


def test_floats_in_text_name_their_function(wat: Write) -> None:
    source = EMPTY_WAT.replace("(func $main", "(func $area (drop (f32.const 3.14))) (func $main")
    refused(wat(source), "floats are not deterministic", "area")


def test_a_missing_export_is_told(c: Write) -> None:
    refused(c('#include <cvm.h>\nCVM_EXPORT("main") void call(void) {}\n'), "call")


def test_a_foreign_import_is_told(wat: Write) -> None:
    refused(wat('(module (import "env" "now" (func)) ' + EMPTY_WAT.removeprefix("(module")), "env")


def test_an_argument_behind_the_input_buffer_does_not_compile(c: Write) -> None:
    source = EMPTY.replace("{}", "{ abi_input(); abi_return_u64(abi_u64(8)); }")
    refused(c(source), "define it larger")
    build(c("#define CVM_INPUT_BYTES 292\n" + source))


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ('CVM_SELECTOR(0x12345678, "f(uint256)")', ["contract.c:3", "f(uint256) has the selector 0xb3de648b"]),
        ('CVM_ERROR(0x1, "No()")', ["contract.c:3", "No() has the selector"]),
        ('CVM_SELECTOR(SOMETHING, "f()")', ["contract.c:3", "write CVM_SELECTOR(0x12345678"]),
        ('CVM_SELECTOR(0x12345678, "f(uint7)")', ["contract.c:3", "no ABI type 'uint7'"]),
    ],
)
def test_wrong_selectors_are_told_with_the_right_one(c: Write, line: str, words: list[str]) -> None:
    refused(c(f"#include <cvm_abi.h>\n\n#define F {line}\n{EMPTY}"), *words)


def test_wrong_topics_are_told_with_the_right_one(c: Write) -> None:
    right = "0xddf252ad1be2c89b, 0x69c2b068fc378daa, 0x952ba7f163c4a116, 0x28f55a4df523b3ef"
    text = '"Transfer(address indexed from, address indexed to, uint256 value)"'
    refused(c(f"{EMPTY}CVM_EVENT(e, 2, {text},\n 1, 2, 3, 4);\n"), "contract.c:3", "write CVM_EVENT")
    refused(c(f"{EMPTY}CVM_EVENT(e, 2, {text},\n 0x1, 0x2, 0x3, 0x4);\n"), "contract.c:3", right)
    refused(c(f"{EMPTY}CVM_EVENT(e, 1, {text},\n {right});\n"), "contract.c:3", "2 indexed parameters, not 1")
    build(c(f"{EMPTY}CVM_EVENT(e, 2, {text},\n {right});\nconst void *keep(void) {{ return e; }}\n"))


def test_declarations_in_comments_do_not_count(c: Write) -> None:
    source = f'{EMPTY}/* CVM_SELECTOR(0x1, "a()") */\n// CVM_SELECTOR(0x1, "b()")\nstatic const char *s = "// /*"; //\n'
    assert build(c(source + "const char *keep(void) { return s; }\n")).interface.functions == ()


def test_declarations_of_included_files_count(c: Write, tmp_path: Path) -> None:
    (tmp_path / "shared.h").write_text('#include "contract.c"\n#define F CVM_SELECTOR(0x1, "f()")\n')
    refused_in(
        tmp_path / "shared.h", c(f'#include "shared.h"\n#include "missing.h"\n{EMPTY}'), "f() has the selector 0x"
    )


def test_functions_of_other_contracts_are_checked_but_not_declared(c: Write) -> None:
    line = '#define F CVM_REMOTE({}, "f()")\n#define G CVM_SELECTOR(0xe2179b8e, "g()")\n'
    refused(c(line.format("0x1") + EMPTY), "f() has the selector 0x26121ff0")
    assert build(c(line.format("0x26121ff0") + EMPTY)).interface.functions == ("g()",)


def test_two_constructors_are_refused(c: Write) -> None:
    refused(c(EMPTY + 'CVM_CONSTRUCTOR("constructor(bool)");\n' * 2), "a contract has one")


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("contract.wat", b"(module (func $a (resul)))", ["does not assemble", "unknown operator"]),
        ("contract.wat", b"\xff\xfe", ["byte 0 is not UTF-8"]),
        ("contract.wasm", b"", ["magic header"]),
        ("contract.wasm", b"\0asm\2\0\0\0", ["unknown binary version"]),
        ("contract.wasm", b"\0asm\1\0\0\0\1\xff\xff\xff\xff\x0f", ["unexpected end"]),
        ("contract.wasm", b"\0asm\1\0\0\0\1\xff\xff\xff\xff\xff\xff", ["size is cut off"]),
        ("contract.rs", b"", [".c, Cargo.toml, .wat, .wasm"]),
        ("contract", b"", ["no suffix"]),
    ],
)
def test_files_that_are_no_source(tmp_path: Path, name: str, content: bytes, words: list[str]) -> None:
    if name.endswith(".wat"):
        pytest.importorskip("wasmtime", reason="wasmtime is not installed: pip install 'contractvm[wat]'")
    path = tmp_path / name
    path.write_bytes(content)
    refused(path, *words)


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    for suffix in (".c", ".wasm"):
        refused(tmp_path / f"missing{suffix}", "No such file")
        folder = tmp_path / f"folder{suffix}"
        folder.mkdir()
        refused(folder, "directory")


@pytest.mark.parametrize(("suffix", "package", "extra"), [(".c", "ziglang", "c"), (".wat", "wasmtime", "wat")])
def test_a_missing_tool_is_told_with_its_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, suffix: str, package: str, extra: str
) -> None:
    path = tmp_path / f"contract{suffix}"
    path.write_text("")
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(ToolMissing, match=rf"pip install 'contractvm\[{extra}\]'"):
        build(path)


def test_a_cache_that_cannot_be_made_is_told(c: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(blocked))
    with pytest.raises(BuildError, match="set XDG_CACHE_HOME"):
        build(c(EMPTY))


def test_a_compiler_that_hangs_is_stopped(c: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(toolchain, "SECONDS", 0.001)
    refused(c(EMPTY), "did not finish")


@pytest.mark.skipif(not Path("/proc/self/cmdline").exists(), reason="needs /proc to see processes")
def test_a_stopped_compiler_leaves_no_process(c: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    """It comes as a Python that starts the compiler; the latter read on for ever when only the Python was stopped."""
    source = c('#include "/dev/zero"\n')
    monkeypatch.setattr(toolchain, "SECONDS", 2)
    refused(source, "did not finish")
    left = []
    for file in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):  # ended meanwhile
            if str(source).encode() in file.read_bytes():
                left.append(file)
    assert left == []
