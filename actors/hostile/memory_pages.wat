;; expect: memory
;; Grows page by page until refused, touches each page, then traps.
(module
  (memory (export "memory") 1)
  (func (export "__guest_call") (param $op i32) (param $size i32) (result i32)
    (loop $again
      (if (i32.eq (memory.grow (i32.const 1)) (i32.const -1)) (then (unreachable)))
      (i32.store (i32.sub (i32.shl (memory.size) (i32.const 16)) (i32.const 4)) (i32.const 1))
      (br $again))
    (i32.const 1)))
