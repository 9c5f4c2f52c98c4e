"""Messages from subjects reach an operation once, in order, or end where they can be found."""

from __future__ import annotations

import asyncio
import functools
from collections import Counter
from collections.abc import AsyncIterator
from typing import Any

import msgpack
import pytest

from actorhost import Client, Host
from actorhost.errors import CallFailed, NoRoute
from actorhost.host.actor import Actor
from actorhost.host.payload import MAX_LOOKED_INTO
from actorhost.ids import OperationName, SubjectPattern
from actorhost.limits import KIB
from actorhost.manifest import IngestSpec, PayloadFormat
from actorhost.transport import NatsServer
from actorhost.wire.codec import decode
from actorhost.wire.envelope import Kind
from actorhost.wire.fault import error_of
from tests.integration.host.conftest import PATIENCE, actor, application, until
from tests.integration.host.test_overload import letters
from tests.transports import Arrivals
from tests.wat import ECHO, LOOP, TRAP, guest

LOG = """(call $request (i32.const 0) (i32.const 1024)) (call $log (i32.const 1024) (local.get $m))
(call $respond (i32.const 0) (i32.const 0)) (i32.const 1)"""
NAME_ITSELF = """(call $request (i32.const 0) (i32.const 1024))
(call $respond (i32.const 0) (local.get $o)) (i32.const 1)"""


def ingest(subject: str, operation: str = "Read", **options: Any) -> IngestSpec:
    return IngestSpec(subject=SubjectPattern.parse(subject), operation=OperationName(operation), **options)


async def deploy(host: Host, body: str, *ingests: IngestSpec, **options: Any) -> None:
    """Run actor ``sink``, which is fed by `ingests`."""
    await host.deploy_modules(
        application(actor("sink", ingests=ingests, **options)), {"sink": guest(body, pages=16)}
    )


async def answer_of(host: Host, subject: str, data: bytes) -> bytes:
    return await host.transport.request(subject, data, PATIENCE)


def fault_in(data: bytes) -> CallFailed:
    envelope = decode(data)
    assert envelope.kind is Kind.FAULT
    assert envelope.fault is not None
    error = error_of(envelope.fault)
    assert isinstance(error, CallFailed)
    return error


@pytest.mark.parametrize(
    ("form", "data", "expected"),
    [
        (PayloadFormat.JSON, b'{"t": 21.5}', {"t": 21.5}),
        (PayloadFormat.MESSAGEPACK, b"\x81\xa1t\x15", {"t": 21}),
        (PayloadFormat.RAW, b"\x00\xff", b"\x00\xff"),
    ],
)
async def test_the_actor_gets_what_was_sent_and_its_reply_goes_back_as_it_is(
    host: Host, form: PayloadFormat, data: bytes, expected: object
) -> None:
    await deploy(
        host, ECHO, ingest("plain.*", payload=form), ingest("named.>", payload=form, with_subject=True)
    )
    plain = await answer_of(host, "plain.a", data)
    assert (plain if form is PayloadFormat.RAW else msgpack.unpackb(plain)) == expected
    named = await answer_of(host, "named.küche.7.temp", data)
    assert msgpack.unpackb(named) == {"subject": "named.küche.7.temp", "payload": expected}
    assert host.router.actors["sink"].counts.ingested == 2


async def test_the_operation_is_the_one_in_the_manifest(host: Host) -> None:
    await deploy(host, NAME_ITSELF, ingest("a", "Read"), ingest("b", "wasi:x/y.See"))
    assert await answer_of(host, "a", b"1") == b"Read"
    assert await answer_of(host, "b", b"1") == b"wasi:x/y.See"


async def test_messages_of_one_sender_come_in_order(host: Host) -> None:
    await deploy(host, LOG, ingest("lines", payload=PayloadFormat.RAW))
    for n in range(100):
        await host.transport.publish("lines", b"%d" % n)
    sink = host.router.actors["sink"]
    await until(lambda: sink.counts.replied == 100)
    assert [line.text for line in sink.log.tail(100)] == [str(n) for n in range(100)]


async def test_what_is_malformed_is_counted_and_kept_with_the_reason(nats_host: Host, client: Client) -> None:
    await deploy(nats_host, ECHO, ingest("a.>"), ingest("raw", payload=PayloadFormat.RAW), max_message=KIB)
    await client.transport.publish("a.kitchen", b"{temp: 21}")
    await client.transport.publish("a.big", b'"' + b"x" * KIB + b'"')
    await client.transport.publish("a.grows", b"[" + b",".join([b"1.5"] * 200) + b"]")
    await client.transport.publish("raw", bytes(KIB + 1))
    await client.transport.publish("a.good", b"1")
    found = await letters(client, 4)
    assert [(each.source, each.operation, each.code, each.payload[:4]) for each in found] == [
        ("a.kitchen", "Read", "bad_request", b"{tem"),
        ("a.big", "Read", "too_large", b'"xxx'),
        ("a.grows", "Read", "too_large", b"[1.5"),
        ("raw", "Read", "too_large", b"\0\0\0\0"),
    ]
    assert found[0].reason.startswith("the payload is not JSON: JSON is malformed")
    assert "ingest trait" in found[0].hint
    (status,) = await client.control.actors(nats_host.id)
    assert (status.ingested, status.malformed, status.dead, status.refused) == (1, 4, 4, 0)


async def test_a_sender_who_waits_gets_a_fault(nats_host: Host, client: Client) -> None:
    await deploy(nats_host, TRAP, ingest("a"), ingest("quiet", answer=False))
    malformed = fault_in(await client.transport.request("a", b"{", PATIENCE))
    assert (malformed.code, malformed.where) == ("bad_request", "actor sink")
    trapped = fault_in(await client.transport.request("a", b"{}", PATIENCE))
    assert trapped.code == "trapped"
    assert [letter.payload for letter in await letters(client, 1)] == [b"{"]


async def test_answers_can_be_left_to_others(nats_host: Host, client: Client) -> None:
    """A stream that stores the same subject acknowledges on the reply subject: we must keep off it."""
    await deploy(nats_host, ECHO, ingest("a", answer=False))
    answers = Arrivals()
    listening = await client.transport.subscribe("answers", answers)
    await client.transport.publish("a", b"1", "answers")
    await client.transport.publish("a", b"{", "answers")
    await client.transport.publish("a", b"2", "answers")
    counts = nats_host.router.actors["sink"].counts
    await until(lambda: counts.replied == 2)
    await client.transport.flush(PATIENCE)
    await listening.close()
    assert answers.messages == []
    assert len(await letters(client, 1)) == 1


async def test_what_finds_no_room_is_kept_as_it_would_have_been_delivered(
    nats_host: Host, client: Client
) -> None:
    await deploy(nats_host, LOOP, ingest("a.*", with_subject=True), mailbox_count=1, timeout=1.0)
    for n in range(5):
        await client.transport.publish(f"a.{n}", b"[%d]" % n)
        await client.transport.flush(PATIENCE)
    assert fault_in(await client.transport.request("a.9", b"1", PATIENCE)).code == "overloaded"
    found = [letter for letter in await letters(client, 3) if letter.code == "overloaded"]
    assert [(each.source, each.operation, msgpack.unpackb(each.payload)) for each in found] == [
        (f"a.{n}", "Read", {"subject": f"a.{n}", "payload": [n]}) for n in (2, 3, 4)
    ]
    counts = nats_host.router.actors["sink"].counts
    assert (counts.ingested, counts.refused, counts.malformed) == (2, 4, 0)


@pytest.fixture
async def hosts(server: NatsServer) -> AsyncIterator[list[Host]]:
    """Three hosts of one lattice."""
    async with Host(nats=server.url) as one, Host(nats=server.url) as two, Host(nats=server.url) as three:
        yield [one, two, three]


async def test_of_several_hosts_one_takes_each_message(hosts: list[Host], client: Client) -> None:
    for host in hosts:
        await deploy(host, LOG, ingest("a.*", payload=PayloadFormat.RAW))
    for n in range(300):
        await client.transport.publish(f"a.{n % 7}", b"%d" % n)
    counts = [host.router.actors["sink"].counts for host in hosts]
    await until(lambda: sum(each.replied for each in counts) >= 300)
    await client.transport.flush(PATIENCE)
    assert sum(each.ingested for each in counts) == 300
    assert all(each.ingested for each in counts)
    seen = Counter(line.text for host in hosts for line in host.router.actors["sink"].log.tail(300))
    assert seen == {str(n): 1 for n in range(300)}


async def test_patterns_that_overlap_each_get_the_message_and_so_do_other_actors(
    hosts: list[Host], client: Client
) -> None:
    two = (
        actor("sink", ingests=(ingest("a.*", "One"), ingest("a.b", "Two"))),
        actor("other", ingests=(ingest("a.b", "Three"),)),
    )
    for host in hosts:
        await host.deploy_modules(application(*two), {"sink": guest(LOG), "other": guest(LOG)})
    for _ in range(50):
        await client.transport.publish("a.b", b"1")
    await until(lambda: _ingested(hosts, "sink") == 100 and _ingested(hosts, "other") == 50)


def _holds(sink: Actor, waiting: int) -> bool:
    """Whether one message is in hand and `waiting` wait."""
    return sink.counts.ingested == waiting + 1 and sink.mailbox_statistics().waiting == waiting


def _ingested(hosts: list[Host], name: str) -> int:
    return sum(host.router.actors[name].counts.ingested for host in hosts)


async def test_two_lattices_on_one_server_do_not_share(server: NatsServer, client: Client) -> None:
    async with Host(nats=server.url, lattice="one") as one, Host(nats=server.url, lattice="two") as two:
        for host in (one, two):
            await deploy(host, LOG, ingest("a"))
        for _ in range(10):
            await client.transport.publish("a", b"1")
        await until(lambda: [_ingested([host], "sink") for host in (one, two)] == [10, 10])


async def test_a_new_version_takes_what_it_says_and_an_end_takes_nothing(
    nats_host: Host, client: Client
) -> None:
    await deploy(nats_host, NAME_ITSELF, ingest("a", "Old"))
    assert await client.transport.request("a", b"1", PATIENCE) == b"Old"
    subscriptions = nats_host.transport.statistics().subscriptions
    await deploy(nats_host, NAME_ITSELF, ingest("b", "New"))
    with pytest.raises(NoRoute):
        await client.transport.request("a", b"1", PATIENCE)
    assert await client.transport.request("b", b"1", PATIENCE) == b"New"
    assert nats_host.transport.statistics().subscriptions == subscriptions


async def test_a_host_without_room_leaves_the_subject_to_one_that_has(
    nats_host: Host, hosts: list[Host], client: Client
) -> None:
    other = hosts[0]
    await deploy(nats_host, LOOP, ingest("a"), mailbox_count=2, timeout=5.0)
    sink = nats_host.router.actors["sink"]
    for waiting in range(3):  # the first is in hand
        await client.transport.publish("a", b"1")
        await until(functools.partial(_holds, sink, waiting))
    await client.transport.publish("a", b"1")
    await deploy(other, ECHO, ingest("a"))
    await until(lambda: nats_host.router.intake.away("sink"))
    assert [await client.transport.request("a", b"7", PATIENCE) for _ in range(10)] == [b"\x07"] * 10


async def test_a_flood_of_malformed_payloads_holds_up_nobody(nats_host: Host, client: Client) -> None:
    await deploy(nats_host, ECHO, ingest("a"))
    worst = b"[" + b"[]," * (MAX_LOOKED_INTO // 3 - 1) + b"[}"
    async with asyncio.timeout(PATIENCE):
        for _ in range(50):
            await client.transport.publish("a", worst)
        assert await client.ask("sink", "Op", b"still here") == b"still here"
        await until(lambda: nats_host.router.actors["sink"].counts.malformed == 50)
