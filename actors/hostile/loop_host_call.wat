;; expect: deadline
;; Calls a capability forever.
(module
  (import "wapc" "__host_call" (func $call (param i32 i32 i32 i32 i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (data (i32.const 16) "default")
  (data (i32.const 32) "echo")
  (data (i32.const 48) "Echo")
  (func (export "__guest_call") (param $op i32) (param $size i32) (result i32)
    (loop $again
      (drop (call $call (i32.const 16) (i32.const 7) (i32.const 32) (i32.const 4)
        (i32.const 48) (i32.const 4) (i32.const 0) (i32.const 0)))
      (br $again))
    (i32.const 1)))
