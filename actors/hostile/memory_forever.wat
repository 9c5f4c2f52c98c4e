;; expect: deadline
;; Asks for more memory forever, whatever the answer.
(module
  (memory (export "memory") 1)
  (func (export "__guest_call") (param $op i32) (param $size i32) (result i32)
    (loop $again
      (drop (memory.grow (i32.const 1)))
      (br $again))
    (i32.const 1)))
