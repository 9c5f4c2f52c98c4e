;; expect: trapped
;; Wants the message written outside its memory.
(module
  (import "wapc" "__guest_request" (func $request (param i32 i32)))
  (memory (export "memory") 1)
  (func (export "__guest_call") (param $op i32) (param $size i32) (result i32)
    (call $request (i32.const 0xfffffff0) (i32.const 0))
    (i32.const 1)))
