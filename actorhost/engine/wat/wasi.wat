;; A narrow WASI preview 1, as Wasm: clocks, randomness, sleep, stdout and stderr to the actor's log.
;;
;; No files, no sockets, no arguments, and only the environment the manifest gives. Functions that
;; are not here are filled in by wasi.py with one that answers EBADF (8): there is no descriptor they
;; could work on. What needs the host goes through the mailbox and `ask`, exactly like a capability
;; call (see wapc.wat for the layout), so sleeping parks the fiber instead of blocking the host.
;;
;; reason: 16 clock (argument: clock id; answer: wide result), 17 random (length; bytes at host-at),
;; 18 write (descriptor, length; bytes at top), 19 sleep (wide result: nanoseconds),
;; 20 environment (answer: count in the first argument, bytes at host-at).
;; errno: 0 success, 8 EBADF, 28 EINVAL, 52 ENOSYS, 70 ESPIPE.
(module $actorhost
  (import "guest" "memory" (memory $guest 0))
  (import "shim" "mailbox" (memory $box 1))
  (import "shim" "ask" (func $ask (param i32)))
  (import "shim" "reserve" (func $reserve (param i64)))
  (import "wasi-trampoline" "table" (table {count} funcref))

  (func $wide (result i64) (i64.load $box (i32.const 80)))
  (func $argument (param $value i32) (i32.store $box (i32.const 40) (local.get $value)))

  (func $args_sizes_get (param $count i32) (param $size i32) (result i32)
    (i32.store $guest (local.get $count) (i32.const 0))
    (i32.store $guest (local.get $size) (i32.const 0))
    (i32.const 0))
  (func $args_get (param i32 i32) (result i32) (i32.const 0))

  (func $environ_sizes_get (param $count i32) (param $size i32) (result i32)
    (call $ask (i32.const 20))
    (i32.store $guest (local.get $count) (i32.load $box (i32.const 40)))
    (i32.store $guest (local.get $size) (i32.load $box (i32.const 64)))
    (i32.const 0))
  ;; The block is NAME=VALUE pairs, each ended by a zero byte; pointers go to where each begins.
  (func $environ_get (param $pointers i32) (param $buffer i32) (result i32)
    (local $from i32) (local $left i32) (local $fresh i32)
    (call $ask (i32.const 20))
    (local.set $from (i32.load $box (i32.const 60)))
    (local.set $left (i32.load $box (i32.const 64)))
    (memory.copy $guest $box (local.get $buffer) (local.get $from) (local.get $left))
    (local.set $fresh (i32.const 1))
    (block $done (loop $next
      (br_if $done (i32.eqz (local.get $left)))
      (if (local.get $fresh) (then
        (i32.store $guest (local.get $pointers) (local.get $buffer))
        (local.set $pointers (i32.add (local.get $pointers) (i32.const 4)))))
      (local.set $fresh (i32.eqz (i32.load8_u $box (local.get $from))))
      (local.set $from (i32.add (local.get $from) (i32.const 1)))
      (local.set $buffer (i32.add (local.get $buffer) (i32.const 1)))
      (local.set $left (i32.sub (local.get $left) (i32.const 1)))
      (br $next)))
    (i32.const 0))

  (func $clock_res_get (param $id i32) (param $out i32) (result i32)
    (i64.store $guest (local.get $out) (i64.const 1000))
    (i32.const 0))
  (func $now (param $id i32) (result i64)
    (call $argument (local.get $id))
    (call $ask (i32.const 16))
    (call $wide))
  (func $clock_time_get (param $id i32) (param $precision i64) (param $out i32) (result i32)
    (if (i32.gt_u (local.get $id) (i32.const 3)) (then (return (i32.const 28))))
    (i64.store $guest (local.get $out) (call $now (local.get $id)))
    (i32.const 0))

  ;; Bytes come in pieces of at most 4 KiB so that a large request needs no large mailbox.
  (func $random_get (param $to i32) (param $left i32) (result i32)
    (local $piece i32)
    (block $done (loop $next
      (br_if $done (i32.eqz (local.get $left)))
      (local.set $piece (select (local.get $left) (i32.const 4096)
        (i32.lt_u (local.get $left) (i32.const 4096))))
      (call $argument (local.get $piece))
      (call $ask (i32.const 17))
      (memory.copy $guest $box (local.get $to) (i32.load $box (i32.const 60)) (local.get $piece))
      (local.set $to (i32.add (local.get $to) (local.get $piece)))
      (local.set $left (i32.sub (local.get $left) (local.get $piece)))
      (br $next)))
    (i32.const 0))

  (func $standard (param $fd i32) (result i32)
    (i32.le_u (local.get $fd) (i32.const 2)))

  ;; One vector at a time, each cut at 8 KiB like a console log line; all of it counts as written.
  (func $fd_write (param $fd i32) (param $vectors i32) (param $count i32) (param $out i32) (result i32)
    (local $written i32) (local $length i32) (local $kept i32) (local $top i32)
    (if (i32.or (i32.eqz (local.get $fd)) (i32.gt_u (local.get $fd) (i32.const 2)))
      (then (return (i32.const 8))))
    (local.set $top (i32.load $box (i32.const 8)))
    (block $done (loop $next
      (br_if $done (i32.eqz (local.get $count)))
      (local.set $length (i32.load $guest offset=4 (local.get $vectors)))
      (local.set $kept (select (local.get $length) (i32.const 8192)
        (i32.lt_u (local.get $length) (i32.const 8192))))
      (call $reserve (i64.extend_i32_u (i32.add (local.get $top) (local.get $kept))))
      (memory.copy $box $guest (local.get $top) (i32.load $guest (local.get $vectors)) (local.get $kept))
      (call $argument (local.get $fd))
      (i32.store $box (i32.const 44) (local.get $kept))
      (call $ask (i32.const 18))
      (local.set $written (i32.add (local.get $written) (local.get $length)))
      (local.set $vectors (i32.add (local.get $vectors) (i32.const 8)))
      (local.set $count (i32.sub (local.get $count) (i32.const 1)))
      (br $next)))
    (i32.store $guest (local.get $out) (local.get $written))
    (i32.const 0))
  ;; stdin is empty.
  (func $fd_read (param $fd i32) (param $vectors i32) (param $count i32) (param $out i32) (result i32)
    (if (local.get $fd) (then (return (i32.const 8))))
    (i32.store $guest (local.get $out) (i32.const 0))
    (i32.const 0))
  (func $fd_close (param $fd i32) (result i32)
    (select (i32.const 0) (i32.const 8) (call $standard (local.get $fd))))
  (func $fd_seek (param $fd i32) (param $offset i64) (param $whence i32) (param $out i32) (result i32)
    (select (i32.const 70) (i32.const 8) (call $standard (local.get $fd))))
  (func $fd_tell (param $fd i32) (param $out i32) (result i32)
    (select (i32.const 70) (i32.const 8) (call $standard (local.get $fd))))
  (func $fd_fdstat_set_flags (param $fd i32) (param $flags i32) (result i32)
    (select (i32.const 0) (i32.const 8) (call $standard (local.get $fd))))
  ;; The three standard descriptors are character devices that may be read (2) or written (64).
  (func $fd_fdstat_get (param $fd i32) (param $out i32) (result i32)
    (if (i32.eqz (call $standard (local.get $fd))) (then (return (i32.const 8))))
    (memory.fill $guest (local.get $out) (i32.const 0) (i32.const 24))
    (i32.store8 $guest (local.get $out) (i32.const 2))
    (i64.store $guest offset=8 (local.get $out)
      (select (i64.const 64) (i64.const 2) (local.get $fd)))
    (i32.const 0))
  (func $fd_filestat_get (param $fd i32) (param $out i32) (result i32)
    (if (i32.eqz (call $standard (local.get $fd))) (then (return (i32.const 8))))
    (memory.fill $guest (local.get $out) (i32.const 0) (i32.const 64))
    (i32.store8 $guest offset=16 (local.get $out) (i32.const 2))
    (i32.const 0))

  (func $sched_yield (result i32) (i32.const 0))

  ;; Waits on clocks only: sleep until the earliest, then report every clock that is due by then.
  ;; A subscription is 48 bytes: userdata 0, tag 8 (0 clock), clock id 16, timeout 24, flags 40 (1
  ;; absolute). An event is 32: userdata 0, errno 8, type 10. Waiting on a descriptor reports EBADF.
  (func $remaining (param $subscription i32) (result i64)
    (local $timeout i64) (local $now i64)
    (local.set $timeout (i64.load $guest offset=24 (local.get $subscription)))
    (if (i32.and (i32.load16_u $guest offset=40 (local.get $subscription)) (i32.const 1)) (then
      (local.set $now (call $now (i32.load $guest offset=16 (local.get $subscription))))
      (local.set $timeout (select (i64.sub (local.get $timeout) (local.get $now)) (i64.const 0)
        (i64.gt_u (local.get $timeout) (local.get $now))))))
    (local.get $timeout))
  (func $event (param $subscription i32) (param $out i32) (param $errno i32)
    (memory.fill $guest (local.get $out) (i32.const 0) (i32.const 32))
    (i64.store $guest (local.get $out) (i64.load $guest (local.get $subscription)))
    (i32.store16 $guest offset=8 (local.get $out) (local.get $errno))
    (i32.store8 $guest offset=10 (local.get $out) (i32.load8_u $guest offset=8 (local.get $subscription))))
  (func $poll_oneoff (param $in i32) (param $out i32) (param $count i32) (param $events i32) (result i32)
    (local $at i32) (local $end i32) (local $least i64) (local $found i32)
    (if (i32.eqz (local.get $count)) (then (return (i32.const 28))))
    ;; A count over 4,096 is no poll a guest means; refusing it keeps the loops below short.
    (if (i32.gt_u (local.get $count) (i32.const 4096)) (then (return (i32.const 28))))
    (local.set $end (i32.add (local.get $in) (i32.mul (local.get $count) (i32.const 48))))
    (local.set $least (i64.const -1))
    (local.set $at (local.get $in))
    (loop $next
      (if (i32.load8_u $guest offset=8 (local.get $at))
        (then (local.set $least (i64.const 0)))
        (else (if (i64.lt_u (call $remaining (local.get $at)) (local.get $least))
          (then (local.set $least (call $remaining (local.get $at)))))))
      (local.set $at (i32.add (local.get $at) (i32.const 48)))
      (br_if $next (i32.lt_u (local.get $at) (local.get $end))))
    (if (i64.ne (local.get $least) (i64.const 0)) (then
      (i64.store $box (i32.const 80) (local.get $least))
      (call $ask (i32.const 19))))
    (local.set $at (local.get $in))
    (loop $next
      (if (i32.load8_u $guest offset=8 (local.get $at))
        (then
          (call $event (local.get $at) (local.get $out) (i32.const 8))
          (local.set $out (i32.add (local.get $out) (i32.const 32)))
          (local.set $found (i32.add (local.get $found) (i32.const 1))))
        (else
          ;; Relative clocks are due when they asked for no more than was slept; absolute ones by now.
          (if (i64.le_u (call $remaining (local.get $at))
                (select (i64.const 0) (local.get $least)
                  (i32.and (i32.load16_u $guest offset=40 (local.get $at)) (i32.const 1)))) (then
            (call $event (local.get $at) (local.get $out) (i32.const 0))
            (local.set $out (i32.add (local.get $out) (i32.const 32)))
            (local.set $found (i32.add (local.get $found) (i32.const 1)))))))
      (local.set $at (i32.add (local.get $at) (i32.const 48)))
      (br_if $next (i32.lt_u (local.get $at) (local.get $end))))
    (i32.store $guest (local.get $events) (local.get $found))
    (i32.const 0))

  ;; Never returns: the trap unwinds the guest, and the host finds the exit code in the mailbox.
  (func $proc_exit (param $code i32)
    (i32.store $box (i32.const 76) (i32.add (local.get $code) (i32.const 1)))
    unreachable)
  (func $proc_raise (param i32) (result i32) (i32.const 52))

  {stubs}
  (elem (i32.const 0) func {functions}))
