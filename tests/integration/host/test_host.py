"""What a host promises to callers: replies, typed faults, deadlines, chains and replacement."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import anyio
import msgpack
import pytest

from actorhost import Client, Host, clock
from actorhost.errors import (
    ActorFailed,
    CallTimeout,
    Closed,
    DeadlineExceeded,
    GuestTrapped,
    InvalidInput,
    InvalidName,
    ModuleRefused,
    NoRoute,
    Overloaded,
    TooLarge,
)
from actorhost.ids import ActorName, Digest
from actorhost.limits import Limits
from actorhost.manifest import InstancePolicy, LinkSpec
from actorhost.transport import NatsServer, NatsTransport
from actorhost.wire.codec import decode, encode
from actorhost.wire.envelope import Envelope, Kind
from tests.integration.host.conftest import KEYVALUE, actor, application, link
from tests.wat import COUNTER, ECHO, LOOP, TRAP, guest


def _forward(target: str) -> bytes:
    """Return a guest that passes its payload on to actor `target` and answers what that answers."""
    body = f"""(call $request (i32.const 512) (i32.const 1024))
      (if (i32.eqz (call $call (i32.const 0) (i32.const 0) (i32.const 0) (i32.const {len(target)})
        (i32.const 64) (i32.const 2) (i32.const 1024) (local.get $m))) (then
          (call $error (i32.const 2048))
          (call $fail (i32.const 2048) (call $error_length)) (return (i32.const 0))))
      (call $reply (i32.const 2048)) (call $respond (i32.const 2048) (call $reply_length)) (i32.const 1)"""
    return guest(body, f'(data (i32.const 0) "{target}") (data (i32.const 64) "Op")')


async def test_an_actor_answers_by_name(host: Host) -> None:
    await host.deploy_modules(application(actor("echo")), {"echo": guest(ECHO)})
    assert await host.ask("echo", "Echo", b"hello") == b"hello"


async def test_a_client_reaches_it_over_nats(nats_host: Host, client: Client) -> None:
    await nats_host.deploy_modules(application(actor("echo")), {"echo": guest(ECHO)})
    assert await client.ask("echo", "Any.operation / at all", b"hello") == b"hello"
    payload = bytes(700_000)
    with pytest.raises(GuestTrapped):  # one page of memory is too small for it
        await client.ask("echo", "Echo", payload)
    assert await client.ask("echo", "Echo", b"and it is back") == b"and it is back"


async def _until(condition: Callable[[], bool]) -> None:
    """Wait for something that ends without telling anybody."""
    async with asyncio.timeout(5):
        while not condition():  # noqa: ASYNC110 - counters have no events
            await asyncio.sleep(0.01)


async def test_what_happens_to_nobody(host: Host) -> None:
    with pytest.raises(NoRoute):
        await host.ask("nobody", "Echo", b"")


async def test_a_tell_is_handled_and_not_answered(nats_host: Host, client: Client) -> None:
    await nats_host.deploy_modules(application(actor("counter")), {"counter": guest(COUNTER)})
    await nats_host.tell("counter", "Count")
    await client.tell("counter", "Count")
    counts = nats_host.router.actors["counter"].counts
    await _until(lambda: counts.replied == 2)
    assert await client.ask("counter", "Count") == (3).to_bytes(4, "little")


async def test_a_tell_has_the_time_of_its_actor_and_not_of_its_sender(
    nats_host: Host, server: NatsServer
) -> None:
    spec = actor("slow", timeout=0.6)
    await nats_host.deploy_modules(application(spec), {"slow": guest(LOOP)})
    impatient = Limits(call_timeout=0.05)
    async with Client(server.url, limits=impatient) as client:
        await client.tell("slow", "Op")
    slow = nats_host.router.actors["slow"]
    await _until(lambda: slow.counts.faults is not None)
    assert slow.durations.total > 0.5


async def test_a_trap_is_a_fault_and_the_instance_is_replaced(host: Host) -> None:
    body = f"(if (local.get $m) (then {TRAP})) {COUNTER}"
    await host.deploy_modules(application(actor("fragile")), {"fragile": guest(body)})
    assert await host.ask("fragile", "Op") == (1).to_bytes(4, "little")
    assert await host.ask("fragile", "Op") == (2).to_bytes(4, "little")
    with pytest.raises(GuestTrapped) as fault:
        await host.ask("fragile", "Op", b"x")
    assert fault.value.where == "actor fragile"
    assert await host.ask("fragile", "Op") == (1).to_bytes(4, "little")
    assert host.router.actors["fragile"].instances_made == 2


async def test_per_call_instances_remember_nothing(host: Host) -> None:
    spec = actor("counter", policy=InstancePolicy.PER_CALL)
    await host.deploy_modules(application(spec), {"counter": guest(COUNTER)})
    for _ in range(3):
        assert await host.ask("counter", "Op") == (1).to_bytes(4, "little")
    assert host.engine_statistics().instances == 0


async def test_the_guest_ends_at_the_callers_deadline(host: Host) -> None:
    await host.deploy_modules(application(actor("loop")), {"loop": guest(LOOP)})
    started = clock.monotonic()
    with pytest.raises(DeadlineExceeded):
        await host.ask("loop", "Op", timeout=0.2)
    assert clock.monotonic() - started < 0.4


async def test_modules_that_were_not_given_are_named(host: Host) -> None:
    with pytest.raises(InvalidInput, match="no bytes given for module echo, other"):
        await host.deploy_modules(application(actor("other"), actor("echo")), {})


async def test_refusals_that_wait_are_sent_before_a_host_is_gone(server: NatsServer, client: Client) -> None:
    answers: list[bytes] = []
    await client.transport.subscribe("answers", lambda _subject, _reply, data: answers.append(data))
    async with Host(nats=server.url) as host:
        for _ in range(200):
            host.router.refuse("answers", "1", NoRoute("not here"), "host")
    await _until(lambda: len(answers) == 200)
    host.router.refuse("answers", "1", NoRoute("not here"), "host")
    assert host.router.refusals_dropped == 1


async def test_the_actors_own_timeout_bounds_remote_callers(nats_host: Host, client: Client) -> None:
    await nats_host.deploy_modules(application(actor("loop", timeout=0.1)), {"loop": guest(LOOP)})
    started = clock.monotonic()
    with pytest.raises(DeadlineExceeded):
        await client.ask("loop", "Op", timeout=5)
    assert clock.monotonic() - started < 1


async def test_the_actors_own_timeout_bounds_local_callers(host: Host) -> None:
    await host.deploy_modules(application(actor("loop", timeout=0.1)), {"loop": guest(LOOP)})
    started = clock.monotonic()
    with pytest.raises(DeadlineExceeded):
        await host.ask("loop", "Op", timeout=5)
    assert clock.monotonic() - started < 1


async def test_instances_work_side_by_side(host: Host) -> None:
    modules = {"slow": guest(LOOP), "echo": guest(ECHO)}
    await host.deploy_modules(application(actor("slow", instances=4), actor("echo")), modules)
    started = clock.monotonic()
    async with anyio.create_task_group() as tasks:
        for _ in range(4):
            tasks.start_soon(_expect_deadline, host, 0.3)
    assert clock.monotonic() - started < 0.6


async def _expect_deadline(host: Host, timeout: float) -> None:
    with pytest.raises(DeadlineExceeded):
        await host.ask("slow", "Op", timeout=timeout)


async def test_a_message_that_waited_too_long_is_not_run(host: Host) -> None:
    await host.deploy_modules(application(actor("slow")), {"slow": guest(LOOP)})
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(_expect_deadline, host, 0.4)
        await asyncio.sleep(0.05)
        with pytest.raises(CallTimeout) as fault:
            await host.ask("slow", "Op", timeout=0.2)
    assert "waited in the mailbox" in str(fault.value) or "before the deadline" in str(fault.value)
    await _until(lambda: host.router.actors["slow"].counts.expired == 1)


async def test_a_full_mailbox_refuses_at_once(host: Host) -> None:
    await host.deploy_modules(application(actor("slow", mailbox_count=1)), {"slow": guest(LOOP)})
    outcomes: list[str] = []

    async def ask() -> None:
        try:
            await host.ask("slow", "Op", timeout=0.3)
        except (DeadlineExceeded, CallTimeout, Overloaded) as error:
            outcomes.append(error.code)

    async with anyio.create_task_group() as tasks:
        for _ in range(5):
            tasks.start_soon(ask)
            await asyncio.sleep(0.01)
    assert outcomes.count("overloaded") == 3
    assert host.router.actors["slow"].mailbox_statistics().refused == 3


async def test_actors_call_one_another_by_name(host: Host) -> None:
    actors = (actor("front", links=(link("back"),)), actor("back"))
    await host.deploy_modules(application(*actors), {"front": _forward("back"), "back": guest(ECHO)})
    assert await host.ask("front", "Op", b"hello") == b"hello"


async def test_an_actor_on_another_host_is_reached_the_same_way(nats_host: Host, server_url: str) -> None:
    async with Host(nats=server_url) as other:
        await other.deploy_modules(application(actor("back"), name="other"), {"back": guest(ECHO)})
        front = application(actor("front", links=(link("back"),)))
        await nats_host.deploy_modules(front, {"front": _forward("back")})
        assert await nats_host.ask("front", "Op", b"hello") == b"hello"
        assert other.router.actors["back"].counts.replied == 1


async def test_a_call_without_a_link_is_refused_with_what_to_change(host: Host) -> None:
    modules = {"front": _forward("back"), "back": guest(ECHO)}
    await host.deploy_modules(application(actor("front"), actor("back")), modules)
    with pytest.raises(ActorFailed, match=r"denied: .*'front'.*'back'"):
        await host.ask("front", "Op", b"hello")


async def test_an_actor_that_waits_for_itself_is_refused(host: Host) -> None:
    actors = (actor("one", links=(link("two"),)), actor("two", links=(link("one"),)))
    await host.deploy_modules(application(*actors), {"one": _forward("two"), "two": _forward("one")})
    with pytest.raises(ActorFailed, match=r"denied: .*already waiting in one > two"):
        await host.ask("one", "Op", b"hello")


async def test_a_chain_is_only_so_deep_and_its_time_shrinks(host: Host) -> None:
    names = [f"a{n}" for n in range(20)]
    actors = [actor(name, links=(link(after),)) for name, after in pairwise(names)]
    modules = {name: _forward(after) for name, after in pairwise(names)}
    modules[names[-1]] = guest(LOOP)
    await host.deploy_modules(application(*actors, actor(names[-1])), modules)
    with pytest.raises(ActorFailed, match="actors deep"):
        await host.ask("a0", "Op", b"x")
    started = clock.monotonic()
    with pytest.raises((ActorFailed, DeadlineExceeded)):
        await host.ask("a10", "Op", b"x", timeout=0.3)
    assert clock.monotonic() - started < 0.7


async def test_one_bad_module_leaves_the_running_application_alone(host: Host) -> None:
    await host.deploy_modules(application(actor("echo")), {"echo": guest(ECHO)})
    with pytest.raises(ModuleRefused, match="actor 'echo': "):
        await host.deploy_modules(application(actor("echo")), {"echo": b"not wasm"})
    assert await host.ask("echo", "Op", b"still here") == b"still here"


async def test_a_host_opens_once() -> None:
    host = Host()
    async with host:
        pass
    with pytest.raises(Closed):
        await host.__aenter__()


async def test_an_actor_name_belongs_to_one_application(host: Host) -> None:
    await host.deploy_modules(application(actor("echo")), {"echo": guest(ECHO)})
    with pytest.raises(InvalidInput, match="'app' already has actors named echo"):
        await host.deploy_modules(application(actor("echo"), name="other"), {"echo": guest(ECHO)})


async def test_a_link_of_a_contract_that_was_not_declared_is_refused(host: Host) -> None:
    linked = LinkSpec(target=ActorName("store"), namespace=KEYVALUE)
    with pytest.raises(InvalidInput, match="does not declare the contract actorhost:keyvalue"):
        await host.deploy_modules(
            application(actor("echo", links=(linked,)), store=True), {"echo": guest(ECHO)}
        )
    assert host.deployments == {}


async def test_modules_are_read_beside_the_manifest_and_held_to_their_digest(
    host: Host, tmp_path: Path
) -> None:
    wasm = guest(ECHO)
    (tmp_path / "echo.wasm").write_bytes(wasm)
    await host.deploy(application(actor("echo", module="echo.wasm", digest=Digest.of(wasm))), str(tmp_path))
    assert await host.ask("echo", "Op", b"x") == b"x"
    with pytest.raises(ModuleRefused, match="the manifest says"):
        await host.deploy(application(actor("echo", module="echo.wasm", digest=Digest.of(b""))), tmp_path)
    with pytest.raises(InvalidInput, match=r"missing\.wasm"):
        await host.deploy(application(actor("echo", module="missing.wasm")), tmp_path)


async def test_names_are_checked_before_anything_is_sent(host: Host) -> None:
    with pytest.raises(InvalidName):
        await host.ask("No Such Name", "Op")
    with pytest.raises(InvalidName):
        await host.ask("echo", "")


async def test_what_is_in_hand_when_the_host_stops_is_answered(host: Host) -> None:
    await host.deploy_modules(application(actor("slow")), {"slow": guest(LOOP)})
    errors: list[Closed] = []

    async def ask() -> None:
        try:
            await host.ask("slow", "Op", timeout=30)
        except Closed as error:
            errors.append(error)

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(ask)
        tasks.start_soon(ask)
        await asyncio.sleep(0.05)
        await host.deployments.pop("app").stop()
    assert sorted(error.outcome_known for error in errors) == [False, True]


async def _raw(url: str, subject: str, data: bytes) -> Envelope:
    transport = NatsTransport(url, name="raw", limits=Limits())
    await transport.start()
    try:
        return decode(await transport.request(subject, data, 2))
    finally:
        await transport.close()


@pytest.mark.parametrize("data", [b"", b"hello", msgpack.packb({"a": 1}), msgpack.packb([2, 1, "x", b""])])
async def test_bytes_that_are_no_envelope_are_answered(nats_host: Host, server_url: str, data: bytes) -> None:
    await nats_host.deploy_modules(application(actor("echo")), {"echo": guest(ECHO)})
    answer = await _raw(server_url, "ah.default.rpc.echo.Echo", data)
    assert answer.fault is not None
    assert answer.fault.code == "bad_request"


async def test_a_reply_sent_to_an_actor_is_answered(nats_host: Host, server_url: str) -> None:
    await nats_host.deploy_modules(application(actor("echo")), {"echo": guest(ECHO)})
    data = encode(Envelope(1, Kind.REPLY, "id", b""))
    answer = await _raw(server_url, "ah.default.rpc.echo.Echo", data)
    assert answer.fault is not None
    assert answer.id == "id"


async def test_an_operation_spelled_in_another_way_is_answered(nats_host: Host, server_url: str) -> None:
    await nats_host.deploy_modules(application(actor("echo")), {"echo": guest(ECHO)})
    data = encode(Envelope(1, Kind.ASK, "id", b""))
    answer = await _raw(server_url, "ah.default.rpc.echo.%41", data)
    assert answer.fault is not None
    assert "canonical" in answer.fault.message


async def test_a_reply_over_the_servers_limit_is_a_fault(nats_host: Host, client: Client) -> None:
    body = (
        "(drop (memory.grow (i32.const 40))) (call $respond (i32.const 0) (i32.const 1100000)) (i32.const 1)"
    )
    spec = actor("big", memory=16 << 20, max_message=2 << 20)
    await nats_host.deploy_modules(application(spec), {"big": guest(body)})
    with pytest.raises(TooLarge, match="server's limit"):
        await client.ask("big", "Op")


async def test_a_store_is_shared_by_the_actors_linked_to_it(host: Host) -> None:

    linked = LinkSpec(target=ActorName("store"), namespace=KEYVALUE)
    root = Path(__file__).parents[3]
    counter = (root / "actors" / "counter" / "counter.wasm").read_bytes()
    actors = [
        actor(name, module="counter", contracts=(KEYVALUE,), links=(linked,)) for name in ("one", "two")
    ]
    await host.deploy_modules(application(*actors, store=True), {"counter": counter})
    payload = msgpack.packb({"key": "visits"})
    await host.ask("one", "Increment", payload)
    assert msgpack.unpackb(await host.ask("two", "Increment", payload)) == 2
