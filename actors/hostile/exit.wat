;; expect: misbehaved
;; Exits with code 3 instead of answering, by WASI.
(module
  (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
  (memory (export "memory") 1)
  (func (export "__guest_call") (param $op i32) (param $size i32) (result i32)
    (call $exit (i32.const 3))
    (i32.const 1)))
