"""Hosts answer on their control subjects: who they are, what runs, logs, uploads, deployments."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator

import anyio
import msgspec
import pytest

from actorhost import Client, Host, clock
from actorhost.errors import (
    ActorhostError,
    BadRequest,
    InvalidName,
    ModuleRefused,
    NoRoute,
    TooLarge,
    Unavailable,
)
from actorhost.host.control import MAX_REQUESTS
from actorhost.host.control_messages import (
    DeployRequest,
    InfoRequest,
    LogsRequest,
    StatusPage,
    StatusRequest,
)
from actorhost.host.control_messages import decode as decode_message
from actorhost.host.control_messages import encode as encode_message
from actorhost.host.remote_control import modules_by_digest
from actorhost.limits import Limits
from actorhost.transport.server import NatsServer
from actorhost.wire.codec import decode, encode
from actorhost.wire.envelope import VERSION, Envelope, Kind
from actorhost.wire.subject import control_subject
from tests.integration.host.conftest import actor, application
from tests.wat import ECHO, LOOP, TRAP, guest, wasm

LOG = """(call $request (i32.const 0) (i32.const 1024)) (call $log (i32.const 1024) (local.get $m))
(call $respond (i32.const 0) (i32.const 0)) (i32.const 1)"""
MANIFEST = b"""
apiVersion: core.oam.dev/v1beta1
kind: Application
metadata: {name: app, annotations: {version: v1}}
spec:
  components:
    - {name: one, type: actor, properties: {module: a.wasm}}
    - {name: two, type: actor, properties: {module: b/b.wasm}}
"""


@pytest.fixture
async def second(server: NatsServer) -> AsyncIterator[Host]:
    async with Host(nats=server.url) as running:
        yield running


def order(first: bytes, other: bytes, *, wait: bool = True) -> tuple[DeployRequest, dict[str, bytes]]:
    digests, modules = modules_by_digest({"a.wasm": first, "b/b.wasm": other})
    return DeployRequest(MANIFEST, "app.yaml", digests, wait), modules


async def raw_request(client: Client, subject: str, payload: bytes, kind: Kind = Kind.ASK) -> Envelope:
    """Send an envelope as another program might and return the answer as it came."""
    data = encode(Envelope(VERSION, kind, "call-1", payload))
    return decode(await client.transport.request(subject, data, 5))


async def test_a_host_says_who_it_is(nats_host: Host, client: Client) -> None:
    await nats_host.deploy_modules(application(actor("echo")), {"echo": guest(ECHO)})
    (info,) = await client.control.hosts(count=1)
    assert (info.id, info.lattice, info.pid) == (nats_host.id, "default", os.getpid())
    assert (info.actors, info.applications) == (1, 1)
    assert abs(info.started_ns - clock.wall_ns()) < 60e9


async def test_all_hosts_are_found_and_the_count_ends_the_wait(
    nats_host: Host, second: Host, client: Client
) -> None:
    started = clock.monotonic()
    hosts = await client.control.hosts(count=2, within=5)
    assert [info.id for info in hosts] == [nats_host.id, second.id]
    assert clock.monotonic() - started < 2
    assert len(await client.control.hosts(within=0.2)) == 2


async def test_no_host_is_no_error(client: Client) -> None:
    assert await client.control.hosts(within=0.05) == []


async def test_hosts_of_another_lattice_are_not_seen(nats_host: Host, server: NatsServer) -> None:
    async with Client(server.url, lattice="other") as stranger:
        assert await stranger.control.hosts(within=0.1) == []
        with pytest.raises(NoRoute, match=f"answers as host {nats_host.id}"):
            await stranger.control.actors(nats_host.id)


async def test_the_status_of_every_actor(nats_host: Host, client: Client) -> None:
    await nats_host.deploy_modules(
        application(actor("echo", instances=2), actor("fragile")),
        {"echo": guest(ECHO), "fragile": guest(TRAP)},
    )
    await client.ask("echo", "Echo", b"x")
    with pytest.raises(ActorhostError):
        await client.ask("fragile", "Op")
    echo, fragile = await client.control.actors(nats_host.id)
    assert (echo.name, echo.application, echo.instances, echo.replied) == ("echo", "app", 2, 1)
    assert (fragile.faults, fragile.replied, fragile.policy) == ({"trapped": 1}, 0, "reuse")
    assert echo.digest == nats_host.router.actors["echo"].module.digest


async def test_the_status_comes_in_pages(nats_host: Host, client: Client) -> None:
    specs = [actor(f"a{number:02}", module="m") for number in range(7)]
    await nats_host.deploy_modules(application(*specs), {"m": guest(ECHO)})
    subject = control_subject("default", nats_host.id, "status")
    seen: list[str] = []
    sizes: list[int] = []
    more = True
    while more:
        request = StatusRequest(after=seen[-1] if seen else "", count=3)
        page = decode_message(
            StatusPage, (await raw_request(client, subject, encode_message(request))).payload
        )
        seen += [status.name for status in page.actors]
        sizes.append(len(page.actors))
        more = page.more
    assert seen == [spec.name for spec in specs]
    assert sizes == [3, 3, 1]
    assert [status.name for status in await client.control.actors(nats_host.id)] == seen


async def test_the_last_lines_of_an_actor(nats_host: Host, client: Client) -> None:
    await nats_host.deploy_modules(application(actor("talker")), {"talker": guest(LOG)})
    for number in range(5):
        await client.ask("talker", "Log", b"line %d" % number)
    reply = await client.control.log(nats_host.id, "talker", 3)
    assert [line.text for line in reply.lines] == ["line 2", "line 3", "line 4"]
    assert not reply.cut
    with pytest.raises(NoRoute, match="no actor 'nobody' on this host"):
        await client.control.log(nats_host.id, "nobody")


async def test_a_long_log_is_cut_to_fit(nats_host: Host, client: Client) -> None:
    await nats_host.deploy_modules(application(actor("talker")), {"talker": guest(LOG)})
    log = nats_host.router.actors["talker"].log
    for number in range(1000):
        log.write("console", f"{number} " + "é" * 1900)
    reply = await client.control.log(nats_host.id, "talker", 1000)
    assert reply.cut
    assert 50 < len(reply.lines) < 200
    assert reply.lines[-1].text.startswith("999 ")


async def test_deploying_uploads_what_is_missing(nats_host: Host, client: Client) -> None:
    large = guest(ECHO, f'(data (i32.const 8192) "{"x" * 40_000}")')
    large += b"\0" + b"\x84\x80\xb0\x00" + b"\x03pad" + bytes(0x0C0000)  # a custom section of 768 KiB
    request, modules = order(large, guest(ECHO))
    progress: list[int] = []
    reply = await client.control.deploy(nats_host.id, request, modules, progress=progress.append)
    assert (reply.application, reply.version, reply.actors) == ("app", "v1", ("one", "two"))
    assert reply.finished
    assert sum(progress) == sum(map(len, modules.values()))
    assert len(progress) > 4
    assert await client.ask("one", "Echo", b"hello") == b"hello"
    assert await client.ask("two", "Echo", b"hello") == b"hello"


async def test_deploying_to_two_hosts_shares_the_work(nats_host: Host, second: Host, client: Client) -> None:
    request, modules = order(guest(ECHO), guest(ECHO))
    async with anyio.create_task_group() as tasks:
        for host in (nats_host, second):
            tasks.start_soon(client.control.deploy, str(host.id), request, modules)
    for _ in range(40):
        await client.ask("one", "Echo", b"x")
    counts = [host.router.actors["one"].counts.replied for host in (nats_host, second)]
    assert sum(counts) == 40
    assert min(counts) > 0


async def test_two_clients_may_upload_the_same_module(
    nats_host: Host, client: Client, server: NatsServer
) -> None:
    padded = guest(ECHO) + b"\0" + b"\x84\x80\xb0\x00" + b"\x03pad" + bytes(0x0C0000)
    request, modules = order(padded, guest(ECHO))
    async with Client(server.url) as other, anyio.create_task_group() as tasks:
        for each in (client, other):
            tasks.start_soon(each.control.deploy, str(nats_host.id), request, modules)
    assert await client.ask("one", "Echo", b"x") == b"x"


async def test_without_wait_the_answer_comes_before_the_actors(nats_host: Host, client: Client) -> None:
    request, modules = order(guest(ECHO), guest(ECHO), wait=False)
    reply = await client.control.deploy(nats_host.id, request, modules)
    assert not reply.finished
    async with asyncio.timeout(5):
        while "two" not in nats_host.router.actors:  # noqa: ASYNC110 - a deployment has no event
            await asyncio.sleep(0.01)
    assert await client.ask("two", "Echo", b"x") == b"x"


async def test_what_a_host_refuses_says_why_and_where(nats_host: Host, client: Client) -> None:
    request, modules = order(guest(ECHO), wasm("(module)"))
    with pytest.raises(ActorhostError, match="actor 'two': the module cannot run here") as refusal:
        await client.control.deploy(nats_host.id, request, modules)
    assert refusal.value.code == ModuleRefused.code
    assert refusal.value.where == f"host {nats_host.id}"
    assert not nats_host.router.actors
    broken = msgspec.structs.replace(request, manifest=b"kind: Nonsense")
    with pytest.raises(BadRequest, match=r"app\.yaml:1:"):
        await client.control.deploy(nats_host.id, broken, modules)


async def test_a_deployment_names_every_module_and_has_uploaded_it(nats_host: Host, client: Client) -> None:
    request, _ = order(guest(ECHO), guest(LOOP))
    subject = control_subject("default", nats_host.id, "deploy")
    answer = await raw_request(client, subject, encode_message(request))
    assert answer.fault is not None
    assert "does not have module" in answer.fault.message
    unnamed = msgspec.structs.replace(request, modules={})
    answer = await raw_request(client, subject, encode_message(unnamed))
    assert answer.fault is not None
    assert "no digest for a.wasm, b/b.wasm" in answer.fault.message


async def test_a_module_over_the_hosts_limit_does_not_travel(server: NatsServer, client: Client) -> None:
    async with Host(nats=server.url, limits=Limits(max_module=1000)) as small:
        request, modules = order(guest(ECHO) + bytes(2000), guest(ECHO))
        with pytest.raises(TooLarge, match="over the host's limit of 1000"):
            await client.control.deploy(small.id, request, modules)


@pytest.mark.parametrize(
    ("operation", "payload", "said"),
    [
        ("reboot", b"", "no operation 'reboot'"),
        ("info", b"\xc1", "no InfoRequest"),
        ("status", encode_message({"count": 100_000}), "no StatusRequest"),
        ("logs", encode_message(LogsRequest("Not A Name")), "no LogsRequest"),
        ("module-offer", encode_message({"digest": "../../etc", "size": 1}), "no ModuleOffer"),
        ("deploy", b"", "no DeployRequest"),
    ],
)
async def test_nonsense_is_answered_with_what_is_wrong(
    nats_host: Host, client: Client, operation: str, payload: bytes, said: str
) -> None:
    answer = await raw_request(client, control_subject("default", nats_host.id, operation), payload)
    assert answer.kind is Kind.FAULT
    assert answer.fault is not None
    assert answer.fault.code == "bad_request"
    assert said in answer.fault.message
    assert answer.fault.where == f"host {nats_host.id}"


async def test_only_info_may_be_asked_of_all(nats_host: Host, client: Client) -> None:
    subject = control_subject("default", "all", "status")
    answer = await raw_request(client, subject, encode_message(StatusRequest()))
    assert answer.source == nats_host.id
    assert answer.fault is not None
    assert "may not be asked of all hosts" in answer.fault.message


async def test_what_is_no_ask_is_refused_and_what_needs_no_answer_gets_none(
    nats_host: Host, client: Client
) -> None:
    subject = control_subject("default", nats_host.id, "info")
    answer = await raw_request(client, subject, encode_message(InfoRequest()), Kind.TELL)
    assert answer.fault is not None
    assert "a host takes asks" in answer.fault.message
    garbage = decode(await client.transport.request(subject, b"garbage", 5))
    assert garbage.fault is not None
    await client.transport.publish(subject, b"garbage")
    assert len(await client.control.hosts(count=1)) == 1


async def test_requests_beyond_the_limit_are_refused_at_once(nats_host: Host, client: Client) -> None:
    request, modules = order(guest(ECHO), guest(ECHO))
    await client.control.deploy(nats_host.id, request, modules)
    subject = control_subject("default", nats_host.id, "deploy")
    # Deployments wait for one another: as many as may be in hand wait behind this one.
    async with nats_host._deploying, anyio.create_task_group() as tasks:
        for _ in range(MAX_REQUESTS):
            tasks.start_soon(raw_request, client, subject, encode_message(request))
        await anyio.sleep(0.3)
        refused = await raw_request(client, subject, encode_message(request))
        tasks.cancel_scope.cancel()
    assert refused.fault is not None
    assert refused.fault.code == "overloaded"
    assert refused.fault.retryable


async def test_a_request_in_hand_when_the_host_stops_is_answered(server: NatsServer, client: Client) -> None:
    request, modules = order(guest(ECHO), guest(ECHO))
    host = Host(nats=server.url)
    faults: list[BaseException] = []

    async def deploy() -> None:
        with pytest.raises(Unavailable) as fault:
            await client.control.deploy(host.id, request, modules)
        faults.append(fault.value)

    async with host:
        await host._deploying.acquire()
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(deploy)
            await anyio.sleep(0.3)
            await host.__aexit__(None, None, None)
    (fault,) = faults
    assert "the host stopped while it was at it" in str(fault)


async def test_a_host_id_is_checked_before_anything_is_sent(client: Client) -> None:
    with pytest.raises(InvalidName, match="not a host id"):
        await client.control.actors("all")
