;; Functions: parameters and locals by index, several results, recursion, and calling through a table.
(module
  (type $binary (func (param i32 i32) (result i32)))
  (table funcref (elem $add $sub $mul))

  (func $add (type $binary) (i32.add (local.get 0) (local.get 1)))
  (func $sub (type $binary) (i32.sub (local.get 0) (local.get 1)))
  (func $mul (type $binary) (i32.mul (local.get 0) (local.get 1)))

  ;; Which function runs is a number: 0 adds, 1 subtracts, 2 multiplies; there is no 3.
  (func (export "apply") (param $which i32) (param $a i32) (param $b i32) (result i32)
    (call_indirect (type $binary) (local.get $a) (local.get $b) (local.get $which)))

  (func $factorial (export "factorial") (param $n i64) (result i64)
    (if (result i64) (i64.eqz (local.get $n))
      (then (i64.const 1))
      (else (i64.mul (local.get $n) (call $factorial (i64.sub (local.get $n) (i64.const 1)))))))

  (func (export "divide") (param $a i32) (param $b i32) (result i32 i32)
    (i32.div_s (local.get $a) (local.get $b))
    (i32.rem_s (local.get $a) (local.get $b)))

  ;; Locals start as zero and are the function's own; tee sets one and leaves the value where it was.
  (func (export "average") (param $a i32) (param $b i32) (result i32)
    (local $sum i32)
    (drop (local.tee $sum (i32.add (local.get $a) (local.get $b))))
    (i32.div_s (local.get $sum) (i32.const 2))))
