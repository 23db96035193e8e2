;; A contract that does a bit of everything, for comparing outcomes between processes, stores, tiers and Pythons.
;; Input: one byte that says what to do, then a u32, little-endian.
(module
  (import "cvm1" "input_copy" (func $input (param i32 i32 i32) (result i32)))
  (import "cvm1" "finish" (func $finish (param i32 i32)))
  (import "cvm1" "revert" (func $revert (param i32 i32)))
  (import "cvm1" "storage_get" (func $get (param i32 i32 i32 i32) (result i32)))
  (import "cvm1" "storage_set" (func $set (param i32 i32 i32 i32)))
  (import "cvm1" "storage_remove" (func $remove (param i32 i32) (result i32)))
  (import "cvm1" "iter_open" (func $open (param i32 i32 i32 i32 i32) (result i32)))
  (import "cvm1" "iter_next" (func $next (param i32) (result i32)))
  (import "cvm1" "iter_key" (func $key (param i32 i32 i32) (result i32)))
  (import "cvm1" "iter_value" (func $value (param i32 i32 i32) (result i32)))
  (import "cvm1" "log" (func $log (param i32 i32 i32 i32)))
  (import "cvm1" "call" (func $call (param i32 i32 i32 i32 i64 i32) (result i32)))
  (import "cvm1" "create2" (func $create2 (param i32 i32 i32 i32 i32 i64 i32 i32) (result i32)))
  (import "cvm1" "returndata_copy" (func $returned (param i32 i32 i32) (result i32)))
  (import "cvm1" "self_address" (func $self (param i32)))
  (import "cvm1" "caller" (func $caller (param i32)))
  (import "cvm1" "gas_left" (func $gas_left (result i64)))
  (import "cvm1" "block_number" (func $number (result i64)))
  (import "cvm1" "block_timestamp" (func $timestamp (result i64)))
  (import "cvm1" "chain_id" (func $chain_id (result i64)))
  (import "cvm1" "keccak256" (func $keccak (param i32 i32 i32)))
  (import "cvm1" "sha256" (func $sha (param i32 i32 i32)))
  (import "cvm1" "blake2b256" (func $blake (param i32 i32 i32)))
  (import "cvm1" "ripemd160" (func $ripemd (param i32 i32 i32)))
  (import "cvm1" "u256_exp" (func $exp (param i32 i32 i32)))
  (import "cvm1" "u256_div" (func $div (param i32 i32 i32)))
  (memory (export "memory") 1 4)
  (table 4 funcref)
  (elem (i32.const 1) $sink)
  (type $nothing (func))
  (type $unary (func (param i32) (result i32)))
  (global $what (mut i32) (i32.const 0))
  (global $n (mut i32) (i32.const 0))

  ;; Calls itself n deep and adds up.
  (func $sink (type $unary)
    (if (result i32) (local.get 0)
      (then (i32.add (local.get 0) (call $sink (i32.sub (local.get 0) (i32.const 1)))))
      (else (i32.const 0))))

  (func $is (param i32) (result i32) (i32.eq (global.get $what) (local.get 0)))

  ;; Stores n keys; value i is i mod 41 bytes of a hash.
  (func $fill_storage (local $i i32)
    (loop $more
      (i32.store (i32.const 256) (i32.mul (local.get $i) (i32.const 0x9e3779b1)))
      (call $keccak (i32.const 256) (i32.const 4) (i32.const 264))
      (call $keccak (i32.const 264) (i32.const 32) (i32.const 296))
      (call $set (i32.const 256) (i32.const 4) (i32.const 264) (i32.rem_u (local.get $i) (i32.const 41)))
      (br_if $more (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (global.get $n)))))

  ;; Walks all keys, hashes what it sees, removes every third if `remove`.
  (func $walk (param $flags i32) (param $remove i32) (local $it i32) (local $i i32)
    (local.set $it (call $open (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (local.get $flags)))
    (block $done
      (loop $more
        (br_if $done (i32.ne (call $next (local.get $it)) (i32.const 1)))
        (drop (call $key (local.get $it) (i32.const 544) (i32.const 4)))
        (drop (call $value (local.get $it) (i32.const 548) (i32.const 64)))
        (call $keccak (i32.const 512) (i32.const 100) (i32.const 512))
        (if (i32.and (local.get $remove) (i32.eqz (i32.rem_u (local.get $i) (i32.const 3))))
          (then (drop (call $remove (i32.const 544) (i32.const 4)))))
        (local.set $i (i32.add (local.get $i) (i32.const 1)))
        (br $more)))
    (i32.store (i32.const 544) (local.get $i))
    (call $finish (i32.const 512) (i32.const 36)))

  ;; Calls itself as deep as it goes and answers how deep that was and how the last call ended.
  (func $nest (local $status i32)
    (call $self (i32.const 64))
    (local.set $status
      (call $call (i32.const 64) (i32.const 96) (i32.const 0) (i32.const 5) (i64.const -1) (i32.const 1)))
    (if (local.get $status)
      (then (i32.store (i32.const 132) (local.get $status)))
      (else (drop (call $returned (i32.const 128) (i32.const 0) (i32.const 8)))))
    (i32.store (i32.const 128) (i32.add (i32.load (i32.const 128)) (i32.const 1)))
    (call $finish (i32.const 128) (i32.const 8)))

  (func $hashes
    (call $keccak (i32.const 0) (global.get $n) (i32.const 1024))
    (call $sha (i32.const 1024) (i32.const 32) (i32.const 1056))
    (call $blake (i32.const 1024) (i32.const 64) (i32.const 1088))
    (call $ripemd (i32.const 1024) (i32.const 96) (i32.const 1120))
    (call $exp (i32.const 1024) (i32.const 1056) (i32.const 1152))
    (call $div (i32.const 1152) (i32.const 1088) (i32.const 1184))
    (call $finish (i32.const 1024) (i32.const 192)))

  (func $surroundings
    (call $caller (i32.const 2048))
    (call $self (i32.const 2068))
    (i64.store (i32.const 2088) (call $number))
    (i64.store (i32.const 2096) (call $timestamp))
    (i64.store (i32.const 2104) (call $chain_id))
    (i64.store (i32.const 2112) (call $gas_left))
    (call $finish (i32.const 2048) (i32.const 72)))

  (func $logs (local $i i32)
    (loop $more
      (call $log (i32.const 0) (local.get $i) (i32.const 0) (i32.mul (local.get $i) (i32.const 9)))
      (br_if $more (i32.le_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 4)))))

  (func $grow (local $pages i32)
    (block $done
      (loop $more
        (br_if $done (i32.eq (memory.grow (i32.const 1)) (i32.const -1)))
        (br $more)))
    (memory.fill (i32.const 65536) (i32.const 7) (i32.const 131072))
    (memory.copy (i32.const 65530) (i32.const 70000) (i32.const 1000))
    (call $keccak (i32.const 0) (i32.mul (memory.size) (i32.const 65536)) (i32.const 0))
    (call $finish (i32.const 0) (i32.const 32)))

  ;; Init code that is no module: the creation fails, and the status is the answer.
  (func $create
    (i32.store (i32.const 128)
      (call $create2 (i32.const 0) (i32.const 40) (i32.const 3000) (i32.const 0) (i32.const 0) (i64.const 100000)
        (i32.const 3000) (i32.const 3040)))
    (call $finish (i32.const 128) (i32.const 4)))

  (func (export "call")
    (drop (call $input (i32.const 0) (i32.const 0) (i32.const 8)))
    (global.set $what (i32.load8_u (i32.const 0)))
    (global.set $n (i32.load (i32.const 1)))
    (if (call $is (i32.const 1)) (then (call $fill_storage)))
    (if (call $is (i32.const 2)) (then (call $walk (i32.const 0) (i32.const 0))))
    (if (call $is (i32.const 3)) (then (call $walk (i32.const 1) (i32.const 1))))
    (if (call $is (i32.const 4)) (then (call $logs)))
    (if (call $is (i32.const 5)) (then unreachable))
    (if (call $is (i32.const 6)) (then (drop (i32.div_u (i32.const 1) (i32.load (i32.const 32))))))
    (if (call $is (i32.const 7)) (then (drop (i64.load offset=65530 (i32.const 0)))))
    (if (call $is (i32.const 8)) (then (drop (call $sink (global.get $n)))))
    (if (call $is (i32.const 9)) (then (loop (br 0))))
    (if (call $is (i32.const 10)) (then (call_indirect (type $nothing) (global.get $n))))
    (if (call $is (i32.const 11)) (then (call $grow)))
    (if (call $is (i32.const 12)) (then (call $revert (i32.const 0) (i32.const 8))))
    (if (call $is (i32.const 13)) (then (call $nest)))
    (if (call $is (i32.const 14)) (then (call $hashes)))
    (if (call $is (i32.const 15)) (then (call $surroundings)))
    (if (call $is (i32.const 16)) (then (call $create)))
    (if (call $is (i32.const 17)) (then (drop (i32.div_s (i32.const 0x80000000) (i32.const -1)))))))
