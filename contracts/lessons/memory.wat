;; Memory: bytes in pages of 64 KiB, zero unless a data segment says otherwise. Numbers lie with the low byte first.
(module
  (memory (export "memory") 1 2)
  (data (i32.const 16) "\01\02\03\04")
  (data (i32.const 32) "wasm")

  (func (export "byte") (param $at i32) (result i32) (i32.load8_u (local.get $at)))
  (func (export "word") (param $at i32) (result i32) (i32.load (local.get $at)))

  ;; Stores a word, then reads its bytes in the order in which they lie.
  (func (export "bytes_of") (param $x i32) (result i32 i32 i32 i32)
    (i32.store (i32.const 0) (local.get $x))
    (i32.load8_u (i32.const 0)) (i32.load8_u (i32.const 1)) (i32.load8_u (i32.const 2)) (i32.load8_u (i32.const 3)))

  ;; Fills ten bytes and copies four of them over the text.
  (func (export "bulk") (result i32)
    (memory.fill (i32.const 64) (i32.const 0x2a) (i32.const 10))
    (memory.copy (i32.const 32) (i32.const 64) (i32.const 4))
    (i32.load (i32.const 32)))

  ;; Growing answers the size before, or -1 when there is no more to have; this memory ends at two pages.
  (func (export "grow") (param $pages i32) (result i32 i32)
    (memory.grow (local.get $pages))
    (memory.size)))
