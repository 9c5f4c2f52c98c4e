;; expect: refused
;; Keeps its memory to itself.
(module
  (memory 1)
  (func (export "__guest_call") (param $op i32) (param $size i32) (result i32)
    (i32.const 1)))
