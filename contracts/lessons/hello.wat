;; A string returned. A contract has no return value but bytes: it points at them, and `finish` ends the call.
(module
  (import "cvm1" "debug_print" (func $debug_print (param $text i32) (param $size i32)))
  (import "cvm1" "finish" (func $finish (param $data i32) (param $size i32)))

  (memory (export "memory") 1)
  (data (i32.const 0) "hello, world")

  (func (export "call")
    (call $debug_print (i32.const 0) (i32.const 12))
    (call $finish (i32.const 0) (i32.const 12))))
