"""The NATS transport when things break: servers that die, freeze, refuse, complain or talk nonsense."""

from __future__ import annotations

import asyncio
import inspect
import os
import re
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import nats.aio.client
import nats.aio.subscription
import nats.aio.transport
import pytest
import pytest_asyncio

from actorhost import clock
from actorhost.errors import InvalidInput, NoRoute, OutcomeUnknown, Overloaded, ServerUnavailable
from actorhost.limits import KIB, Limits
from actorhost.transport import NatsTransport, TransportStatistics
from actorhost.transport.nats import connect as connect_module
from actorhost.transport.nats.connection import Connection
from actorhost.transport.server import NatsServer
from tests.servers import configured_nats
from tests.transports import PATIENCE, Arrivals, answering, ended, started


@pytest_asyncio.fixture
async def server(tmp_path: Path) -> AsyncIterator[NatsServer]:
    async with NatsServer(tmp_path / "nats", limits=Limits()) as running:
        yield running


@asynccontextmanager
async def connected(url: str, limits: Limits | None = None) -> AsyncIterator[NatsTransport]:
    transport = NatsTransport(url, name="test", limits=limits or Limits())
    await transport.start()
    try:
        yield transport
    finally:
        await transport.close()


@asynccontextmanager
async def listening(talk: Callable[[asyncio.StreamWriter], None]) -> AsyncIterator[str]:
    """Accept connections and do nothing but `talk`; return where."""
    writers: list[asyncio.StreamWriter] = []

    async def accept(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.append(writer)
        talk(writer)

    listener = await asyncio.start_server(accept, "127.0.0.1", 0)
    async with listener:
        yield f"nats://127.0.0.1:{listener.sockets[0].getsockname()[1]}"
        for writer in writers:
            writer.close()


async def until(transport: NatsTransport, holds: Callable[[TransportStatistics], bool]) -> None:
    async with asyncio.timeout(PATIENCE):
        while not holds(transport.statistics()):  # noqa: ASYNC110 - it is these numbers that are tested
            await asyncio.sleep(0.01)


async def flood(transport: NatsTransport, data: bytes, count: int) -> None:
    for _ in range(count):
        await transport.publish("flood", data)


def port_of(url: str) -> int:
    return int(url.rpartition(":")[2])


async def test_a_request_in_flight_when_the_server_dies_has_an_unknown_outcome(server: NatsServer) -> None:
    async with connected(server.url) as transport:
        arrivals = Arrivals()
        await transport.subscribe("silent", arrivals)
        requests = [started(transport.request("silent", b"", 60)) for _ in range(5)]
        await arrivals.until(5)
        began = clock.monotonic()
        os.kill(server.pid, signal.SIGKILL)
        assert [type(await ended(request)) for request in requests] == [OutcomeUnknown] * 5
        assert clock.monotonic() - began < 1
        with pytest.raises(ServerUnavailable, match="nothing was sent"):
            await transport.request("silent", b"", 60)
        with pytest.raises(ServerUnavailable):
            await transport.flush(60)


async def test_closing_while_the_connection_is_being_replaced_is_no_cancellation(server: NatsServer) -> None:
    transport = NatsTransport(server.url, name="test", limits=Limits())
    await transport.start()
    arrivals = Arrivals()
    await transport.subscribe("silent", arrivals)

    async def ask_and_close() -> None:
        with pytest.raises(OutcomeUnknown):
            await transport.request("silent", b"", 60)
        await transport.close()

    asking = started(ask_and_close())
    await arrivals.until(1)
    os.kill(server.pid, signal.SIGKILL)
    await asking


async def test_subscriptions_and_what_was_waiting_survive_a_restart(tmp_path: Path) -> None:
    arrivals, made_meanwhile = Arrivals(), Arrivals()
    async with NatsServer(tmp_path / "nats", limits=Limits()) as first:
        url = first.url
        transport = NatsTransport(url, name="test", limits=Limits())
        await transport.start()
        await transport.subscribe("kept", arrivals)
        closed = await transport.subscribe("closed", arrivals)
    try:
        await until(transport, lambda now: not now.connected)
        await transport.subscribe("made", made_meanwhile)
        await closed.close()
        await (await transport.subscribe("both", arrivals)).close()
        for number in range(100):
            await transport.publish("kept", b"%d" % number)
        assert transport.statistics().unsent_bytes > 100
        async with NatsServer(tmp_path / "nats", port=port_of(url), limits=Limits()):
            await arrivals.until(100)
            assert arrivals.bodies == [b"%d" % number for number in range(100)]
            await until(transport, lambda now: now.connected)
            await transport.publish("made", b"")
            await made_meanwhile.until(1)
            for gone in ("closed", "both"):
                with pytest.raises(NoRoute):
                    await transport.request(gone, b"", PATIENCE)
            assert transport.statistics().reconnects == 1
            assert transport.statistics().subscriptions == 2
            await transport.close()
    finally:
        await transport.close()


async def test_what_waits_for_a_dead_server_is_bounded(server: NatsServer) -> None:
    limits = Limits(outbox_bytes=64 * KIB)
    async with connected(server.url, limits) as transport:
        os.kill(server.pid, signal.SIGKILL)
        await until(transport, lambda now: not now.connected)
        began = clock.monotonic()
        with pytest.raises(Overloaded, match="is not connected, and"):
            await flood(transport, bytes(KIB), 100)
        assert clock.monotonic() - began < 1
        statistics = transport.statistics()
        assert 50 < statistics.published < 64
        assert statistics.refused == 1
        assert 50 * KIB < statistics.unsent_bytes <= 64 * KIB


async def test_a_frozen_server_is_given_up_within_pings(
    server: NatsServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connect_module, "PING_INTERVAL", 0.1)
    limits = Limits(connect_timeout=0.5, bus_timeout=0.5)
    async with connected(server.url, limits) as transport:
        arrivals = Arrivals()
        await transport.subscribe("silent", arrivals)
        request = started(transport.request("silent", b"", 60))
        await arrivals.until(1)
        os.kill(server.pid, signal.SIGSTOP)
        try:
            # More than the sockets hold: a polite close would wait for the server to read it.
            for _ in range(7):
                await transport.publish("silent", bytes(transport.max_payload))
            began = clock.monotonic()
            assert type(await ended(request)) is OutcomeUnknown
            assert clock.monotonic() - began < 2
        finally:
            os.kill(server.pid, signal.SIGCONT)
        await until(transport, lambda now: now.connected)
        async with answering(transport, "echo"):
            assert await transport.request("echo", b"back", PATIENCE) == b"back"


async def test_a_slow_server_is_waited_for_and_then_refused(server: NatsServer) -> None:
    limits = Limits(outbox_bytes=64 * KIB, bus_timeout=0.2)
    async with connected(server.url, limits) as transport:
        os.kill(server.pid, signal.SIGSTOP)
        try:
            with pytest.raises(Overloaded, match=r"took nothing for 0\.2 s"):
                await flood(transport, bytes(32 * KIB), 1000)
            publish = started(transport.publish("slow", bytes(64 * KIB)))
            await asyncio.sleep(0.05)
            publish.cancel()
            with pytest.raises(asyncio.CancelledError):
                await publish
            with pytest.raises(ServerUnavailable):
                await transport.flush(0.05)
        finally:
            os.kill(server.pid, signal.SIGCONT)
        # Time-outs above left nothing behind that a late word of the server could trip over.
        await transport.flush(PATIENCE)
        await transport.publish("slow", bytes(64 * KIB))
        await transport.flush(PATIENCE)
        assert transport.statistics().connected
        assert transport.statistics().reconnects == 0


async def test_a_process_that_stood_still_is_dropped_by_the_server_and_comes_back(server: NatsServer) -> None:
    async with connected(server.url) as transport, answering(transport, "echo"):
        clock.sleep(4)
        await until(transport, lambda now: now.reconnects == 1)
        assert await transport.request("echo", b"here", PATIENCE) == b"here"


@pytest.mark.parametrize("frozen", [False, True])
async def test_closing_without_a_server_has_a_deadline(server: NatsServer, frozen: bool) -> None:
    limits = Limits(bus_timeout=0.2)
    transport = NatsTransport(server.url, name="test", limits=limits)
    await transport.start()
    os.kill(server.pid, signal.SIGSTOP if frozen else signal.SIGKILL)
    await transport.publish("last", bytes(transport.max_payload))
    began = clock.monotonic()
    await transport.close()
    assert clock.monotonic() - began < 1
    if frozen:
        os.kill(server.pid, signal.SIGCONT)


async def test_no_server_is_said_at_once() -> None:
    async with listening(lambda _writer: None) as url:
        pass
    began = clock.monotonic()
    with pytest.raises(ServerUnavailable, match=r"(?i)connect"):
        async with connected(url):
            pass
    assert clock.monotonic() - began < 1


async def test_a_server_that_says_nothing_is_given_up_in_time() -> None:
    async with listening(lambda _writer: None) as url:
        with pytest.raises(ServerUnavailable, match=r"no answer within 0\.2 s"):
            async with connected(url, Limits(connect_timeout=0.2)):
                pass


async def test_another_kind_of_server_is_told_apart() -> None:
    async with listening(lambda writer: writer.write(b"SSH-2.0-hello\r\n")) as url:
        with pytest.raises(ServerUnavailable, match="expecting INFO"):
            async with connected(url):
                pass


async def test_a_transport_that_could_not_start_can_be_started_again(tmp_path: Path) -> None:
    async with listening(lambda _writer: None) as url:
        pass
    transport = NatsTransport(url, name="test", limits=Limits())
    with pytest.raises(ServerUnavailable):
        await transport.start()
    async with NatsServer(tmp_path / "nats", port=port_of(url), limits=Limits()):
        await transport.start()
        await transport.close()


async def test_one_of_several_servers_is_enough(server: NatsServer) -> None:
    async with listening(lambda _writer: None) as dead:
        pass
    async with connected(f"{dead}, {server.url}") as transport:
        await transport.flush(PATIENCE)


async def test_wrong_credentials_are_said_without_showing_them(tmp_path: Path) -> None:
    async with configured_nats(tmp_path, "authorization {user: host, password: right}") as address:
        async with connected(f"nats://host:right@{address}") as transport:
            await transport.flush(PATIENCE)
        with pytest.raises(ServerUnavailable, match=r"(?i)authorization violation") as refusal:
            async with connected(f"nats://host:hunter2@{address}"):
                pass
    assert "hunter2" not in str(refusal.value)
    assert address in str(refusal.value)


async def test_a_complaint_of_the_server_is_counted_and_does_no_harm(tmp_path: Path) -> None:
    rules = 'authorization {users: [{user: a, password: a, permissions: {publish: {deny: "secret.>"}}}]}'
    async with (
        configured_nats(tmp_path, rules) as address,
        connected(f"nats://a:a@{address}") as transport,
    ):
        await transport.publish("secret.plan", b"")
        await until(transport, lambda now: now.server_errors == 1)
        async with answering(transport, "echo"):
            assert await transport.request("echo", b"fine", PATIENCE) == b"fine"
        assert transport.statistics().reconnects == 0


async def test_subjects_that_are_not_text_do_no_harm(server: NatsServer) -> None:
    arrivals = Arrivals()
    async with connected(server.url) as transport:
        await transport.subscribe("raw.*", arrivals)
        _, writer = await asyncio.open_connection("127.0.0.1", port_of(server.url))
        writer.write(b"CONNECT {}\r\nPUB raw.\xff\xfe answer.\xff 2\r\nhi\r\nPUB raw.ok 2\r\nyo\r\n")
        await writer.drain()
        await arrivals.until(2)
        writer.close()
        await writer.wait_closed()
        assert arrivals.bodies == [b"hi", b"yo"]
        await transport.publish(arrivals.messages[0][1], b"answered into the void")
        await transport.flush(PATIENCE)


@pytest.mark.parametrize("url", ["", "http://x", "nats://", "nats://h:99999", "nats://h:x", "nats://a,,b"])
def test_what_is_not_an_address_is_refused(url: str) -> None:
    with pytest.raises(InvalidInput, match="not the address of a NATS server"):
        NatsTransport(url, name="test", limits=Limits())


def test_a_refused_address_hides_its_password() -> None:
    with pytest.raises(InvalidInput) as refusal:
        NatsTransport("nats://me:hunter2@h:x", name="test", limits=Limits())
    assert "hunter2" not in str(refusal.value)


@pytest.mark.parametrize(
    "name",
    [
        "_process_msg",
        "_process_err",
        "_attempt_reconnect",
        "_connect_to_server",
        "_process_connect_init",
        "_send_ping",
    ],
)
def test_the_client_still_takes_the_steps_that_are_replaced(name: str) -> None:
    theirs, ours = getattr(nats.aio.client.Client, name), getattr(Connection, name)
    assert inspect.iscoroutinefunction(theirs)
    assert list(inspect.signature(theirs).parameters) == list(inspect.signature(ours).parameters)
    callers = inspect.getsource(nats.protocol.parser) + inspect.getsource(nats.aio.client)
    assert re.search(rf"(self|nc)\.{name}\(", callers)


def test_the_client_still_has_the_names_that_are_used() -> None:
    client = nats.aio.client.Client()
    names = {
        *("_flush_queue", "_pending", "_pending_data_size", "_sid", "_transport"),
        *("_ps", "_pings_outstanding", "_reading_task", "_ping_interval_task", "_flusher_task"),
    }
    assert names <= vars(client).keys()
    ours = {
        name
        for name in (*vars(Connection), "_receivers", "events", "_guard", "_run", "_inbox", "_progress")
        if "__" not in name
    }
    replaced = {name for name in ours if hasattr(nats.aio.client.Client, name)}
    assert replaced == {
        *("_process_msg", "_process_err", "_attempt_reconnect", "_connect_to_server"),
        *("_process_connect_init", "_send_ping"),
    }
    assert not (ours - replaced) & set(dir(client))
    assert list(inspect.signature(client._process_op_err).parameters) == ["e"]
    assert "await self._ps.parse(" in inspect.getsource(client._read_loop)
    assert "self._transport.writelines(" in inspect.getsource(client._flusher)
    assert "future.set_result(None)" in inspect.getsource(client._flusher)
    assert list(inspect.signature(client._send_unsubscribe).parameters) == ["sid", "limit"]
    assert "self._id = id" in inspect.getsource(nats.aio.subscription.Subscription)
    assert "self._io_writer = " in inspect.getsource(nats.aio.transport.TcpTransport)


async def test_messages_over_tls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    certificate = Path(__file__).with_name("host") / "localhost.pem"
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    tls = f'tls: {{ cert_file: "{certificate}", key_file: "{certificate}" }}'
    async with configured_nats(tmp_path, tls) as address:
        arrivals = Arrivals()
        async with connected(f"tls://localhost:{port_of(address)}") as transport:
            await transport.subscribe("a", arrivals)
            for size in (0, 1, 100, 70_000, 300_000, 5):
                await transport.publish("a", b"x" * size)
            await arrivals.until(6)
        assert [len(body) for body in arrivals.bodies] == [0, 1, 100, 70_000, 300_000, 5]


async def test_what_is_answered_at_once_is_written_before_others_have_a_turn(server: NatsServer) -> None:
    waiting, loop = list[int](), asyncio.get_running_loop()
    async with connected(server.url) as transport:

        def refuse(_subject: str, reply: str, _data: bytes) -> None:
            # Runs before the task that writes what others left.
            loop.call_soon(lambda: waiting.append(transport.statistics().unsent_bytes))
            assert transport.send_now(reply, b"no")

        await transport.subscribe("test.refused", refuse)
        assert await transport.request("test.refused", b"", PATIENCE) == b"no"
    assert waiting == [0]
