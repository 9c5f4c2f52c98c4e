;; expect: trapped
;; Recurses until its stack is used up.
(module
  (memory (export "memory") 1)
  (func $deeper (param $n i32) (result i32)
    (i32.add (i32.const 1) (call $deeper (i32.add (local.get $n) (i32.const 1)))))
  (func (export "__guest_call") (param $op i32) (param $size i32) (result i32)
    (call $deeper (local.get $size))))
