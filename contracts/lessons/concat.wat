;; A string passed in, and joined to another: the host copies the input to where the greeting ends.
(module
  (import "cvm1" "input_copy" (func $input_copy (param $out i32) (param $offset i32) (param $cap i32) (result i32)))
  (import "cvm1" "debug_print" (func $debug_print (param $text i32) (param $size i32)))
  (import "cvm1" "finish" (func $finish (param $data i32) (param $size i32)))

  (memory (export "memory") 1)
  (data (i32.const 0) "hello, ")
  (global $LONGEST i32 (i32.const 100))

  (func (export "call")
    (local $size i32)
    ;; A copy answers the whole length, even if there was room for less.
    (local.set $size (call $input_copy (i32.const 7) (i32.const 0) (global.get $LONGEST)))
    (if (i32.gt_u (local.get $size) (global.get $LONGEST)) (then (local.set $size (global.get $LONGEST))))
    (local.set $size (i32.add (local.get $size) (i32.const 7)))
    (call $debug_print (i32.const 0) (local.get $size))
    (call $finish (i32.const 0) (local.get $size))))
