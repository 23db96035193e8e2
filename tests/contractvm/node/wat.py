"""Small modules for the node's tests, as hex; skips where there is no assembler."""

from __future__ import annotations

from functools import cache

import pytest

from sdk.abi import Function


@cache
def assembled(text: str) -> str:
    """A module's bytes."""
    wasmtime = pytest.importorskip("wasmtime", reason="the extra 'wat' is not installed")
    return "0x" + bytes(wasmtime.wat2wasm(text)).hex()


def reverting(reason: str) -> str:
    """A contract whose constructor reverts with a reason."""
    data = bytes.fromhex("08c379a0") + Function.parse("f(string)").encode(reason)[4:]
    text = "".join(f"\\{byte:02x}" for byte in data)
    return assembled(f"""
        (module (import "cvm1" "revert" (func $revert (param i32 i32))) (memory (export "memory") 1)
          (data (i32.const 0) "{text}")
          (func (export "deploy") (call $revert (i32.const 0) (i32.const {len(data)})))
          (func (export "call")))""")


def spinning() -> str:
    """A contract whose constructor never ends."""
    return assembled("""
        (module (memory (export "memory") 1) (func (export "deploy") (loop (br 0))) (func (export "call")))""")


def reading() -> str:
    """A contract that gives the bytes at the storage key of 32 zeros."""
    return assembled("""
        (module
          (import "cvm1" "storage_get" (func $get (param i32 i32 i32 i32) (result i32)))
          (import "cvm1" "finish" (func $finish (param i32 i32)))
          (memory (export "memory") 1)
          (func (export "call") (local $length i32)
            (local.set $length (call $get (i32.const 0) (i32.const 32) (i32.const 64) (i32.const 32)))
            (call $finish (i32.const 64) (select (local.get $length) (i32.const 0)
              (i32.gt_s (local.get $length) (i32.const 0))))))""")
