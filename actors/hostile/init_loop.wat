;; expect: deadline at start
;; Loops forever in `wapc_init`.
(module
  (memory (export "memory") 1)
  (func (export "wapc_init") (loop $again (br $again)))
  (func (export "__guest_call") (param $op i32) (param $size i32) (result i32)
    (i32.const 1)))
