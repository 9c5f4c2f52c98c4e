;; expect: reply
;; Answers in its start function, where there is no message: the first message is answered on its own.
(module
  (import "wapc" "__guest_response" (func $respond (param i32 i32)))
  (memory (export "memory") 1)
  (start $start)
  (func $start (call $respond (i32.const 0) (i32.const 8)))
  (func (export "__guest_call") (param $op i32) (param $size i32) (result i32)
    (call $respond (i32.const 0) (i32.const 4))
    (i32.const 1)))
