"""Requests over plain sockets to actors: routing, bodies, limits, and what becomes of bad manners."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from actorhost import Host
from actorhost.errors import ProviderRefused
from actorhost.manifest import InstancePolicy
from tests.integration.host.conftest import until
from tests.integration.host.http_guests import answering, ask, mirror, replying, route, seen, serve, wire
from tests.wat import LOOP, TRAP, guest

FAIL = "(call $fail (i32.const 0) (i32.const 3)) (i32.const 0)"


@pytest.fixture
async def host() -> AsyncIterator[Host]:
    async with Host() as running:
        yield running


async def test_an_actor_sees_the_request_as_it_was_sent(host: Host) -> None:
    url = await serve(host, {"a": (mirror(), [route("/café/{id}/{rest...}", methods=["POST"])])})
    more = "X-Two: 1\r\nx-two: 2\r\nConnection: keep-alive, X-Gone\r\nX-Gone: 1\r\nX-Odd: \xe9\r\n"
    status, _, body = await ask(url, "/caf%c3%A9/a%2Fb/c/d%20e?x=%31&y", "POST", more=more, body=b"\x00\xff")
    assert status == 200
    request = seen(body)
    assert (request.method, request.scheme, request.authority) == ("POST", "http", "test")
    assert (request.path, request.query) == ("/caf%c3%A9/a%2Fb/c/d%20e", "x=%31&y")
    assert request.parameters == [("id", "a/b"), ("rest", "c/d e")]
    assert (request.body, request.peer) == (b"\x00\xff", "127.0.0.1")
    assert [pair for pair in request.headers if pair[0].startswith("x-")] == [
        ("x-two", "1"), ("x-two", "2"), ("x-odd", "é"),
    ]  # fmt: skip
    assert "connection" not in dict(request.headers)


async def test_the_most_specific_route_wins_and_the_rest_is_404_or_405(host: Host) -> None:
    guests = {
        "literal": (answering(body=b"literal"), [route("/d/one", methods=["GET"])]),
        "named": (answering(body=b"named"), [route("/d/{id}", methods=["get", "PUT"])]),
        "rest": (answering(body=b"rest"), [route("/d/{all...}")]),
        "post": (answering(body=b"post"), [route("/d/one", methods=["POST"])]),
        "host": (answering(body=b"host"), [route("/d/{id}", host="Special")]),
        "only": (answering(body=b"only"), [route("/only", methods=["PUT", "GET"])]),
    }
    url = await serve(host, guests)
    expected = {
        ("GET", "/d/one"): b"literal", ("POST", "/d/one"): b"post", ("PUT", "/d/one"): b"named",
        ("PATCH", "/d/one"): b"rest", ("GET", "/d/two"): b"named", ("GET", "/d/two/"): b"rest",
        ("GET", "/d/"): b"rest", ("GET", "/only"): b"only",
    }  # fmt: skip
    assert {key: (await ask(url, key[1], key[0]))[2] for key in expected} == expected
    async with wire(url) as client:
        client.send(b"GET /d/one HTTP/1.1\r\nHost: SPECIAL:80\r\n\r\n")
        assert (await client.answer())[2] == b"host"
        client.send(b"GET http://special/d/two?x HTTP/1.1\r\nHost: other\r\n\r\n")
        assert (await client.answer())[2] == b"host"
        for path, status in (
            ("/d", 404),
            ("/", 404),
            ("/d/../only", 400),
            ("/d/%2e%2e/x", 400),
            ("/%ff", 400),
        ):
            client.get(path)
            assert (await client.answer())[0] == status
        client.get("/only", "POST")
        status, headers, body = await client.answer()
        assert (status, headers["allow"], body[-1:]) == (405, "GET, HEAD, PUT", b"\n")


async def test_head_is_get_without_a_body(host: Host) -> None:
    guests = {
        "get": (answering(body=b"12345"), [route("/get", methods=["GET"])]),
        "any": (mirror(), [route("/any")]),
        "none": (answering(204, [("Content-Length", "7")], b"ignored"), [route("/none")]),
    }
    url = await serve(host, guests)
    async with wire(url) as client:
        client.get("/get", "HEAD")
        status, headers, _ = await client.answer(body=False)
        assert (status, headers["content-length"], headers["server"]) == (200, "5", "actorhost")
        client.get("/none")
        status, headers, _ = await client.answer()
        assert (status, headers.get("content-length", "0")) == (204, "0")
        client.get("/any")  # the connection is still in step
        assert seen((await client.answer())[2]).method == "GET"


async def test_answers_cannot_be_split_and_headers_repeat_in_order(host: Host) -> None:
    cookies = [
        ("Set-Cookie", "a=1"),
        ("X-Other", "é"),
        ("set-cookie", "b=2"),
        ("Transfer-Encoding", "chunked"),
    ]
    wrong = {
        "value": answering(headers=[("x-a", "1\r\nSet-Cookie: evil")]),
        "name": answering(headers=[("x-a: 1\r\nEvil", "1")]),
        "status": answering(status=99),
        "early": answering(status=101),
        "bytes": replying(b"hello"),
        "empty": replying(b""),
    }
    guests = {name: (module, [route(f"/{name}")]) for name, module in wrong.items()}
    url = await serve(host, {**guests, "good": (answering(404, cookies, b"x"), [route("/good")])})
    async with wire(url) as client:
        for name in wrong:
            client.get(f"/{name}")
            status, headers, body = await client.answer()
            assert (status, "set-cookie" in headers, b"evil" in body) == (502, False, False), name
        client.get("/good")
        status, pairs = await client.head()
    assert status == 404
    assert [value for name, value in pairs if name == "set-cookie"] == ["a=1", "b=2"]
    assert {"date", "server", "content-length"} <= dict(pairs).keys()
    assert "transfer-encoding" not in dict(pairs)


async def test_how_a_call_ends_is_told_by_the_status(host: Host) -> None:
    guests = {
        "loop": (guest(LOOP), [route("/loop", timeout=0.1)]),
        "fail": (guest(FAIL), [route("/fail")]),
        "trap": (guest(TRAP), [route("/trap")]),
        "mute": (guest("(i32.const 1)"), [route("/mute")]),
    }
    url = await serve(host, guests)
    statuses = {name: (await ask(url, f"/{name}"))[0] for name in guests}
    assert statuses == {"loop": 504, "fail": 500, "trap": 500, "mute": 502}


async def test_a_full_mailbox_is_503_with_retry_after(host: Host) -> None:
    url = await serve(host, {"a": (guest(LOOP), [route("/")])}, options={"mailbox_count": 1, "timeout": 0.3})
    answers = await asyncio.gather(*(ask(url, "/") for _ in range(6)))
    refused = [headers for status, headers, _ in answers if status == 503]
    assert {status for status, _, _ in answers} == {503, 504}
    assert all(headers["retry-after"] == "1" for headers in refused)


async def test_a_client_that_asks_too_often_is_told_when_to_come_back(host: Host) -> None:
    routes = [route("/slow", rate=0.5), route("/free", name="free")]
    url = await serve(host, {"a": (answering(body=b"a"), routes)})
    assert (await ask(url, "/slow"))[0] == 200
    status, headers, body = await ask(url, "/slow", body=b"not looked at")
    assert (status, headers["retry-after"], body) == (429, "2", b"too many requests, try again later\n")
    assert (await ask(url, "/free"))[0] == 200
    assert host.router.actors["a"].counts.replied == 2, "the actor hears nothing of it"


async def test_bodies_have_a_limit_however_they_come(host: Host) -> None:
    url = await serve(host, {"a": (mirror(), [route("/")])}, max_body=1000)
    async with wire(url) as client:
        client.get("/", "POST", body=b"x" * 1000)
        assert seen((await client.answer())[2]).body == b"x" * 1000
        client.get("/", "POST", more="Expect: 100-continue\r\nTransfer-Encoding: chunked\r\n")
        assert await client.head() == (100, [])
        client.send(b"3\r\nabc\r\n" + b"2\r\nde\r\n0\r\n\r\n")
        assert seen((await client.answer())[2]).body == b"abcde"
        client.get("/", "POST", more="Expect: 100-continue\r\nContent-Length: 1001\r\n")
        assert (await client.answer())[0] == 413, "without asking for the body"
        assert await client.ended() == b""
    async with wire(url) as client:
        client.get("/", "POST", more="Transfer-Encoding: chunked\r\n")
        client.send(b"200\r\n" + b"x" * 512 + b"\r\n200\r\n" + b"x" * 512 + b"\r\n")
        assert (await client.answer())[0] == 413
    async with wire(url) as client:
        client.get("/", "POST", more="Transfer-Encoding: chunked\r\n")
        client.send(b"nonsense\r\n")
        assert (await client.answer())[0] == 400
    async with wire(url) as client:
        client.get("/", "POST", more="Expect: magic\r\n", body=b"x")
        assert (await client.answer())[0] == 417


@pytest.mark.parametrize(
    ("head", "status"),
    [
        (b"\x16\x03\x01\x00\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"x" * 9000 + b"\r\n\r\n", 431),
        (b"OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        (b"CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    ],
)
async def test_broken_heads_are_refused_and_the_connection_ends(host: Host, head: bytes, status: int) -> None:
    url = await serve(host, {"a": (mirror(), [route("/")])})
    async with wire(url) as client:
        client.send(head)
        assert (await client.answer())[0] == status
        assert await client.ended() == b""


async def test_slow_clients_are_cut_off_and_quick_ones_are_not(host: Host) -> None:
    big = answering(body=b"x" * 50_000)
    guests = {"a": (mirror(), [route("/")]), "b": (big, [route("/big")])}
    url = await serve(host, guests, head_timeout=0.3, body_timeout=0.3, idle_timeout=0.6, write_timeout=0.3)
    async with wire(url) as head, wire(url) as body, wire(url) as idle, wire(url, limit=1000) as reader:
        head.send(b"GET / HTTP/1.1\r\nHo")
        body.get("/", "POST", more="Content-Length: 10\r\n")
        reader.send(b"GET /big HTTP/1.1\r\nHost: a\r\n\r\n" * 400)
        idle.get("/")
        assert (await idle.answer())[0] == 200
        assert (await head.answer())[0] == 408
        assert (await body.answer())[0] == 408
        assert await idle.ended() == await head.ended() == await body.ended() == b""
        assert len(await reader.ended()) < 400 * 50_000
    assert (await ask(url, "/"))[0] == 200


async def test_requests_come_in_a_row_on_one_connection(host: Host) -> None:
    url = await serve(host, {"a": (mirror(), [route("/{n}")])})
    async with wire(url) as client:
        for n in range(20):
            client.get(f"/{n}")
        assert [seen((await client.answer())[2]).path for _ in range(20)] == [f"/{n}" for n in range(20)]
        client.send(b"GET /last HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        assert (await client.answer())[0] == 200
        assert await client.ended() == b""


async def test_a_client_that_goes_away_does_not_end_the_call(host: Host) -> None:
    url = await serve(host, {"a": (mirror(), [route("/")])})
    async with wire(url) as client:
        client.get("/")
        client.close()
    async with wire(url) as client:
        client.get("/", "POST", more="Content-Length: 10\r\n")
        client.send(b"half")
    await until(lambda: host.router.actors["a"].counts.replied == 1)
    assert (await ask(url, "/"))[0] == 200
    assert host.router.actors["a"].counts.replied == 2


async def test_connections_are_bounded(host: Host) -> None:
    url = await serve(host, {"a": (mirror(), [route("/")])}, connections=2)
    async with wire(url) as one, wire(url) as two:
        for client in (one, two):
            client.get("/")
            assert (await client.answer())[0] == 200
        async with wire(url) as three:
            status, headers, _ = await three.answer()
            assert (status, headers["retry-after"]) == (503, "1")
            assert await three.ended() == b""


async def test_a_thousand_sandboxes_of_one_request_each_and_none_left(host: Host) -> None:
    once = [route("/", policy=InstancePolicy.PER_CALL)]
    url = await serve(
        host, {"a": (answering(body=b"once"), once)}, options={"instances": 8, "mailbox_count": 1000}
    )

    async def ten() -> list[int]:
        async with wire(url) as client:
            for _ in range(10):
                client.get("/")
            return [(await client.answer())[0] for _ in range(10)]

    burst = await asyncio.gather(*(ten() for _ in range(100)))
    assert {status for statuses in burst for status in statuses} == {200}
    assert host.router.actors["a"].instances_made == 1008
    assert host.engine_statistics().instances == 8


NO_ROUTES: tuple[dict[str, object], ...] = (
    {"path": "x"}, {"path": "/{a}/{a}"}, {"path": "/{a...}/b"}, {"path": "/{"}, {"path": "/.."},
    {"path": "/", "methods": ["TRACE"]}, {"path": "/", "methods": ["GET", "FOO"]}, {"path": "/a%2f%2e%2fb"},
    {"path": "/", "host": "a:80"}, {"path": "/", "color": 1}, {},
)  # fmt: skip


@pytest.mark.parametrize("config", NO_ROUTES)
async def test_a_link_that_is_no_route_is_refused(host: Host, config: dict[str, object]) -> None:
    link = route(**{"path": "", **config})  # type: ignore[arg-type]
    with pytest.raises(ProviderRefused):
        await serve(host, {"a": (mirror(), [link])})
