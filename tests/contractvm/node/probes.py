"""Small contracts that show what a call sees: storage by words, the block, the gas that is left."""

from __future__ import annotations

from tests.contractvm.node.wat import assembled


def _module(imports: str, body: str) -> bytes:
    return bytes.fromhex(
        assembled(f'(module {imports} (memory (export "memory") 1) (func (export "call") {body}))')[2:]
    )


def slots() -> bytes:
    """With 64 bytes of input: sets the slot of the first word to the second one. With 32: gives that slot's value."""
    return _module(
        """(import "cvm1" "storage_get" (func $get (param i32 i32 i32 i32) (result i32)))
           (import "cvm1" "storage_set" (func $set (param i32 i32 i32 i32)))
           (import "cvm1" "input_copy" (func $input (param i32 i32 i32) (result i32)))
           (import "cvm1" "finish" (func $finish (param i32 i32)))""",
        """(local $length i32)
           (if (i32.eq (call $input (i32.const 0) (i32.const 0) (i32.const 64)) (i32.const 64))
             (then (call $set (i32.const 0) (i32.const 32) (i32.const 32) (i32.const 32)) (return)))
           (local.set $length (call $get (i32.const 0) (i32.const 32) (i32.const 64) (i32.const 32)))
           (if (i32.gt_s (local.get $length) (i32.const 0))
             (then (call $finish (i32.const 64) (local.get $length))))""",
    )


def around() -> bytes:
    """Gives number, timestamp and gas left (8 bytes each, little-endian), base fee (32) and coinbase (20)."""
    return _module(
        """(import "cvm1" "block_number" (func $number (result i64)))
           (import "cvm1" "block_timestamp" (func $time (result i64)))
           (import "cvm1" "gas_left" (func $gas (result i64)))
           (import "cvm1" "base_fee" (func $fee (param i32)))
           (import "cvm1" "coinbase" (func $coinbase (param i32)))
           (import "cvm1" "finish" (func $finish (param i32 i32)))""",
        """(i64.store (i32.const 0) (call $number)) (i64.store (i32.const 8) (call $time))
           (i64.store (i32.const 16) (call $gas)) (call $fee (i32.const 24)) (call $coinbase (i32.const 56))
           (call $finish (i32.const 0) (i32.const 76))""",
    )


def greedy() -> bytes:
    """Works longer when it has more than 100,000 gas."""
    return _module(
        '(import "cvm1" "gas_left" (func $gas (result i64)))',
        """(local $turns i32)
           (if (i64.gt_u (call $gas) (i64.const 100000)) (then
             (loop (local.set $turns (i32.add (local.get $turns) (i32.const 1)))
               (br_if 0 (i32.lt_u (local.get $turns) (i32.const 10000))))))""",
    )


def endless() -> bytes:
    """Never ends."""
    return _module("", "(loop (br 0))")
