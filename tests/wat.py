"""Guests written in WAT for tests: a waPC skeleton around a body, compiled to Wasm."""

from __future__ import annotations

from wasmtime import wat2wasm

_IMPORTS = """
(import "wapc" "__guest_request" (func $request (param i32 i32)))
(import "wapc" "__guest_response" (func $respond (param i32 i32)))
(import "wapc" "__guest_error" (func $fail (param i32 i32)))
(import "wapc" "__console_log" (func $log (param i32 i32)))
(import "wapc" "__host_call" (func $call (param i32 i32 i32 i32 i32 i32 i32 i32) (result i32)))
(import "wapc" "__host_response_len" (func $reply_length (result i32)))
(import "wapc" "__host_response" (func $reply (param i32)))
(import "wapc" "__host_error_len" (func $error_length (result i32)))
(import "wapc" "__host_error" (func $error (param i32)))
"""
ECHO = """(call $request (i32.const 0) (i32.const 1024))
(call $respond (i32.const 1024) (local.get $m)) (i32.const 1)"""
LOOP = "(loop $again (br $again)) (i32.const 1)"
TRAP = "unreachable"
COUNTER = """(i32.store (i32.const 0) (i32.add (i32.load (i32.const 0)) (i32.const 1)))
  (call $respond (i32.const 0) (i32.const 4)) (i32.const 1)"""
CALL = "(call $call (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) "
"""The start of a host call with empty names; follow with address and length of the payload and ``)``."""


def wasm(text: str) -> bytes:
    """Return a module written in WAT as Wasm."""
    return bytes(wat2wasm(text))


def guest(body: str, extra: str = "", *, pages: int = 1) -> bytes:
    """Return a waPC guest whose ``__guest_call`` is `body`; ``$o`` and ``$m`` are the lengths."""
    return wasm(
        f'(module {_IMPORTS} (memory (export "memory") {pages}) {extra}'
        f' (func (export "__guest_call") (param $o i32) (param $m i32) (result i32) {body}))'
    )
