;; Globals: values that outlive a function, but not the instance. `contractvm run` makes a fresh one each time.
(module
  (global $limit i32 (i32.const 3))           ;; constant
  (global $count (mut i32) (i32.const 0))     ;; variable

  (func $next (export "next") (result i32)
    (if (i32.lt_u (global.get $count) (global.get $limit))
      (then (global.set $count (i32.add (global.get $count) (i32.const 1)))))
    (global.get $count))

  ;; Five times in one instance: it counts up to the limit and stays there.
  (func (export "five") (result i32 i32 i32 i32 i32)
    (call $next) (call $next) (call $next) (call $next) (call $next)))
