;; expect: reply
;; Calls itself by way of the host, and answers what came of it: the cap on the depth of calls ends it.
(module
  (import "wapc" "__guest_response" (func $respond (param i32 i32)))
  (import "wapc" "__host_call" (func $call (param i32 i32 i32 i32 i32 i32 i32 i32) (result i32)))
  (import "wapc" "__host_response_len" (func $reply_length (result i32)))
  (import "wapc" "__host_response" (func $reply (param i32)))
  (import "wapc" "__host_error_len" (func $error_length (result i32)))
  (import "wapc" "__host_error" (func $error (param i32)))
  (memory (export "memory") 1)
  (data (i32.const 16) "default")
  (data (i32.const 32) "self")
  (data (i32.const 48) "Go")
  (func (export "__guest_call") (param $op i32) (param $size i32) (result i32)
    (if (i32.eq (call $call (i32.const 16) (i32.const 7) (i32.const 32) (i32.const 4)
        (i32.const 48) (i32.const 2) (i32.const 0) (i32.const 0))
          (i32.const 1))
      (then
        (call $reply (i32.const 1024))
        (call $respond (i32.const 1024) (call $reply_length)))
      (else
        (call $error (i32.const 1024))
        (call $respond (i32.const 1024) (call $error_length))))
    (i32.const 1)))
