;; expect: trapped
;; Traps with a log line written, its answer given and an unread answer of a capability.
(module
  (import "wapc" "__guest_response" (func $respond (param i32 i32)))
  (import "wapc" "__console_log" (func $log (param i32 i32)))
  (import "wapc" "__host_call" (func $call (param i32 i32 i32 i32 i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (data (i32.const 16) "default")
  (data (i32.const 32) "echo")
  (data (i32.const 48) "Echo")
  (func (export "__guest_call") (param $op i32) (param $size i32) (result i32)
    (call $log (i32.const 16) (i32.const 7))
    (call $respond (i32.const 16) (i32.const 7))
    (drop (call $call (i32.const 16) (i32.const 7) (i32.const 32) (i32.const 4)
      (i32.const 48) (i32.const 4) (i32.const 0) (i32.const 4096)))
    (unreachable)))
