;; expect: actor_error
;; Gives an error and an answer: the error counts.
(module
  (import "wapc" "__guest_response" (func $respond (param i32 i32)))
  (import "wapc" "__guest_error" (func $fail (param i32 i32)))
  (memory (export "memory") 1)
  (data (i32.const 0) "oops")
  (func (export "__guest_call") (param $op i32) (param $size i32) (result i32)
    (call $fail (i32.const 0) (i32.const 4))
    (call $respond (i32.const 0) (i32.const 4))
    (i32.const 1)))
