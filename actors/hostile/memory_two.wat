;; expect: refused
;; Has two memories.
(module
  (memory (export "memory") 1)
  (memory 1)
  (func (export "__guest_call") (param $op i32) (param $size i32) (result i32)
    (i32.const 1)))
