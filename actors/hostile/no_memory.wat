;; expect: refused
;; Has no memory.
(module
  (func (export "__guest_call") (param $op i32) (param $size i32) (result i32)
    (i32.const 1)))
