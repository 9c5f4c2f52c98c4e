;; expect: deadline
;; Sleeps for an hour, by WASI.
(module
  (import "wasi_snapshot_preview1" "poll_oneoff" (func $poll (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  ;; One subscription of 48 bytes: user data, clock 1 (monotonic), its time, precision, flags 0 (relative).
  (data (i32.const 0) "\07\00\00\00\00\00\00\00" "\00\00\00\00\00\00\00\00" "\01\00\00\00\00\00\00\00")
  (func (export "__guest_call") (param $op i32) (param $size i32) (result i32)
    (i64.store (i32.const 24) (i64.const 3600000000000))
    (drop (call $poll (i32.const 0) (i32.const 64) (i32.const 1) (i32.const 128)))
    (i32.const 1)))
