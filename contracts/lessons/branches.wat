;; Blocks and branches: a branch leaves a block at its end and goes back to a loop's start; there is no other jump.
(module
  (func (export "max") (param $a i32) (param $b i32) (result i32)
    (if (result i32) (i32.gt_s (local.get $a) (local.get $b))
      (then (local.get $a))
      (else (local.get $b))))

  ;; 1 + 2 + ... + n: a loop inside the block that ends it.
  (func (export "sum") (param $n i32) (result i32)
    (local $total i32)
    (block $done
      (loop $again
        (br_if $done (i32.eqz (local.get $n)))
        (local.set $total (i32.add (local.get $total) (local.get $n)))
        (local.set $n (i32.sub (local.get $n) (i32.const 1)))
        (br $again)))
    (local.get $total))

  ;; br_table picks one of many ends: days of a month, 1 to 12, in a year that is no leap year; 0 for no month.
  (func (export "days") (param $month i32) (result i32)
    (block $none
      (block $short
        (block $middle
          (block $long
            (br_table $none $long $short $long $middle $long $middle $long $long $middle $long $middle $long $none
              (local.get $month)))
          (return (i32.const 31)))
        (return (i32.const 30)))
      (return (i32.const 28)))
    (i32.const 0))

  ;; A block has a value; the branch brings it along.
  (func (export "positive") (param $x i32) (result i32)
    (block $out (result i32)
      (br_if $out (local.get $x) (i32.gt_s (local.get $x) (i32.const 0)))
      (drop)
      (i32.const 0)))

  (func (export "never") unreachable))
