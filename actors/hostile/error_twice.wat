;; expect: misbehaved
;; Gives an error twice.
(module
  (import "wapc" "__guest_error" (func $fail (param i32 i32)))
  (memory (export "memory") 1)
  (data (i32.const 0) "one.two.")
  (func (export "__guest_call") (param $op i32) (param $size i32) (result i32)
    (call $fail (i32.const 0) (i32.const 4))
    (call $fail (i32.const 4) (i32.const 4))
    (i32.const 0)))
