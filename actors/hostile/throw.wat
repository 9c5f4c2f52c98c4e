;; expect: refused
;; Throws an exception that nobody catches: this host has none.
(module
  (memory (export "memory") 1)
  (tag $oops)
  (func (export "__guest_call") (param $op i32) (param $size i32) (result i32)
    (throw $oops)))
