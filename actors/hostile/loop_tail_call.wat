;; expect: deadline
;; Calls itself forever in tail position: neither a loop nor a growing stack.
(module
  (memory (export "memory") 1)
  (func $again (result i32) (return_call $again))
  (func (export "__guest_call") (param $op i32) (param $size i32) (result i32)
    (return_call $again)))
