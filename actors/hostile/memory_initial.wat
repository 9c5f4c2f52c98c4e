;; expect: refused
;; Wants 4 GiB of memory from the start.
(module
  (memory (export "memory") 65536)
  (func (export "__guest_call") (param $op i32) (param $size i32) (result i32)
    (i32.const 1)))
