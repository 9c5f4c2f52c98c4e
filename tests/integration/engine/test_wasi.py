"""The narrow WASI: what a guest is given, and that nothing else is there."""

from __future__ import annotations

import pytest

from actorhost import clock
from actorhost.engine import wasi
from actorhost.engine.trampoline import wat_signature
from actorhost.errors import DeadlineExceeded, GuestMisbehaved, ModuleRefused
from tests.integration.engine.conftest import Make, call
from tests.wat import wasm

_ANSWER = """(func $answer (param $at i32) (param $length i32) (result i32)
  (call $respond (local.get $at) (local.get $length)) (i32.const 1))"""


def _guest(name: str, body: str, *, space: str = "wasi_snapshot_preview1", extra: str = "") -> bytes:
    """Return a guest whose message handler is `body`, with WASI function `name` as ``$it``."""
    return wasm(f"""(module
      (import "wapc" "__guest_response" (func $respond (param i32 i32)))
      (import "{space}" "{name}" (func $it {wat_signature(wasi.SIGNATURES[name])}))
      (memory (export "memory") 1) {_ANSWER} {extra}
      (func (export "__guest_call") (param i32 i32) (result i32) {body}))""")


async def test_arguments_are_empty(make: Make) -> None:
    body = """(i32.store (i32.const 0) (i32.const -1)) (i32.store (i32.const 4) (i32.const -1))
      (drop (call $it (i32.const 0) (i32.const 4))) (call $answer (i32.const 0) (i32.const 8))"""
    assert await call(await make(_guest("args_sizes_get", body))) == bytes(8)


async def test_the_environment_is_what_was_given_and_nothing_else(make: Make) -> None:
    body = """(drop (call $it (i32.const 0) (i32.const 100)))
      (i32.store (i32.const 8) (i32.sub (i32.load (i32.const 4)) (i32.load (i32.const 0))))
      (call $answer (i32.const 0) (i32.const 120))"""
    reply = await call(await make(_guest("environ_get", body), environment={"A": "one", "B": "2"}))
    assert int.from_bytes(reply[0:4], "little") == 100
    assert int.from_bytes(reply[8:12], "little") == len("A=one\0")
    assert reply[100:110] == b"A=one\0B=2\0"
    sizes = """(drop (call $it (i32.const 0) (i32.const 4))) (call $answer (i32.const 0) (i32.const 8))"""
    assert await call(await make(_guest("environ_sizes_get", sizes))) == bytes(8)


@pytest.mark.parametrize("identity", [0, 1])
async def test_clocks_tell_the_time(make: Make, identity: int) -> None:
    body = f"""(drop (call $it (i32.const {identity}) (i64.const 0) (i32.const 0)))
      (call $answer (i32.const 0) (i32.const 8))"""
    instance = await make(_guest("clock_time_get", body))
    now = clock.wall_ns if identity == 0 else clock.monotonic_ns
    before = now()
    assert before <= int.from_bytes(await call(instance), "little") <= now()


async def test_an_unknown_clock_is_refused(make: Make) -> None:
    body = """(i32.store (i32.const 0) (call $it (i32.const 9) (i64.const 0) (i32.const 8)))
      (call $answer (i32.const 0) (i32.const 4))"""
    assert await call(await make(_guest("clock_time_get", body))) == (28).to_bytes(4, "little")


async def test_random_bytes_of_any_length(make: Make) -> None:
    body = "(drop (call $it (i32.const 0) (i32.const 20000))) (call $answer (i32.const 0) (i32.const 20000))"
    instance = await make(_guest("random_get", body))
    first, second = await call(instance), await call(instance)
    assert first != second
    assert len(set(first)) > 200


async def test_lines_on_stdout_and_stderr_reach_the_log_whole(make: Make) -> None:
    extra = r"""(data (i32.const 0) "\20\00\00\00\05\00\00\00\25\00\00\00\04\00\00\00")
      (data (i32.const 32) "hello wo\n!")"""
    body = """(drop (call $it (i32.const 1) (i32.const 0) (i32.const 2) (i32.const 16)))
      (drop (call $it (i32.const 2) (i32.const 0) (i32.const 1) (i32.const 20)))
      (call $answer (i32.const 16) (i32.const 8))"""
    lines: list[tuple[str, str]] = []
    instance = await make(_guest("fd_write", body, extra=extra), log=lambda *line: lines.append(line))
    assert await call(instance) == (9).to_bytes(4, "little") + (5).to_bytes(4, "little")
    assert lines == [("stdout", "hello wo")]
    instance.close()
    assert lines[1:] == [("stderr", "hello")]


@pytest.mark.alone
async def test_sleeping_parks_the_fiber(make: Make) -> None:
    # One subscription: userdata 7, a monotonic clock, 30 ms from now.
    extra = r"""(data (i32.const 0) "\07") (data (i32.const 16) "\01") (data (i32.const 24) "\80\c3\c9\01")"""
    body = """(drop (call $it (i32.const 0) (i32.const 64) (i32.const 1) (i32.const 100)))
      (call $answer (i32.const 64) (i32.const 40))"""
    instance = await make(_guest("poll_oneoff", body, extra=extra))
    started = clock.monotonic()
    reply = await call(instance)
    assert 0.03 <= clock.monotonic() - started < 0.3
    assert reply[0] == 7
    assert reply[8:10] == bytes(2)
    assert reply[36:40] == (1).to_bytes(4, "little")


async def test_a_sleep_beyond_the_deadline_never_wakes_the_guest(make: Make) -> None:
    """A timer may fire a fraction of a millisecond early; half of these woke up then."""
    hour = r"""(data (i32.const 16) "\01") (func (export "_start")
      (i64.store (i32.const 24) (i64.const 3600000000000)))"""
    body = """(drop (call $it (i32.const 0) (i32.const 64) (i32.const 1) (i32.const 100)))
      (call $answer (i32.const 64) (i32.const 0))"""
    module = _guest("poll_oneoff", body, extra=hour)
    for n in range(20):
        instance = await make(module)
        with pytest.raises(DeadlineExceeded):
            await call(instance, timeout=0.01 + n / 7000)


@pytest.mark.parametrize("space", sorted(wasi.MODULE_NAMES))
async def test_there_are_no_files(make: Make, space: str) -> None:
    body = """(i32.store (i32.const 0) (call $it (i32.const 3) (i32.const 8)))
      (call $answer (i32.const 0) (i32.const 4))"""
    assert await call(await make(_guest("fd_prestat_get", body, space=space))) == (8).to_bytes(4, "little")


@pytest.mark.parametrize("name", sorted(set(wasi.SIGNATURES) - {"poll_oneoff", "proc_exit", wasi.OLD_POLL}))
async def test_every_function_of_the_specification_links_and_answers_nonsense(make: Make, name: str) -> None:
    parameters, _ = wasi.SIGNATURES[name]
    arguments = " ".join(f"({kind}.const 4096)" for kind in parameters)
    body = f"(drop (call $it {arguments})) (call $answer (i32.const 0) (i32.const 0))"
    assert await call(await make(_guest(name, body))) == b""


async def test_exit_0_while_starting_is_no_error(make: Make) -> None:
    extra = '(func (export "_start") (call $it (i32.const 0)))'
    assert await call(
        await make(_guest("proc_exit", "(call $answer (i32.const 0) (i32.const 2))", extra=extra))
    ) == bytes(2)


@pytest.mark.parametrize("code", [1, 255])
async def test_another_exit_while_starting_is_an_error(make: Make, code: int) -> None:
    extra = f'(func (export "_start") (call $it (i32.const {code})))'
    with pytest.raises(GuestMisbehaved, match=f"exited with code {code}"):
        await make(_guest("proc_exit", "(i32.const 1)", extra=extra))


async def test_exiting_instead_of_answering_is_an_error(make: Make) -> None:
    instance = await make(_guest("proc_exit", "(call $it (i32.const 0)) (i32.const 1)"))
    with pytest.raises(GuestMisbehaved, match="exited with code 0 instead of answering"):
        await call(instance, "Op")
    assert not instance.alive


async def test_a_function_that_is_not_wasi_is_refused(make: Make) -> None:
    module = wasm("""(module (import "wasi_snapshot_preview1" "fd_teleport" (func))
      (memory (export "memory") 1)
      (func (export "__guest_call") (param i32 i32) (result i32) (i32.const 1)))""")
    with pytest.raises(ModuleRefused, match="fd_teleport"):
        await make(module)
