;; expect: reply
;; Calls a capability under names that are not UTF-8: refused, and the guest answers with the reason.
(module
  (import "wapc" "__guest_response" (func $respond (param i32 i32)))
  (import "wapc" "__host_call" (func $call (param i32 i32 i32 i32 i32 i32 i32 i32) (result i32)))
  (import "wapc" "__host_error_len" (func $error_length (result i32)))
  (import "wapc" "__host_error" (func $error (param i32)))
  (memory (export "memory") 1)
  (data (i32.const 0) "\ff\fe")
  (func (export "__guest_call") (param $op i32) (param $size i32) (result i32)
    (if (i32.eq (call $call (i32.const 0) (i32.const 2) (i32.const 0) (i32.const 2)
        (i32.const 0) (i32.const 2) (i32.const 0) (i32.const 2)) (i32.const 1)) (then (unreachable)))
    (call $error (i32.const 1024))
    (call $respond (i32.const 1024) (call $error_length))
    (i32.const 1)))
