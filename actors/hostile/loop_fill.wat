;; expect: deadline
;; Fills its whole memory forever: much time in each single instruction.
(module
  (memory (export "memory") 1)
  (func (export "__guest_call") (param $op i32) (param $size i32) (result i32)
    (drop (memory.grow (i32.const 47)))
    (loop $again
      (memory.fill (i32.const 0) (i32.const 165) (i32.shl (memory.size) (i32.const 16)))
      (br $again))
    (i32.const 1)))
