"""Ports that applications of a host share: conflicts, redeployments, the last to leave, TLS, the log."""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import signal
import socket
import ssl
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from actorhost import Host
from actorhost.contracts.provider import Link, Surroundings
from actorhost.errors import ProviderRefused
from actorhost.host.provider.remote import RemoteProvider
from actorhost.ids import ActorName, LinkName
from actorhost.manifest import Application, Place, ProviderSpec
from actorhost.transport import NatsServer
from actorhost_providers.http.server import AiohttpServer
from tests.integration.host.conftest import actor, until
from tests.integration.host.http_guests import HTTP, Wire, answering, ask, mirror, route, seen, serve, wire

# A certificate for localhost and its key, made for these tests and known to everybody.
PEM = str(Path(__file__).with_name("localhost.pem"))


@pytest.fixture
async def host() -> AsyncIterator[Host]:
    async with Host() as running:
        yield running


@pytest.fixture
def port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


async def test_applications_share_a_port_and_cannot_have_the_same_route(host: Host, port: int) -> None:
    url = await serve(host, {"a": (answering(body=b"a"), [route("/a/{x}")])}, "one", port=port)
    assert await serve(host, {"b": (answering(body=b"b"), [route("/b")])}, "two", port=port) == url
    for path, methods in (("/b", ["GET"]), ("/a/{other}", ["GET", "PUT"])):
        with pytest.raises(ProviderRefused, match=r"'c' wants .* which actor '[ab]' has as"):
            await serve(host, {"c": (mirror(), [route(path, methods=methods)])}, "three", port=port)
    assert [(await ask(url, path))[2] for path in ("/a/1", "/b")] == [b"a", b"b"], "nobody was disturbed"
    await host.undeploy("one")
    assert (await ask(url, "/a/1"))[0] == 503, "it may come back"
    await serve(host, {"c": (answering(body=b"c"), [route("/a/{x}")])}, "three", port=port)
    assert [(await ask(url, path))[2] for path in ("/a/1", "/b")] == [b"c", b"b"]
    for name in ("three", "two"):
        await host.undeploy(name)
    with pytest.raises(ConnectionRefusedError):
        await ask(url, "/b")


async def test_two_servers_of_an_application_on_one_port_stop_one_after_the_other(port: int) -> None:
    around = Surroundings()
    servers = [AiohttpServer({"port": port}), AiohttpServer({"port": port})]
    links = [Link(ActorName("a"), HTTP, LinkName(name), {"path": f"/{name}"}) for name in ("one", "two")]
    for server, link in zip(servers, links, strict=True):
        server.surroundings = around
        await server.start()
        await server.linked(link)
    for server, link in zip(servers, links, strict=True):
        await server.unlinked(link)
    for server in servers:
        await server.stop()
    assert not around.shared
    with pytest.raises(ConnectionRefusedError):
        await ask(f"http://127.0.0.1:{port}", "/one")


async def test_a_conflict_within_an_application_is_refused_before_anything_starts(host: Host) -> None:
    guests = {"a": (mirror(), [route("/x")]), "b": (mirror(), [route("/x", methods=["GET"])])}
    with pytest.raises(ProviderRefused, match="'b' wants GET of any host '/x', which actor 'a' has"):
        await serve(host, guests)
    assert not host._services.shared


async def test_a_redeployment_is_200_or_503_to_whoever_asks_meanwhile(host: Host, port: int) -> None:
    url = await serve(host, {"a": (answering(body=b"old"), [route("/")])}, "one", port=port)
    await serve(host, {"b": (answering(), [route("/other")])}, "two", port=port)
    seen_so_far: Counter[tuple[int, bytes]] = Counter()
    done = asyncio.Event()

    async def ask_on() -> None:
        async with wire(url) as client:
            while not done.is_set():
                client.get("/")
                status, _, body = await client.answer()
                seen_so_far[status, body if status == 200 else b""] += 1

    async with asyncio.TaskGroup() as tasks:
        for _ in range(4):
            tasks.create_task(ask_on())
        await serve(host, {"a": (answering(body=b"new"), [route("/")])}, "one", port=port)
        await until(lambda: seen_so_far[200, b"new"] > 0)
        done.set()
    assert set(seen_so_far) - {(503, b"")} == {(200, b"old"), (200, b"new")}


async def test_settings_of_a_port_are_those_of_its_first_application(host: Host, port: int) -> None:
    await serve(host, {"a": (mirror(), [route("/a")])}, "one", port=port)
    tls = {"certificate": PEM, "key": PEM}
    with pytest.raises(ProviderRefused, match=r"open with other settings: tls, head-timeout$"):
        await serve(host, {"b": (mirror(), [route("/b")])}, "two", port=port, tls=tls, head_timeout=9)
    assert set(host.deployments) == {"one"}


async def test_a_port_that_is_taken_and_a_certificate_that_is_none_are_refused(host: Host, port: int) -> None:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", port))
        holder.listen()
        with pytest.raises(ProviderRefused, match=f"cannot listen at 127.0.0.1:{port}"):
            await serve(host, {"a": (mirror(), [route("/")])}, port=port)
    tls = {"certificate": __file__, "key": PEM}
    with pytest.raises(ProviderRefused, match="cannot use certificate"):
        await serve(host, {"a": (mirror(), [route("/")])}, tls=tls)


async def test_tls_from_files(host: Host) -> None:
    url = await serve(host, {"a": (mirror(), [route("/")])}, tls={"certificate": PEM, "key": PEM})
    assert url.startswith("https://")
    context = ssl.create_default_context(cafile=PEM)
    async with wire(url, ssl=context, server_hostname="localhost") as client:
        client.get("/")
        assert seen((await client.answer())[2]).scheme == "https"


async def test_connections_are_bounded_from_before_they_agree_on_tls(host: Host) -> None:
    tls = {"certificate": PEM, "key": PEM}
    url = await serve(host, {"a": (mirror(), [route("/")])}, tls=tls, connections=4, head_timeout=1)
    context = ssl.create_default_context(cafile=PEM)

    async def end_of(client: Wire) -> int:
        await client.agree(context)
        client.get("/")
        return (await client.answer())[0]

    async with AsyncExitStack() as stack:
        clients = [await stack.enter_async_context(wire(url)) for _ in range(12)]
        await asyncio.sleep(0.05)  # all are accepted before the first agrees
        ends = Counter([await end_of(client) for client in clients])
    assert ends == {200: 4, 503: 8}
    await _none_left(host)
    gc.disable()  # which must not be waited for after clients that fail
    try:
        async with AsyncExitStack() as stack:
            for client in [await stack.enter_async_context(wire(url)) for _ in range(4)]:
                client.send(b"GET / HTTP/1.1\r\n\r\n")
                await client.ended()
        await _none_left(host)
        async with wire(url) as client:
            assert await end_of(client) == 200
    finally:
        gc.enable()


async def _none_left(host: Host) -> None:
    (listener,) = host._services.shared.values()
    await until(lambda: not listener._handshakes and not listener._server.connections)


async def test_the_access_log_has_a_line_for_what_is_turned_away(
    host: Host, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "actorhost.http")
    guests = {"a": (mirror(), [route("/")])}
    url = await serve(host, guests, access_log=True, connections=1, head_timeout=0.2)
    sent = {
        400: b"nonsense\r\n\r\n",
        408: b"GET / HT",
        431: b"GET / HTTP/1.1\r\nX: " + b"x" * 9000 + b"\r\n\r\n",
        505: b"GET / HTTP/9.9\r\nHost: a\r\n\r\n",
    }
    for status, data in sent.items():
        async with wire(url) as client:
            client.send(data)
            assert (await client.answer())[0] == status
        await _none_left(host)
    async with wire(url) as one, wire(url) as surplus:
        one.get("/")
        assert [(await client.answer())[0] for client in (one, surplus)] == [200, 503]
    await host.undeploy("app")
    lines = [record.getMessage() for record in caplog.records if "http request" in record.getMessage()]
    away = [line for line in lines if "method='-' path='-' status=" in line]
    assert [line.partition("status=")[2][:3] for line in away] == ["400", "408", "431", "505", "503"]
    assert len(lines) == 6


async def test_the_access_log_has_a_line_for_each_request_and_no_query(
    host: Host, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "actorhost.http")
    guests = {"a": (answering(201, body=b"123"), [route("/a/{x}")])}
    url = await serve(host, guests, access_log=True)
    await ask(url, "/a/1?secret=hush", "POST", more="Authorization: hush\r\n")
    await ask(url, "/nothing")
    await host.undeploy("app")
    lines = [record.getMessage() for record in caplog.records if "http request" in record.getMessage()]
    assert len(lines) == 2
    assert "method='POST' path='/a/1' status=201 bytes=3 ms=" in lines[0]
    assert "actor='a'" in lines[0]
    assert "status=404" in lines[1]
    assert "hush" not in caplog.text
    caplog.clear()
    url = await serve(host, guests, access_log=False)
    for path in ("/a/1", "/nothing", "/.."):
        await ask(url, path)
    await host.undeploy("app")
    assert "http request" not in caplog.text


async def test_a_server_whose_process_was_killed_listens_again_once_all_its_routes_are_back(
    server: NatsServer, port: int
) -> None:
    names = [f"a{n}" for n in range(20)]
    web = ProviderSpec(
        name=ActorName("web"), provider="http-server", contract=HTTP, place=Place.PROCESS,
        config={"port": port, "access-log": False},
    )  # fmt: skip
    actors = tuple(actor(name, contracts=(HTTP,), links=(route(f"/{name}"),)) for name in names)
    wanted = Application(name=ActorName("app"), actors=actors, providers=(web,))
    async with Host(nats=server.url) as host:
        await host.deploy_modules(wanted, dict.fromkeys(names, answering()))
        process = host.deployments["app"].providers["web"]
        assert isinstance(process, RemoteProvider)
        assert await _first_answer(port, names[-1]) == 200
        os.kill(process.pid, signal.SIGKILL)
        await until(lambda: process.state != "running")
        assert await _first_answer(port, names[-1]) == 200


async def _first_answer(port: int, name: str) -> int:
    """Return the status of the first answer that there is."""
    async with asyncio.timeout(10):
        while True:
            try:
                return (await ask(f"http://127.0.0.1:{port}", f"/{name}"))[0]
            except (OSError, EOFError):
                await asyncio.sleep(0.0005)
