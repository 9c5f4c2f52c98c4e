"""What one instance promises: replies, errors, capability calls, logs, limits and cancellation."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import anyio
import pytest

from actorhost import clock
from actorhost.engine import Engine, Instance
from actorhost.errors import (
    ActorFailed,
    Closed,
    DeadlineExceeded,
    GuestMisbehaved,
    GuestTrapped,
    InternalError,
    InvalidInput,
    InvalidName,
    ProviderFailed,
    TooLarge,
)
from actorhost.limits import KIB, MIB
from tests.integration.engine.conftest import Make, call
from tests.wat import CALL, ECHO, LOOP, TRAP, guest

ALL_OF_IT = f"""(if (i32.eqz {CALL} (i32.const 0) (i32.const 5))) (then
    (call $error (i32.const 2048)) (call $fail (i32.const 2048) (call $error_length)) (return (i32.const 0))))
  (call $reply (i32.const 2048)) (call $respond (i32.const 2048) (call $reply_length)) (i32.const 1)"""
GROWING_ECHO = """(drop (memory.grow (i32.add (i32.const 1) (i32.div_u (local.get $m) (i32.const 65536)))))
  (call $request (i32.const 0) (i32.const 1024))
  (call $respond (i32.const 1024) (local.get $m)) (i32.const 1)"""


async def test_a_message_is_echoed_and_the_instance_lives_on(make: Make) -> None:
    instance = await make(guest(ECHO))
    for payload in (b"", b"hello", bytes(range(256))):
        assert await call(instance, "Echo", payload) == payload
    assert instance.calls == 3


@pytest.mark.parametrize("memory", [4 * MIB, 64 * MIB])
async def test_large_messages_grow_the_mailbox_and_give_the_pages_back(make: Make, memory: int) -> None:
    instance = await make(guest(GROWING_ECHO), memory=memory, max_message=1 * MIB)
    mailbox = instance._sandbox.mailbox
    before = _resident(mailbox._base, 64 * KIB)
    payload = bytes(range(256)) * 4096
    assert await call(instance, "Echo", payload) == payload
    size = mailbox.size()
    assert size >= 2 * MIB
    assert _resident(mailbox._base, size) <= before + 256 * KIB
    assert await call(instance, "Echo", b"small") == b"small"


def _resident(base: int, size: int) -> int:
    """Return the bytes of [base, base + size) that are in memory, from the kernel's page map."""
    pages = size // 4096
    with Path("/proc/self/pagemap").open("rb") as file:
        file.seek(base // 4096 * 8)
        entries = file.read(pages * 8)
    return 4096 * sum(entries[8 * n + 7] >> 7 for n in range(pages))


async def test_a_message_over_the_limit_is_refused_before_anything_is_done(make: Make) -> None:
    instance = await make(guest(ECHO), max_message=1000)
    with pytest.raises(TooLarge, match="1001 bytes is over the actor's limit of 1000"):
        await call(instance, "Echo", bytes(1001))
    assert await call(instance, "Echo", bytes(1000)) == bytes(1000)


async def test_a_reply_over_the_limit_ends_the_guest(make: Make) -> None:
    instance = await make(
        guest("(call $respond (i32.const 0) (i32.const 2000)) (i32.const 1)"), max_message=1000
    )
    with pytest.raises(TooLarge, match="reply of 2000 bytes"):
        await call(instance)
    assert not instance.alive


async def test_an_error_over_the_limit_is_not_called_a_reply(make: Make) -> None:
    body = (
        "(call $respond (i32.const 0) (i32.const 10))"
        "(call $fail (i32.const 0) (i32.const 2000)) (i32.const 0)"
    )
    instance = await make(guest(body), max_message=1000)
    with pytest.raises(TooLarge, match="error of 2000 bytes"):
        await call(instance)


async def test_text_without_a_form_in_utf_8_is_refused_and_nothing_is_done(
    engine: Engine, make: Make
) -> None:
    instance = await make(guest(ECHO))
    with pytest.raises(InvalidName, match="operation name"):
        await call(instance, "\udcff")
    assert await call(instance, "Echo", b"alive") == b"alive"
    for environment in ({"A": "\udcff"}, {"\udcff": "a"}, {"": "a"}, {"A=B": "c"}, {"A": "b\0c"}):
        with pytest.raises(InvalidInput, match="environment variable"):
            replace(engine.options(), environment=environment)


async def test_an_error_of_the_guest_is_its_answer_and_it_lives_on(make: Make) -> None:
    body = "(call $fail (i32.const 8) (i32.const 4)) (i32.const 0)"
    instance = await make(guest(body, '(data (i32.const 8) "oops")'))
    for _ in range(2):
        with pytest.raises(ActorFailed, match="oops"):
            await call(instance)


async def test_an_error_wins_over_a_reply(make: Make) -> None:
    body = (
        "(call $respond (i32.const 0) (i32.const 1)) (call $fail (i32.const 8) (i32.const 4)) (i32.const 1)"
    )
    instance = await make(guest(body, '(data (i32.const 8) "oops")'))
    with pytest.raises(ActorFailed, match="oops"):
        await call(instance)


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (
            2 * "(call $respond (i32.const 0) (i32.const 1))" + "(i32.const 1)",
            "twice",
        ),
        (
            2 * "(call $fail (i32.const 0) (i32.const 1))" + "(i32.const 1)",
            "twice",
        ),
        ("(i32.const 1)", "without a reply"),
        ("(call $respond (i32.const 0) (i32.const 1)) (i32.const 2)", "returned 2"),
        ("(call $respond (i32.const 0) (i32.const 1)) (i32.const -1)", "returned -1"),
    ],
)
async def test_breaking_the_abi_ends_the_guest(make: Make, body: str, words: str) -> None:
    instance = await make(guest(body))
    with pytest.raises(GuestMisbehaved, match=words):
        await call(instance)
    assert not instance.alive
    with pytest.raises(Closed):
        await call(instance)


async def test_a_capability_call_carries_its_names_and_payload(make: Make) -> None:
    seen = []

    async def host(binding: str, namespace: str, operation: str, payload: bytes) -> bytes:
        seen.append((binding, namespace, operation, payload))
        return b"answer"

    instance = await make(guest(ALL_OF_IT, '(data (i32.const 0) "hello")'))
    assert await call(instance, host=host) == b"answer"
    assert seen == [("", "", "", b"hello")]


async def test_an_answer_larger_than_the_mailbox_gets_room_from_the_shim(make: Make) -> None:
    body = f"""(drop (memory.grow (i32.const 20))) (drop {CALL} (i32.const 0) (i32.const 5)))
      (call $reply (i32.const 2048)) (call $respond (i32.const 2048) (call $reply_length)) (i32.const 1)"""
    large = bytes(range(256)) * 2048

    async def host(*_: object) -> bytes:
        await asyncio.sleep(0)
        return large

    instance = await make(guest(body))
    assert await call(instance, host=host) == large


async def test_a_refused_capability_is_the_guests_to_handle(make: Make) -> None:
    async def host(*_: object) -> bytes:
        raise ProviderFailed("the store is on fire", hint="call the fire brigade")

    instance = await make(guest(ALL_OF_IT))
    with pytest.raises(ActorFailed, match=r"provider_error: the store is on fire \(call the fire brigade\)"):
        await call(instance, host=host)
    assert instance.alive


async def test_a_capability_reply_over_the_limit_is_an_error_to_the_guest(make: Make) -> None:
    async def host(*_: object) -> bytes:
        return bytes(1001)

    instance = await make(guest(ALL_OF_IT), max_message=1000)
    with pytest.raises(ActorFailed, match="too_large"):
        await call(instance, host=host)


async def test_a_capability_call_over_the_limit_is_an_error_to_the_guest(make: Make) -> None:
    body = f"""(drop {CALL} (i32.const 0) (i32.const 60000)))
      (call $error (i32.const 0)) (call $fail (i32.const 0) (call $error_length)) (i32.const 0)"""
    instance = await make(guest(body), max_message=1000)
    with pytest.raises(ActorFailed, match="too_large: a call of 60000 bytes"):
        await call(instance)


async def test_names_that_are_not_text_are_an_error_to_the_guest(make: Make) -> None:
    body = """(drop (call $call (i32.const 0) (i32.const 1) (i32.const 0) (i32.const 1)
      (i32.const 0) (i32.const 1) (i32.const 0) (i32.const 0)))
      (call $error (i32.const 8)) (call $fail (i32.const 8) (call $error_length)) (i32.const 0)"""
    instance = await make(guest(body, r'(data (i32.const 0) "\ff")'))
    with pytest.raises(ActorFailed, match="must be UTF-8"):
        await call(instance)


async def test_a_trap_after_a_capability_call_ends_the_guest(make: Make) -> None:
    async def host(*_: object) -> bytes:
        await asyncio.sleep(0)
        return b""

    instance = await make(guest(f"(drop {CALL} (i32.const 0) (i32.const 0))) unreachable"))
    with pytest.raises(GuestTrapped, match="unreachable"):
        await call(instance, host=host)


async def test_log_lines_and_capability_calls_keep_their_order(make: Make) -> None:
    events: list[object] = []

    async def host(*_: object) -> bytes:
        events.append("call")
        return b""

    body = f"""(call $log (i32.const 0) (i32.const 3)) (drop {CALL} (i32.const 0) (i32.const 0)))
      (call $log (i32.const 0) (i32.const 2)) (call $respond (i32.const 0) (i32.const 0)) (i32.const 1)"""
    instance = await make(
        guest(body, '(data (i32.const 0) "one")'), log=lambda source, text: events.append((source, text))
    )
    await call(instance, host=host)
    assert events == [("console", "one"), "call", ("console", "on")]


@pytest.mark.alone
async def test_a_loop_ends_at_its_deadline_and_others_go_on(make: Make) -> None:
    looping, healthy = await make(guest(LOOP)), await make(guest(ECHO))
    started = clock.monotonic()
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(_ends_at_its_deadline, looping)
        while looping.alive:
            assert await call(healthy, "Echo", b"hi") == b"hi"
            await asyncio.sleep(0.001)
    assert clock.monotonic() - started < 0.3
    assert not looping.alive


async def _ends_at_its_deadline(instance: Instance) -> None:
    with pytest.raises(DeadlineExceeded):
        await call(instance, timeout=0.2)


async def test_endless_capability_calls_end_at_the_deadline(make: Make) -> None:
    async def host(*_: object) -> bytes:
        return b""

    instance = await make(
        guest(f"(loop $again (drop {CALL} (i32.const 0) (i32.const 0))) (br $again)) (i32.const 1)")
    )
    with pytest.raises(DeadlineExceeded):
        await call(instance, timeout=0.1, host=host)


async def test_cancelling_the_caller_abandons_a_busy_fiber(engine: Engine, make: Make) -> None:
    instance = await make(guest(LOOP))
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05):
            await call(instance, timeout=60)
    assert not instance.alive
    assert engine.statistics().waiting == 0 or await _drained(engine)


async def _drained(engine: Engine) -> bool:
    await asyncio.sleep(0.02)
    return engine.statistics().waiting == 0


async def test_cancelling_the_caller_abandons_a_parked_fiber(make: Make) -> None:
    async def host(*_: object) -> bytes:
        await asyncio.sleep(60)
        return b""

    instance = await make(guest(f"(drop {CALL} (i32.const 0) (i32.const 0))) unreachable"))
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05):
            await call(instance, host=host)
    assert not instance.alive


async def test_closing_a_busy_instance_waits_for_its_call(make: Make) -> None:
    async def host(*_: object) -> bytes:
        instance.close()
        assert instance.alive
        return b"answer"

    instance = await make(guest(ALL_OF_IT))
    assert await call(instance, host=host) == b"answer"
    assert not instance.alive


async def test_many_guests_wait_at_once_without_threads(make: Make) -> None:
    gate = asyncio.Event()

    async def host(*_: object) -> bytes:
        await gate.wait()
        return b"answer"

    instances = [await make(guest(ALL_OF_IT)) for _ in range(200)]
    async with asyncio.TaskGroup() as tasks:
        running = [tasks.create_task(call(instance, host=host)) for instance in instances]
        await asyncio.sleep(0.05)
        gate.set()
    assert {task.result() for task in running} == {b"answer"}


async def test_one_message_at_a_time(make: Make) -> None:
    async def host(*_: object) -> bytes:
        with pytest.raises(InternalError):
            await call(instance)
        return b""

    instance = await make(guest(ALL_OF_IT))
    assert await call(instance, host=host) == b""


async def test_the_start_function_runs_when_its_imports_are_there(make: Make) -> None:
    lines = []
    extra = (
        '(func $begin (call $log (i32.const 0) (i32.const 5))) (start $begin) (data (i32.const 0) "hello")'
    )
    await make(guest(ECHO, extra), log=lambda _source, text: lines.append(text))
    assert lines == ["hello"]


async def test_start_functions_run_once_and_in_order(make: Make) -> None:
    lines = []
    names = ("wapc_init", "_initialize", "_start")
    extra = " ".join(
        f'(func (export "{name}") (call $log (i32.const {16 * n}) (i32.const {len(name)})))'
        f' (data (i32.const {16 * n}) "{name}")'
        for n, name in enumerate(names)
    )
    instance = await make(guest(ECHO, extra), log=lambda _source, text: lines.append(text))
    await call(instance)
    assert lines == ["_start", "_initialize", "wapc_init"]


@pytest.mark.parametrize(("body", "error"), [("(loop $l (br $l))", DeadlineExceeded), (TRAP, GuestTrapped)])
async def test_a_start_function_that_fails_leaves_no_instance(
    engine: Engine, make: Make, body: str, error: type[Exception]
) -> None:
    with pytest.raises(error, match="the start section"):
        await make(guest(ECHO, f"(func $begin {body}) (start $begin)"), start_timeout=0.05)
    assert engine.statistics().instances == 0
