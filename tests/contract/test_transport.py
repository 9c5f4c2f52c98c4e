"""Every transport keeps the same promises: run against memory and against a real nats-server."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
import pytest_asyncio

from actorhost import clock
from actorhost.errors import CallTimeout, Closed, InvalidName, NoRoute, TooLarge
from actorhost.limits import Limits
from actorhost.transport import MemoryBus, MemoryTransport, NatsServer, NatsTransport, Transport
from tests.transports import PATIENCE, Arrivals, answering, ended, started

Connect = Callable[[], Awaitable[Transport]]


@pytest_asyncio.fixture(params=["memory", "nats"])
async def connect(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Connect]:
    """Return a function that opens one more transport on the same bus; all are closed in the end."""
    async with AsyncExitStack() as stack:
        if request.param == "memory":
            bus = MemoryBus()
            make: Callable[[], Transport] = lambda: MemoryTransport(bus)
        else:
            server = await stack.enter_async_context(NatsServer(tmp_path / "nats", limits=Limits()))
            make = lambda: NatsTransport(server.url, name="test", limits=Limits())

        async def open_one() -> Transport:
            transport = make()
            await transport.start()
            stack.push_async_callback(transport.close)
            return transport

        yield open_one


@pytest_asyncio.fixture
async def near(connect: Connect) -> Transport:
    return await connect()


@pytest_asyncio.fixture
async def far(connect: Connect) -> Transport:
    return await connect()


async def test_a_message_arrives_with_subject_reply_and_data(near: Transport, far: Transport) -> None:
    arrivals = Arrivals()
    await far.subscribe("ah.lamp", arrivals)
    await near.publish("ah.lamp", b"on", "answer.here")
    await near.publish("ah.lamp", b"")
    await arrivals.until(2)
    assert arrivals.messages == [("ah.lamp", "answer.here", b"on"), ("ah.lamp", "", b"")]


async def test_a_request_gets_the_answer_to_itself(near: Transport, far: Transport) -> None:
    async with answering(far, "echo", lambda data: data[::-1]):
        answers = await asyncio.gather(
            *(near.request("echo", b"%04d" % number, PATIENCE) for number in range(500))
        )
    assert answers == [(b"%04d" % number)[::-1] for number in range(500)]
    assert near.statistics().waiting == 0


async def test_a_transport_can_ask_itself(near: Transport) -> None:
    async with answering(near, "echo"):
        assert await near.request("echo", b"self", PATIENCE) == b"self"


async def test_many_requests_have_an_answer_or_an_error_each(near: Transport, far: Transport) -> None:
    messages = [("echo", b"1"), ("nobody", b""), ("echo", b"2"), ("a b", b""), ("echo", b"x" * 2_000_000)]
    async with asyncio.timeout(PATIENCE), answering(far, "echo"):
        first, nobody, second, misspelt, large = await near.request_all(messages, PATIENCE)
    assert (first, second) == (b"1", b"2")
    assert [type(error) for error in (nobody, misspelt, large)] == [NoRoute, InvalidName, TooLarge]


async def test_nobody_there_is_no_route_at_once(near: Transport, far: Transport) -> None:
    await far.subscribe("other", Arrivals())
    began = clock.monotonic()
    with pytest.raises(NoRoute):
        await near.request("nobody", b"", PATIENCE)
    assert clock.monotonic() - began < 1


async def test_a_word_from_the_server_is_no_message(near: Transport) -> None:
    arrivals = Arrivals()
    await near.subscribe("answers", arrivals)
    await near.publish("nobody", b"", "answers")
    await near.publish("answers", b"real")
    await arrivals.until(1)
    assert arrivals.bodies == [b"real"]


async def test_no_answer_is_a_time_out_and_a_late_one_is_dropped(near: Transport, far: Transport) -> None:
    arrivals = Arrivals()
    await far.subscribe("silent", arrivals)
    began = clock.monotonic()
    with pytest.raises(CallTimeout, match=r"silent did not answer within 0\.05 s"):
        await near.request("silent", b"", 0.05)
    assert 0.04 < clock.monotonic() - began < 1
    await far.publish(arrivals.messages[0][1], b"late")
    await far.flush(PATIENCE)
    await near.flush(PATIENCE)
    assert near.statistics().waiting == 0


async def test_a_cancelled_request_leaves_nothing(near: Transport, far: Transport) -> None:
    arrivals = Arrivals()
    await far.subscribe("silent", arrivals)
    request = started(near.request("silent", b"", PATIENCE))
    await arrivals.until(1)
    request.cancel()
    with pytest.raises(asyncio.CancelledError):
        await request
    assert near.statistics().waiting == 0


async def test_members_of_a_queue_group_share_and_others_get_all(connect: Connect, near: Transport) -> None:
    members, watcher = [Arrivals(), Arrivals()], Arrivals()
    for member in members:
        await (await connect()).subscribe("work.*", member, "workers")
    await (await connect()).subscribe("work.*", watcher)
    for number in range(200):
        await near.publish("work.item", b"%d" % number)
    await watcher.until(200)
    await asyncio.sleep(0.05)
    shares = [len(member.messages) for member in members]
    assert sum(shares) == 200
    assert min(shares) > 20
    together = sorted(int(body) for member in members for body in member.bodies)
    assert together == list(range(200))


async def test_a_group_is_its_name_whatever_the_pattern(near: Transport, far: Transport) -> None:
    one, other = Arrivals(), Arrivals()
    await far.subscribe("a.*", one, "group")
    await far.subscribe("a.>", other, "group")
    for _ in range(100):
        await near.publish("a.b", b"")
    await near.flush(PATIENCE)
    await far.flush(PATIENCE)
    assert len(one.messages) + len(other.messages) == 100


@pytest.mark.parametrize(
    ("pattern", "received"),
    [
        ("a.b", ["a.b"]),
        ("a.*", ["a.b", "a.c"]),
        ("*.b", ["a.b"]),
        ("a.>", ["a.b", "a.c", "a.b.c"]),
        (">", ["a", "a.b", "a.c", "a.b.c"]),
        ("*", ["a"]),
        ("a.*.c", ["a.b.c"]),
    ],
)
async def test_wildcards(near: Transport, far: Transport, pattern: str, received: list[str]) -> None:
    arrivals = Arrivals()
    await far.subscribe(pattern, arrivals)
    for subject in ("a", "a.b", "a.c", "a.b.c"):
        await near.publish(subject, b"")
    await near.flush(PATIENCE)
    await far.flush(PATIENCE)
    # A bare ">" also hears the inboxes with which the transports confirm.
    assert [subject for subject, _, _ in arrivals.messages if not subject.startswith("_INBOX")] == received


async def test_a_burst_arrives_whole_and_in_order(near: Transport, far: Transport) -> None:
    arrivals = Arrivals()
    await far.subscribe("burst", arrivals)
    for number in range(20_000):
        await near.publish("burst", b"%d" % number)
    await arrivals.until(20_000)
    assert arrivals.bodies == [b"%d" % number for number in range(20_000)]
    assert far.statistics().received == 20_000


async def test_large_messages_arrive_and_too_large_ones_are_refused(near: Transport, far: Transport) -> None:
    arrivals = Arrivals()
    await far.subscribe("large", arrivals)
    before = near.statistics().published
    for call in (near.publish("large", bytes(near.max_payload + 1)),
                 near.request("large", bytes(near.max_payload + 1), PATIENCE)):  # fmt: skip
        with pytest.raises(TooLarge, match=f"{near.max_payload + 1} bytes to large"):
            await call
    assert near.statistics().published == before
    for _ in range(20):
        await near.publish("large", bytes(near.max_payload))
    await arrivals.until(20)
    assert {len(body) for body in arrivals.bodies} == {near.max_payload}


async def test_a_handler_that_raises_is_counted_and_gets_the_next(near: Transport, far: Transport) -> None:
    arrivals = Arrivals()

    def handle(subject: str, reply: str, data: bytes) -> None:
        arrivals(subject, reply, data)
        raise ValueError(data)

    await far.subscribe("bad", handle)
    healthy = Arrivals()
    await far.subscribe("bad", healthy)
    for _ in range(3):
        await near.publish("bad", b"")
    await arrivals.until(3)
    await healthy.until(3)
    assert far.statistics().handler_errors == 3


async def test_a_closed_subscription_gets_nothing_and_its_address_is_free(
    near: Transport, far: Transport
) -> None:
    arrivals = Arrivals()
    subscription = await far.subscribe("gone", arrivals, "group")
    assert far.statistics().subscriptions == 1
    await subscription.close()
    await subscription.close()
    assert far.statistics().subscriptions == 0
    with pytest.raises(NoRoute):
        await near.request("gone", b"", PATIENCE)
    await near.publish("gone", b"")
    await near.flush(PATIENCE)
    await far.flush(PATIENCE)
    assert arrivals.messages == []


async def test_closing_a_subscription_still_delivers_what_was_on_its_way(
    near: Transport, far: Transport
) -> None:
    arrivals = Arrivals()
    subscription = await far.subscribe("leaving", arrivals)
    for _ in range(1000):
        await near.publish("leaving", b"")
    await near.flush(PATIENCE)
    await subscription.close()
    assert len(arrivals.messages) == 1000


async def test_closing_ends_requests_that_wait(near: Transport, far: Transport) -> None:
    arrivals = Arrivals()
    await far.subscribe("silent", arrivals)
    requests = [started(near.request("silent", b"", 60)) for _ in range(10)]
    await arrivals.until(10)
    await near.close()
    assert [type(await ended(request)) for request in requests] == [Closed] * 10


async def test_closing_sends_what_is_waiting(near: Transport, far: Transport) -> None:
    arrivals = Arrivals()
    await far.subscribe("last", arrivals)
    for _ in range(5000):
        await near.publish("last", b"words")
    await near.close()
    await arrivals.until(5000)


async def test_a_closed_transport_refuses_everything(near: Transport) -> None:
    subscription = await near.subscribe("a", Arrivals())
    await near.close()
    await near.close()
    await subscription.close()
    calls: list[Callable[[], Awaitable[object]]] = [
        lambda: near.publish("a", b""),
        lambda: near.request("a", b"", 1),
        lambda: near.subscribe("a", Arrivals()),
        lambda: near.flush(1),
        near.start,
    ]
    for call in calls:
        with pytest.raises(Closed):
            await call()
    assert near.statistics().connected is False
    assert near.statistics().subscriptions == 0


async def test_a_transport_starts_once(near: Transport) -> None:
    with pytest.raises(Closed, match="started before"):
        await near.start()


@pytest.mark.parametrize("subject", ["", "a b", "a\r\nPUB b 0\r\n", "a\tb", "a\x00b"])
async def test_what_is_not_a_subject_is_refused(near: Transport, subject: str) -> None:
    calls: list[Callable[[], Awaitable[object]]] = [
        lambda: near.publish(subject, b""),
        lambda: near.request(subject, b"", 1),
        lambda: near.subscribe(subject, Arrivals()),
    ]
    if subject:
        calls.append(lambda: near.publish("a", b"", subject))
        calls.append(lambda: near.subscribe("a", Arrivals(), subject))
    for call in calls:
        with pytest.raises(InvalidName):
            await call()


@pytest.mark.parametrize("pattern", ["a..b", ".a", "a.", "a.>.b", "a*", "a.b>", "*a.b"])
async def test_what_is_not_a_pattern_is_refused(near: Transport, pattern: str) -> None:
    with pytest.raises(InvalidName):
        await near.subscribe(pattern, Arrivals())


async def test_what_a_transport_did_is_counted(near: Transport, far: Transport) -> None:
    async with answering(far, "echo"):
        await near.request("echo", b"1234", PATIENCE)
        await near.publish("echo", b"56", "nobody")
        await near.flush(PATIENCE)
        await far.flush(PATIENCE)
        here, there = near.statistics(), far.statistics()
    assert (here.published, here.published_bytes, here.received) == (2, 6, 0)
    assert (there.received, there.received_bytes, there.subscriptions) == (2, 6, 1)
    assert here.connected
    assert here.refused == here.server_errors == here.reconnects == here.handler_errors == 0
