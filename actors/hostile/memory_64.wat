;; expect: refused
;; Has a memory with 64-bit addresses.
(module
  (memory (export "memory") i64 1)
  (func (export "__guest_call") (param $op i32) (param $size i32) (result i32)
    (i32.const 1)))
