;; expect: refused
;; Exports no `__guest_call`.
(module
  (memory (export "memory") 1))
