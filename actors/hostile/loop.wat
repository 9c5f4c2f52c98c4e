;; expect: deadline
;; Loops forever.
(module
  (memory (export "memory") 1)
  (func (export "__guest_call") (param $op i32) (param $size i32) (result i32)
    (loop $again (br $again))
    (i32.const 1)))
