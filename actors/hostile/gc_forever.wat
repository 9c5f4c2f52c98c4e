;; expect: refused
;; Makes garbage forever, in a heap that is no linear memory: this host has none.
(module
  (type $junk (array (mut i64)))
  (memory (export "memory") 1)
  (func (export "__guest_call") (param $op i32) (param $size i32) (result i32)
    (loop $again
      (drop (array.new_default $junk (i32.const 100000)))
      (br $again))
    (i32.const 1)))
