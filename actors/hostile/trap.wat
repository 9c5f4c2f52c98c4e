;; expect: trapped
;; Executes `unreachable`, as a panic does.
(module
  (memory (export "memory") 1)
  (func (export "__guest_call") (param $op i32) (param $size i32) (result i32)
    (unreachable)))
