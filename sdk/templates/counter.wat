;; A counter: the start of your contract. Storage keeps the number, a little-endian u64, under "n".
(module
  (import "cvm1" "input_copy" (func $input_copy (param $out i32) (param $offset i32) (param $cap i32) (result i32)))
  (import "cvm1" "storage_get" (func $storage_get (param $key i32) (param $size i32) (param $out i32) (param $cap i32) (result i32)))
  (import "cvm1" "storage_set" (func $storage_set (param $key i32) (param $size i32) (param $value i32) (param $length i32)))
  (import "cvm1" "finish" (func $finish (param $data i32) (param $size i32)))
  (import "cvm1" "revert" (func $revert (param $data i32) (param $size i32)))

  (memory (export "memory") 1)
  (data (i32.const 0) "n")
  (global $SELECTOR i32 (i32.const 4))   ;; 4 bytes
  (global $NUMBER i32 (i32.const 8))     ;; 8 bytes
  (global $ANSWER i32 (i32.const 32))    ;; 32 bytes, big-endian

  (func (export "call")
    (drop (call $input_copy (global.get $SELECTOR) (i32.const 0) (i32.const 4)))
    (drop (call $storage_get (i32.const 0) (i32.const 1) (global.get $NUMBER) (i32.const 8)))
    ;; A load is little-endian: selectors have their bytes turned round.
    (if (i32.eq (i32.load (global.get $SELECTOR)) (i32.const 0x8af58183)) ;; number()
      (then (call $answer)))
    (if (i32.ne (i32.load (global.get $SELECTOR)) (i32.const 0x8ae09dd0)) ;; increment()
      (then (call $revert (i32.const 0) (i32.const 0))))
    (i64.store (global.get $NUMBER) (i64.add (i64.load (global.get $NUMBER)) (i64.const 1)))
    (call $storage_set (i32.const 0) (i32.const 1) (global.get $NUMBER) (i32.const 8)))

  ;; Copies the number's bytes to the end of the answer, the last one first.
  (func $answer
    (local $i i32)
    (loop $next
      (i32.store8
        (i32.sub (i32.add (global.get $ANSWER) (i32.const 31)) (local.get $i))
        (i32.load8_u (i32.add (global.get $NUMBER) (local.get $i))))
      (br_if $next (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 8))))
    (call $finish (global.get $ANSWER) (i32.const 32))))
