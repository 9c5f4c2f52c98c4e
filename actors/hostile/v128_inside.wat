;; expect: reply
;; Uses v128 inside, which it may, and answers.
(module
  (import "wapc" "__guest_response" (func $respond (param i32 i32)))
  (memory (export "memory") 1)
  (func $lane (param v128) (result i32) (i32x4.extract_lane 3 (local.get 0)))
  (func (export "__guest_call") (param $op i32) (param $size i32) (result i32)
    (v128.store (i32.const 0) (i32x4.splat (call $lane (i32x4.splat (i32.const 0x2e6b6f2e)))))
    (call $respond (i32.const 0) (i32.const 16))
    (i32.const 1)))
