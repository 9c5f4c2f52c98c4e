;; expect: refused
;; Wants a function that waPC does not have.
(module
  (import "wapc" "__host_exec" (func (param i32 i32) (result i32)))
  (memory (export "memory") 1)
  (func (export "__guest_call") (param $op i32) (param $size i32) (result i32)
    (i32.const 1)))
