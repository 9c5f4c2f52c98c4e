;; expect: refused
;; Exports a `__guest_call` that takes 64-bit sizes.
(module
  (memory (export "memory") 1)
  (func (export "__guest_call") (param i64 i64) (result i32)
    (i32.const 1)))
