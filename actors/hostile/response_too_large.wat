;; expect: too_large
;; Gives an answer of 1 MiB, more than a message may have.
(module
  (import "wapc" "__guest_response" (func $respond (param i32 i32)))
  (memory (export "memory") 1)
  (func (export "__guest_call") (param $op i32) (param $size i32) (result i32)
    (drop (memory.grow (i32.const 15)))
    (call $respond (i32.const 0) (i32.const 0x100000))
    (i32.const 1)))
