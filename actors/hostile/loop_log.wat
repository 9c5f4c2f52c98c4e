;; expect: deadline
;; Floods the log forever.
(module
  (import "wapc" "__console_log" (func $log (param i32 i32)))
  (memory (export "memory") 1)
  (data (i32.const 0) "flood")
  (func (export "__guest_call") (param $op i32) (param $size i32) (result i32)
    (loop $again
      (call $log (i32.const 0) (i32.const 4096))
      (br $again))
    (i32.const 1)))
