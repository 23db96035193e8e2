"""Modules from text, for the tests of the command line."""

from __future__ import annotations

from pathlib import Path

import pytest


def assemble(path: Path, text: str) -> Path:
    """Write the module that `text` is to `path`; skips where there is no assembler."""
    wasmtime = pytest.importorskip("wasmtime", reason="the extra 'wat' is not installed")
    path.write_bytes(bytes(wasmtime.wat2wasm(text)))
    return path


MATH = """
(module
  (func $fib (export "fib") (param i32) (result i32)
    (if (result i32) (i32.lt_u (local.get 0) (i32.const 2))
      (then (local.get 0))
      (else (i32.add (call $fib (i32.sub (local.get 0) (i32.const 1)))
                     (call $fib (i32.sub (local.get 0) (i32.const 2)))))))
  (func $div (export "div") (param i64 i64) (result i64) (i64.div_s (local.get 0) (local.get 1)))
  (func (export "two") (result i32 i64) (i32.const -1) (i64.const 5))
  (func (export "forever") (loop (br 0)))
  (func (export "takes") (param funcref)))
"""
CALLS = """
(module
  (func $deep unreachable)
  (func $between (call $deep))
  (func $main (export "main") (nop) (call $between)))
"""
FLOATS = """
(module
  (func $area (export "area") (param f64) (result f64) (f64.mul (local.get 0) (local.get 0)))
  (func $fine (export "fine") (result i32) (i32.const 1))
  (func $hidden (drop (f32.const 1))))
"""
COUNTER = r"""
(module
  (import "cvm1" "storage_get" (func $get (param i32 i32 i32 i32) (result i32)))
  (import "cvm1" "storage_set" (func $set (param i32 i32 i32 i32)))
  (import "cvm1" "input_size" (func $size (result i32)))
  (import "cvm1" "input_copy" (func $input (param i32 i32 i32) (result i32)))
  (import "cvm1" "finish" (func $finish (param i32 i32)))
  (import "cvm1" "revert" (func $revert (param i32 i32)))
  (import "cvm1" "debug_print" (func $say (param i32 i32)))
  (memory (export "memory") 1)
  (data (i32.const 0) "n")
  (data (i32.const 100) "\08\c3\79\a0")  ;; Error(string)
  (data (i32.const 135) "\20")
  (data (i32.const 167) "\05")
  (data (i32.const 168) "never")
  (func (export "call")
    (drop (call $get (i32.const 0) (i32.const 1) (i32.const 16) (i32.const 32)))
    (if (i32.eqz (call $size)) (then
      (i32.store8 (i32.const 47) (i32.add (i32.load8_u (i32.const 47)) (i32.const 1)))
      (call $set (i32.const 0) (i32.const 1) (i32.const 16) (i32.const 32))
      (call $finish (i32.const 16) (i32.const 32))))
    (drop (call $input (i32.const 64) (i32.const 0) (i32.const 1)))
    (if (i32.eq (i32.load8_u (i32.const 64)) (i32.const 0xff)) (then unreachable))
    (if (i32.eq (i32.load8_u (i32.const 64)) (i32.const 0xee)) (then
      (call $say (i32.const 168) (i32.const 5))
      (call $revert (i32.const 100) (i32.const 100))))
    (call $finish (i32.const 16) (i32.const 32))))
"""
"""Counts calls without input, in the last byte of 32; 0xff traps, 0xee reverts, any other input reads."""
