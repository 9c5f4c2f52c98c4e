;; expect: refused
;; Wants a function with v128 in its signature.
(module
  (import "wapc" "__console_log" (func (param v128 i32)))
  (memory (export "memory") 1)
  (func (export "__guest_call") (param $op i32) (param $size i32) (result i32)
    (i32.const 1)))
