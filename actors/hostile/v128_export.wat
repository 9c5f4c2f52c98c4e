;; expect: refused
;; Exports a function with v128 in its signature.
(module
  (memory (export "memory") 1)
  (func (export "lanes") (param v128) (result v128) (local.get 0))
  (func (export "__guest_call") (param $op i32) (param $size i32) (result i32)
    (i32.const 1)))
