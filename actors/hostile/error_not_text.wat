;; expect: actor_error
;; Gives an error that is not UTF-8.
(module
  (import "wapc" "__guest_error" (func $fail (param i32 i32)))
  (memory (export "memory") 1)
  (data (i32.const 0) "\ff\fe\c0\00")
  (func (export "__guest_call") (param $op i32) (param $size i32) (result i32)
    (call $fail (i32.const 0) (i32.const 4))
    (i32.const 0)))
