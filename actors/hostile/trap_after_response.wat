;; expect: trapped
;; Answers, then traps: the answer does not count.
(module
  (import "wapc" "__guest_response" (func $respond (param i32 i32)))
  (memory (export "memory") 1)
  (func (export "__guest_call") (param $op i32) (param $size i32) (result i32)
    (call $respond (i32.const 0) (i32.const 4))
    (unreachable)))
