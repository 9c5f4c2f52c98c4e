;; expect: deadline
;; Asks for more room in a table forever, whatever the answer.
(module
  (memory (export "memory") 1)
  (table $table 1 funcref)
  (func (export "__guest_call") (param $op i32) (param $size i32) (result i32)
    (loop $again
      (drop (table.grow $table (ref.null func) (i32.const 1000)))
      (br $again))
    (i32.const 1)))
