;; expect: memory at start
;; Takes all memory in its start function, then traps.
(module
  (memory (export "memory") 1)
  (start $start)
  (func $start
    (loop $again (br_if $again (i32.ne (memory.grow (i32.const 1)) (i32.const -1))))
    (unreachable))
  (func (export "__guest_call") (param $op i32) (param $size i32) (result i32)
    (i32.const 1)))
