;; expect: refused
;; Has a memory that threads could share.
(module
  (memory (export "memory") 1 16 shared)
  (func (export "__guest_call") (param $op i32) (param $size i32) (result i32)
    (i32.const 1)))
