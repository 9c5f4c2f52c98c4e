;; The host side of waPC, as Wasm: copies between the guest's memory and a mailbox memory.
;;
;; Why Wasm and not host functions: a Python callback costs more than the whole message does here,
;; and every pointer a guest hands over is bounds-checked by `memory.copy` itself. Only this module
;; and the WASI shim write the mailbox; the guest cannot reach it, so the host may trust what it reads.
;; A plain message calls no host function at all; a capability call calls exactly one, `suspend`,
;; which parks the fiber until the host has looked at `reason` and written its answer.
;;
;; One message at a time is in the mailbox. Its layout is a header, then a bump region: the request
;; first, then whatever the guest answers, then the arguments and answer of the capability call under
;; way. `top` is where the free space begins. Offsets are repeated in mailbox.py; a test compares them.
;;
;;    0 op-length       4 message-length   8 top            12 limit (bytes of any one reply or payload)
;;   16 status          20 reply-at        24 reply-length  28 error-at       32 error-length
;;   36 reason          40..52 four arguments of the reason
;;   56 host-status     60 host-at         64 host-reply-length  68 host-error-length
;;   72 need            76 exit (code + 1) 80 wide result (u64)  96 data
;;
;; status is a set of bits: 1 reply set, 2 error set, 4 answered twice, 8 reply over the limit.
;; reason: 1 host call, 2 console log, 3 room was made for the answer, 4 call over the limit;
;; 16 and up are WASI's (wasi.wat).
(module $actorhost
  (import "guest" "memory" (memory $guest 0))
  (import "trampoline" "table" (table 9 funcref))
  (import "host" "suspend" (func $suspend))
  (memory $box (export "mailbox") 1)

  ;; Make the mailbox at least `end` bytes. The store's limiter bounds it like any other memory.
  (func $reserve (export "reserve") (param $end i64)
    (local $have i64)
    (local.set $have (i64.shl (i64.extend_i32_u (memory.size $box)) (i64.const 16)))
    (if (i64.gt_u (local.get $end) (local.get $have)) (then
      (if (i32.eq (i32.const -1)
            (memory.grow $box (i32.wrap_i64 (i64.shr_u
              (i64.add (i64.sub (local.get $end) (local.get $have)) (i64.const 65535)) (i64.const 16)))))
        (then (call $fail (i32.const 8)))))))

  ;; End the guest, leaving the reason where the host finds it.
  (func $fail (export "fail") (param $bit i32)
    (i32.store $box (i32.const 16) (i32.or (i32.load $box (i32.const 16)) (local.get $bit)))
    unreachable)

  (func $guest_request (param $op i32) (param $msg i32)
    (memory.copy $guest $box (local.get $op) (i32.const 96) (i32.load $box (i32.const 0)))
    (memory.copy $guest $box (local.get $msg)
      (i32.add (i32.const 96) (i32.load $box (i32.const 0))) (i32.load $box (i32.const 4))))

  ;; Keep `len` bytes of the guest as its reply (bit 1) or its error (bit 2), at `top`.
  (func $answer (param $ptr i32) (param $len i32) (param $bit i32) (param $field i32)
    (local $top i32)
    (if (i32.and (i32.load $box (i32.const 16)) (local.get $bit)) (then (call $fail (i32.const 4))))
    (i32.store $box offset=4 (local.get $field) (local.get $len))
    (if (i32.gt_u (local.get $len) (i32.load $box (i32.const 12))) (then (call $fail (i32.const 8))))
    (local.set $top (i32.load $box (i32.const 8)))
    (call $reserve (i64.add (i64.extend_i32_u (local.get $top)) (i64.extend_i32_u (local.get $len))))
    (memory.copy $box $guest (local.get $top) (local.get $ptr) (local.get $len))
    (i32.store $box (local.get $field) (local.get $top))
    (i32.store $box (i32.const 8) (i32.add (local.get $top) (local.get $len)))
    (i32.store $box (i32.const 16) (i32.or (i32.load $box (i32.const 16)) (local.get $bit))))
  (func $guest_response (param i32 i32)
    (call $answer (local.get 0) (local.get 1) (i32.const 1) (i32.const 20)))
  (func $guest_error (param i32 i32)
    (call $answer (local.get 0) (local.get 1) (i32.const 2) (i32.const 28)))

  ;; A log line goes to the host at once, so that lines and capability calls keep their order.
  ;; Longer lines are cut at 8 KiB: a log is no place for bulk.
  (func $console_log (param $ptr i32) (param $len i32)
    (local $top i32)
    (local.set $top (i32.load $box (i32.const 8)))
    (if (i32.gt_u (local.get $len) (i32.const 8192)) (then (local.set $len (i32.const 8192))))
    (call $reserve (i64.add (i64.extend_i32_u (local.get $top)) (i64.extend_i32_u (local.get $len))))
    (memory.copy $box $guest (local.get $top) (local.get $ptr) (local.get $len))
    (i32.store $box (i32.const 40) (local.get $len))
    (call $ask (i32.const 2)))

  (func $host_response (param i32)
    (memory.copy $guest $box (local.get 0) (i32.load $box (i32.const 60)) (i32.load $box (i32.const 64))))
  (func $host_response_len (result i32) (i32.load $box (i32.const 64)))
  (func $host_error (param i32)
    (memory.copy $guest $box (local.get 0) (i32.load $box (i32.const 60)) (i32.load $box (i32.const 68))))
  (func $host_error_len (result i32) (i32.load $box (i32.const 68)))

  ;; Park the fiber for `reason`. Only Wasm may grow the mailbox while a call is under way: when the
  ;; host's answer needs more room it says so in `need` and is asked again once the room is there.
  (func $ask (export "ask") (param $reason i32)
    (i32.store $box (i32.const 36) (local.get $reason))
    (call $suspend)
    (if (i32.load $box (i32.const 72)) (then
      (call $reserve (i64.add (i64.extend_i32_u (i32.load $box (i32.const 8)))
        (i64.extend_i32_u (i32.load $box (i32.const 72)))))
      (i32.store $box (i32.const 72) (i32.const 0))
      (i32.store $box (i32.const 36) (i32.const 3))
      (call $suspend)))
    (i32.store $box (i32.const 36) (i32.const 0)))

  ;; Append `len` bytes of the guest at `at`; answers where the next piece goes.
  (func $append (param $at i32) (param $ptr i32) (param $len i32) (result i32)
    (memory.copy $box $guest (local.get $at) (local.get $ptr) (local.get $len))
    (i32.add (local.get $at) (local.get $len)))

  (func $host_call (param $b i32) (param $bn i32) (param $n i32) (param $nn i32)
                   (param $o i32) (param $on i32) (param $p i32) (param $pn i32) (result i32)
    (local $total i64)
    (local.set $total
      (i64.add (i64.add (i64.extend_i32_u (local.get $bn)) (i64.extend_i32_u (local.get $nn)))
               (i64.add (i64.extend_i32_u (local.get $on)) (i64.extend_i32_u (local.get $pn)))))
    (i32.store $box (i32.const 40) (local.get $bn))
    (i32.store $box (i32.const 44) (local.get $nn))
    (i32.store $box (i32.const 48) (local.get $on))
    (i32.store $box (i32.const 52) (local.get $pn))
    ;; Over the limit is an error the guest can handle, not its end: nothing was copied yet.
    (if (i64.gt_u (local.get $total) (i64.add (i64.extend_i32_u (i32.load $box (i32.const 12))) (i64.const 1024)))
      (then (call $ask (i32.const 4)))
      (else
        (call $reserve (i64.add (i64.extend_i32_u (i32.load $box (i32.const 8))) (local.get $total)))
        (drop (call $append
          (call $append
            (call $append
              (call $append (i32.load $box (i32.const 8)) (local.get $b) (local.get $bn))
              (local.get $n) (local.get $nn))
            (local.get $o) (local.get $on))
          (local.get $p) (local.get $pn)))
        (call $ask (i32.const 1))))
    (i32.load $box (i32.const 56)))

  (elem (i32.const 0) func $guest_request $guest_response $guest_error $console_log
    $host_response $host_response_len $host_error $host_error_len $host_call))
