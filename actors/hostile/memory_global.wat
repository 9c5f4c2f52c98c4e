;; expect: refused
;; Exports a global named `memory`.
(module
  (memory 1)
  (global (export "memory") i32 (i32.const 0))
  (func (export "__guest_call") (param $op i32) (param $size i32) (result i32)
    (i32.const 1)))
