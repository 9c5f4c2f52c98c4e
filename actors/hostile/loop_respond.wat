;; expect: misbehaved
;; Answers one message forever.
(module
  (import "wapc" "__guest_response" (func $respond (param i32 i32)))
  (memory (export "memory") 1)
  (func (export "__guest_call") (param $op i32) (param $size i32) (result i32)
    (loop $again
      (call $respond (i32.const 0) (i32.const 8))
      (br $again))
    (i32.const 1)))
