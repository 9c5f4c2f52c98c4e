;; expect: trapped
;; Reads far outside its memory.
(module
  (memory (export "memory") 1)
  (func (export "__guest_call") (param $op i32) (param $size i32) (result i32)
    (i32.load (i32.const 0x7ffffff0))))
