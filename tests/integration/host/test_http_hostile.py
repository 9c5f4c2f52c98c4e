"""Clients that mean ill, or speak another HTTP: each is told so, once, and the connection ends."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from typing import Final

import pytest

from actorhost import Host
from tests.integration.host.http_guests import answering, ask, mirror, replying, route, seen, serve, wire

HOST: Final = b"Host: a\r\n"
CHUNKS: Final = b"3\r\nabc\r\n0\r\n\r\n"
LONG: Final = b"".join(b"X-%d: %s\r\n" % (n, b"x" * 7900) for n in range(9))


def post(headers: bytes, body: bytes = b"", version: bytes = b"1.1") -> bytes:
    return b"POST / HTTP/%s\r\n%s%s\r\n%s" % (version, HOST, headers, body)


def get(line: bytes = b"GET / HTTP/1.1", headers: bytes = HOST) -> bytes:
    return line + b"\r\n" + headers + b"\r\n"


REFUSED: Final = {
    "as many headers as nobody sends": (get(headers=HOST + b"X: 1\r\n" * 128), 431),
    "a head that is large as a whole": (get(headers=HOST + LONG), 431),
    "another coding before chunked": (post(b"Transfer-Encoding: gzip, chunked\r\n", CHUNKS), 501),
    "another coding after chunked": (post(b"Transfer-Encoding: chunked, gzip\r\n", CHUNKS), 400),
    "chunked twice": (post(b"Transfer-Encoding: chunked, chunked\r\n", CHUNKS), 400),
    "another coding alone": (post(b"Transfer-Encoding: gzip\r\n"), 400),
    "no coding": (post(b"Transfer-Encoding: \r\n", CHUNKS), 400),
    "chunks for HTTP/1.0": (post(b"Transfer-Encoding: chunked\r\n", CHUNKS, b"1.0"), 400),
    "length and chunks": (post(b"Transfer-Encoding: chunked\r\nContent-Length: 3\r\n", CHUNKS), 400),
    "two lengths": (post(b"Content-Length: 3\r\nContent-Length: 4\r\n", b"abcd"), 400),
    "a list of lengths": (post(b"Content-Length: 3, 3\r\n", b"abc"), 400),
    "a signed length": (post(b"Content-Length: +3\r\n", b"abc"), 400),
    "a length in thousands of digits": (post(b"Content-Length: %s3\r\n" % (b"0" * 5000), b"abc"), 413),
    "the length that the parser has for none": (post(b"Content-Length: 18446744073709551615\r\n"), 413),
    "a folded header": (get(headers=HOST + b"X: a\r\n b\r\n"), 400),
    "a bare line feed": (get(headers=b"Host: a\nX: b\r\n"), 400),
    "a bare carriage return": (get(headers=HOST + b"X: a\rb\r\n"), 400),
    "a space before the colon": (post(b"Transfer-Encoding : chunked\r\n", CHUNKS), 400),
    "HTTP/0.9": (get(b"GET / HTTP/0.9"), 400),
    "a simple request": (b"GET /\r\n\r\n", 400),
    "HTTP/2.0": (get(b"GET / HTTP/2.0"), 505),
    "HTTP/3.0": (get(b"GET / HTTP/3.0"), 505),
    "a host that is none": (get(headers=b"Host: a b/@c\r\n"), 400),
    "a host with a user": (get(b"GET http://u:p@a/ HTTP/1.1"), 400),
    "a fragment": (get(b"GET /a?b#c HTTP/1.1"), 400),
}


@pytest.fixture
async def host() -> AsyncIterator[Host]:
    async with Host() as running:
        yield running


async def test_what_is_no_request_of_ours_is_told_so_and_never_reaches_an_actor(
    host: Host, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    url = await serve(host, {"a": (mirror(), [route("/{rest...}")])})
    answers = {}
    for name, (request, _) in REFUSED.items():
        async with wire(url) as client:
            client.send(request)
            answers[name] = (await client.answer())[0]
            assert await client.ended() == b"", name
    assert answers == {name: status for name, (_, status) in REFUSED.items()}
    assert host.router.actors["a"].counts.replied == 0
    assert not caplog.records, "a client's nonsense is no bug of ours"


async def test_a_head_without_an_end_is_not_waited_for(host: Host) -> None:
    url = await serve(host, {"a": (mirror(), [route("/")])})
    async with wire(url) as client:
        client.get("/")
        assert (await client.answer())[0] == 200
        client.send(b"GET / HTTP/1.1\r\n" + LONG[:60_000])
        client.send(LONG[60_000:66_000])
        assert (await client.answer())[0] == 431
        assert await client.ended() == b""


async def test_a_body_that_nobody_waits_for_gets_no_second_answer(host: Host) -> None:
    url = await serve(host, {"a": (mirror(), [route("/")])}, head_timeout=0.05)
    async with wire(url) as client:
        client.get("/nothing", "POST", more="Content-Length: 1000\r\n")
        assert (await client.answer())[0] == 404
        client.send(b"some of it")
        assert await client.ended() == b"", "the time-out of heads is none of bodies"


async def test_what_looks_odd_and_is_allowed_is_answered(host: Host) -> None:
    url = await serve(host, {"a": (mirror(), [route("/")])})
    assert (await ask(url, "/", "POST", body=b"x" * 200_000))[0] == 200, "a body is no head"
    async with wire(url) as client:
        for request in (
            post(b"Transfer-Encoding: Chunked\r\n", CHUNKS),
            post(b"Expect: 100-continue\r\nContent-Length: 3\r\nConnection: keep-alive\r\n", b"abc", b"1.0"),
        ):
            client.send(request)
            status, _, body = await client.answer()
            assert (status, seen(body).body) == (200, b"abc")
        for authority in (b"", b"[::1]:80", b"a.b:8080", b"EXAMPLE.test", b"a:"):
            client.send(get(headers=b"Host: " + authority + b"\r\n"))
            assert seen((await client.answer())[2]).authority == authority.decode()


@pytest.mark.parametrize("protocol", ["h2c", "websocket"])
async def test_another_protocol_is_not_spoken_and_nobody_waits_for_what_came_behind(
    host: Host, protocol: str
) -> None:
    url = await serve(host, {"a": (mirror(), [route("/")])})
    async with wire(url) as client:
        client.send(get(headers=HOST + f"Connection: Upgrade\r\nUpgrade: {protocol}\r\n".encode()) + get())
        status, headers, _ = await client.answer()
        assert (status, headers["connection"]) == (200, "close")
        assert await client.ended() == b""


async def test_the_log_says_what_was_wrong_with_an_answer(
    host: Host, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "actorhost.http")
    wrong = {
        "value": (
            answering(headers=[("x-a", "hush\r\nb: c")]),
            "value of header 'x-a' has control characters",
        ),
        "name": (answering(headers=[("x a", "hush")]), "'x a' is no name of a header"),
        "status": (answering(status=99), "Expected `int` >= 200 - at `$.status`"),
        "bytes": (replying(b"hush"), "result of 'handle'"),
    }
    guests = {name: (module, [route(f"/{name}")]) for name, (module, _) in wrong.items()}
    url = await serve(host, guests, access_log=True)
    for name in wrong:
        assert (await ask(url, f"/{name}"))[0] == 502
    await host.undeploy("app")
    lines = [record.getMessage() for record in caplog.records if "http request" in record.getMessage()]
    for line, (name, (_, why)) in zip(lines, wrong.items(), strict=True):
        assert "status=502" in line
        assert "fault='misbehaved'" in line
        assert f"actor '{name}'" in line
        assert why in line
    assert "hush" not in caplog.text
