;; expect: refused
;; Wants its memory from the host.
(module
  (import "env" "memory" (memory 1))
  (export "memory" (memory 0))
  (func (export "__guest_call") (param $op i32) (param $size i32) (result i32)
    (i32.const 1)))
