;; expect: trapped
;; Divides by zero.
(module
  (memory (export "memory") 1)
  (func (export "__guest_call") (param $op i32) (param $size i32) (result i32)
    (i32.div_u (i32.const 1) (i32.const 0))))
