;; expect: refused
;; Wants a table of ten million elements from the start.
(module
  (memory (export "memory") 1)
  (table 10000000 funcref)
  (func (export "__guest_call") (param $op i32) (param $size i32) (result i32)
    (i32.const 1)))
