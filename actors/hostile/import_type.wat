;; expect: refused
;; Wants `__host_call` with one parameter.
(module
  (import "wapc" "__host_call" (func (param i32) (result i32)))
  (memory (export "memory") 1)
  (func (export "__guest_call") (param $op i32) (param $size i32) (result i32)
    (i32.const 1)))
