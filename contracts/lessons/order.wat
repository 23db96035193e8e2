;; Operand order: an instruction takes its operands from a stack, and the one pushed first is the left one.
(module
  ;; Flat, as the machine reads it ...
  (func (export "flat") (param $a i32) (param $b i32) (result i32)
    local.get $a
    local.get $b
    i32.sub)

  ;; ... and folded, as people like to write it. Both are the same bytes: a - b.
  (func (export "folded") (param $a i32) (param $b i32) (result i32)
    (i32.sub (local.get $a) (local.get $b)))

  ;; Pushed the other way round: b - a.
  (func (export "swapped") (param $a i32) (param $b i32) (result i32)
    local.get $b
    local.get $a
    i32.sub)

  ;; A number has no sign of its own; the instruction decides. -1 is either the least or the largest.
  (func (export "less_signed") (param $a i32) (param $b i32) (result i32) (i32.lt_s (local.get $a) (local.get $b)))
  (func (export "less_unsigned") (param $a i32) (param $b i32) (result i32) (i32.lt_u (local.get $a) (local.get $b)))

  ;; (a + b) * (a - b): inner results wait on the stack.
  (func (export "nested") (param $a i32) (param $b i32) (result i32)
    (i32.mul
      (i32.add (local.get $a) (local.get $b))
      (i32.sub (local.get $a) (local.get $b)))))
