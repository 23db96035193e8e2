;; Counting bits: zeros in front, zeros behind, ones, and the test for zero.
(module
  (func (export "clz") (param $x i32) (result i32) (i32.clz (local.get $x)))
  (func (export "ctz") (param $x i32) (result i32) (i32.ctz (local.get $x)))
  (func (export "popcnt") (param $x i32) (result i32) (i32.popcnt (local.get $x)))
  (func (export "eqz") (param $x i32) (result i32) (i32.eqz (local.get $x)))

  ;; The same on 64 bits, and what they are good for: the position of the highest bit.
  (func (export "log2") (param $x i64) (result i64)
    (i64.sub (i64.const 63) (i64.clz (local.get $x)))))
