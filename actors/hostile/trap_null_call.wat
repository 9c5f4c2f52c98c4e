;; expect: trapped
;; Calls a null entry of a table.
(module
  (memory (export "memory") 1)
  (table 1 funcref)
  (func (export "__guest_call") (param $op i32) (param $size i32) (result i32)
    (call_indirect (result i32) (i32.const 0))))
