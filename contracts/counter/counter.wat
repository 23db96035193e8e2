;; A counter, by hand: what a contract is before any tool helps. Solidity's ABI:
;;
;;   number()(uint256)     setNumber(uint256)     increment()
;;
;; The number is kept as the 32 big-endian bytes that the ABI uses, so that only `increment` has to calculate.
(module
  (import "cvm1" "input_copy" (func $input_copy (param $out i32) (param $offset i32) (param $cap i32) (result i32)))
  (import "cvm1" "storage_get" (func $storage_get (param $key i32) (param $size i32) (param $out i32) (param $cap i32) (result i32)))
  (import "cvm1" "storage_set" (func $storage_set (param $key i32) (param $size i32) (param $value i32) (param $length i32)))
  (import "cvm1" "finish" (func $finish (param $data i32) (param $size i32)))
  (import "cvm1" "revert" (func $revert (param $data i32) (param $size i32)))

  (memory (export "memory") 1)
  (global $INPUT i32 (i32.const 0))      ;; a selector of 4 bytes and one argument of 32
  (global $NUMBER i32 (i32.const 64))    ;; 32 bytes
  (global $KEY i32 (i32.const 96))       ;; 1 byte
  (global $PANIC i32 (i32.const 128))    ;; Panic(uint256) with code 0x11, overflow: 36 bytes
  (data (i32.const 96) "n")
  (data (i32.const 128) "\4e\48\7b\71")
  (data (i32.const 163) "\11")

  (func (export "call")
    (local $size i32) (local $selector i32)
    (local.set $size (call $input_copy (global.get $INPUT) (i32.const 0) (i32.const 36)))
    ;; A load is little-endian, so the selectors below are written with their bytes turned round.
    (local.set $selector (i32.load (global.get $INPUT)))
    (if (i32.eq (local.get $selector) (i32.const 0x8af58183)) ;; number()
      (then (call $number)))
    (if (i32.eq (local.get $selector) (i32.const 0xcbc1b53f)) ;; setNumber(uint256)
      (then
        (if (i32.lt_u (local.get $size) (i32.const 36)) (then (call $refuse)))
        (call $set (i32.add (global.get $INPUT) (i32.const 4)))
        (return)))
    (if (i32.eq (local.get $selector) (i32.const 0x8ae09dd0)) ;; increment()
      (then (call $increment) (return)))
    (call $refuse))

  (func $number
    (call $load)
    (call $finish (global.get $NUMBER) (i32.const 32)))

  (func $increment
    (local $at i32) (local $byte i32)
    (call $load)
    (local.set $at (i32.add (global.get $NUMBER) (i32.const 32)))
    (loop $carry
      (local.set $at (i32.sub (local.get $at) (i32.const 1)))
      ;; Every byte was 0xff: there is no larger number.
      (if (i32.lt_u (local.get $at) (global.get $NUMBER))
        (then (call $revert (global.get $PANIC) (i32.const 36))))
      (local.set $byte (i32.add (i32.load8_u (local.get $at)) (i32.const 1)))
      (i32.store8 (local.get $at) (local.get $byte))
      (br_if $carry (i32.eq (local.get $byte) (i32.const 256))))
    (call $set (global.get $NUMBER)))

  ;; An absent value leaves the memory alone, which is zero: the first number.
  (func $load
    (drop (call $storage_get (global.get $KEY) (i32.const 1) (global.get $NUMBER) (i32.const 32))))

  (func $set (param $word i32)
    (call $storage_set (global.get $KEY) (i32.const 1) (local.get $word) (i32.const 32)))

  (func $refuse
    (call $revert (global.get $INPUT) (i32.const 0))))
