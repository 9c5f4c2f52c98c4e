;; expect: memory
;; Doubles its memory until refused, touches all of it, then traps.
(module
  (memory (export "memory") 1)
  (func $touch (local $at i32)
    ;; What doubling left: the rest page by page.
    (block $full (loop $more (br_if $full (i32.eq (memory.grow (i32.const 1)) (i32.const -1))) (br $more)))
    (loop $next
      (i32.store (local.get $at) (i32.const 1))
      (local.set $at (i32.add (local.get $at) (i32.const 4096)))
      (br_if $next (i32.lt_u (local.get $at) (i32.shl (memory.size) (i32.const 16))))))
  (func (export "__guest_call") (param $op i32) (param $size i32) (result i32)
    (loop $again
      (if (i32.eq (memory.grow (memory.size)) (i32.const -1)) (then (call $touch) (unreachable)))
      (br $again))
    (i32.const 1)))
