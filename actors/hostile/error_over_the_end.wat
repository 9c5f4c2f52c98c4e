;; expect: trapped
;; Gives an error that begins inside its memory and ends outside.
(module
  (import "wapc" "__guest_error" (func $fail (param i32 i32)))
  (memory (export "memory") 1)
  (func (export "__guest_call") (param $op i32) (param $size i32) (result i32)
    (call $fail (i32.const 65532) (i32.const 8))
    (i32.const 1)))
