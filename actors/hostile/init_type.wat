;; expect: refused
;; Exports a `wapc_init` that takes an argument.
(module
  (memory (export "memory") 1)
  (func (export "wapc_init") (param i32))
  (func (export "__guest_call") (param $op i32) (param $size i32) (result i32)
    (i32.const 1)))
