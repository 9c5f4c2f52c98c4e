;; expect: too_large
;; Gives an answer of 4 GiB less one byte.
(module
  (import "wapc" "__guest_response" (func $respond (param i32 i32)))
  (memory (export "memory") 1)
  (func (export "__guest_call") (param $op i32) (param $size i32) (result i32)
    (call $respond (i32.const 0) (i32.const 0xffffffff))
    (i32.const 1)))
