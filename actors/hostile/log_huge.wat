;; expect: reply
;; Logs a line of 4 GiB less one byte, which the host cuts, then answers.
(module
  (import "wapc" "__guest_response" (func $respond (param i32 i32)))
  (import "wapc" "__console_log" (func $log (param i32 i32)))
  (memory (export "memory") 1)
  (func (export "__guest_call") (param $op i32) (param $size i32) (result i32)
    (call $log (i32.const 0) (i32.const 0xffffffff))
    (call $respond (i32.const 0) (i32.const 4))
    (i32.const 1)))
