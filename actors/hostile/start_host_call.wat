;; expect: reply
;; Calls a capability in its start function, which it may, and answers what came of it.
(module
  (import "wapc" "__guest_response" (func $respond (param i32 i32)))
  (import "wapc" "__host_call" (func $call (param i32 i32 i32 i32 i32 i32 i32 i32) (result i32)))
  (import "wapc" "__host_response_len" (func $reply_length (result i32)))
  (import "wapc" "__host_response" (func $reply (param i32)))
  (memory (export "memory") 1)
  (data (i32.const 16) "default")
  (data (i32.const 32) "echo")
  (data (i32.const 48) "Echo")
  (global $size (mut i32) (i32.const 0))
  (start $start)
  (func $start
    (drop (call $call (i32.const 16) (i32.const 7) (i32.const 32) (i32.const 4)
      (i32.const 48) (i32.const 4) (i32.const 48) (i32.const 4)))
    (global.set $size (call $reply_length))
    (call $reply (i32.const 1024)))
  (func (export "__guest_call") (param $op i32) (param $size i32) (result i32)
    (call $respond (i32.const 1024) (global.get $size))
    (i32.const 1)))
