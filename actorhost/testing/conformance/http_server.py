"""The conformance suite of ``actorhost:http``'s server: the rules every backend must keep.

Backend-neutral: requests go over plain sockets to where the server says it listens, and an actor that does
as it is told stands behind it; no host is needed and nothing is looked into.
"""

from __future__ import annotations

from typing import Final

from actorhost.contracts.http import Response
from actorhost.errors import (
    ActorFailed,
    ActorhostError,
    CallTimeout,
    GuestTrapped,
    Overloaded,
    ProviderRefused,
    Unavailable,
)
from actorhost.testing.conformance.http_server_case import HttpServerCase
from actorhost.testing.conformance.rule import Rule, RuleBroken, Suite, equal, holds

SUITE: Final[Suite[HttpServerCase]] = Suite()
_INSIDE: Final = "table users has no column"


@SUITE.rule("handed-as-sent", "Method, path, query, headers, parameters and body arrive as they were sent.")
async def _(case: HttpServerCase) -> None:
    await case.route("/a/{b}/{c...}")
    await case.ask("PUT", "/a/x%2Fy/c/d?e=%20&f", "X-A: 1\r\nX-B: 2\r\nx-a: 3\r\n", b"\x00\xff")
    (seen,) = case.handled
    equal((seen.method, seen.path, seen.query), ("PUT", "/a/x%2Fy/c/d", "e=%20&f"), "the request")
    equal(seen.parameters, [("b", "x/y"), ("c", "c/d")], "the parameters")
    own = [pair for pair in seen.headers if pair[0].startswith("x-")]
    equal(own, [("x-a", "1"), ("x-b", "2"), ("x-a", "3")], "the headers")
    equal((seen.body, seen.authority, seen.scheme), (b"\x00\xff", "test", "http"), "body and authority")


@SUITE.rule("answered-as-given", "Status, repeated headers in order and body come as the actor gave them.")
async def _(case: HttpServerCase) -> None:
    await case.route("/")
    case.reply = Response(207, [("x-a", "1"), ("x-b", "é"), ("x-a", "2")], b"\x00body")
    status, headers, body = await case.ask("GET", "/")
    equal((status, body), (207, b"\x00body"), "status and body")
    own = [pair for pair in headers if pair[0].startswith("x-")]
    equal(own, [("x-a", "1"), ("x-b", "é"), ("x-a", "2")], "the headers")


@SUITE.rule("head-as-get", "HEAD is answered like GET, without the body.")
async def _(case: HttpServerCase) -> None:
    await case.route("/", methods=["GET"])
    case.reply = Response(200, [], b"12345")
    status, headers, body = await case.ask("HEAD", "/")
    equal((status, dict(headers).get("content-length"), body), (200, "5", b""), "the answer to HEAD")


@SUITE.rule("never-split", "What is no response is a 502, and nothing of it reaches the client.")
async def _(case: HttpServerCase) -> None:
    await case.route("/")
    for raw in (
        b"hello",
        b"",
        b"\x83\xa6status\xcc\xc8\xa7headers\x91\x92\xa1x\xa9a\r\nEvil:b\xa4body\xc4\x00",
    ):
        case.reply = raw
        status, headers, _ = await case.ask("GET", "/")
        equal((status, "evil" in dict(headers)), (502, False), f"the answer for {raw!r}")


@SUITE.rule("unknown-path", "A path without a route is a 404, and no actor hears of it.")
async def _(case: HttpServerCase) -> None:
    await case.route("/a/{b}")
    for path in ("/", "/a", "/a/", "/a/b/c"):
        equal((await case.ask("GET", path))[0], 404, f"the status of {path}")
    equal(case.handled, [], "what the actor heard")


@SUITE.rule("unknown-method", "A method that no route of the path has is a 405, which names those there are.")
async def _(case: HttpServerCase) -> None:
    await case.route("/", methods=["PUT"])
    await case.route("/", methods=["GET"])
    status, headers, _ = await case.ask("POST", "/")
    allowed = {name.strip() for name in dict(headers).get("allow", "").split(",")}
    equal((status, allowed), (405, {"GET", "HEAD", "PUT"}), "status and methods")


@SUITE.rule("body-bound", "A body over the bound is a 413, and no actor hears of it.")
async def _(case: HttpServerCase) -> None:
    await case.route("/")
    equal((await case.ask("POST", "/", body=b"x" * case.most))[0], 200, "the status at the bound")
    equal((await case.ask("POST", "/", body=b"x" * (case.most + 1)))[0], 413, "the status above it")
    equal(len(case.handled), 1, "what the actor heard")


@SUITE.rule("read-one-way", "A request that could be read in two ways is refused, and no actor hears of it.")
async def _(case: HttpServerCase) -> None:
    await case.route("/")
    for headers in (
        "Transfer-Encoding: chunked\r\nContent-Length: 3\r\n",
        "Transfer-Encoding: gzip, chunked\r\n",
        "Transfer-Encoding : chunked\r\n",
        "Content-Length: 3\r\nContent-Length: 4\r\n",
        "Content-Length: 18446744073709551615\r\n",
        "X-A: 1\r\n 2\r\n",
    ):
        status, _, _ = await case.ask("POST", "/", headers)
        holds(400 <= status < 500 or status == 501, f"{headers!r} was answered with {status}")
    equal(case.handled, [], "what the actor heard")


@SUITE.rule("ends-as-status", "How a call ends is told by the status: 503 to come back, 504 late, else 500.")
async def _(case: HttpServerCase) -> None:
    await case.route("/")
    ends: tuple[tuple[ActorhostError, int], ...] = (
        *((kind("no"), 503) for kind in (Overloaded, Unavailable)),
        *((kind("no"), 500) for kind in (ActorFailed, GuestTrapped)),
        (CallTimeout("no"), 504),
    )
    for error, expected in ends:
        case.reply = error
        status, headers, _ = await case.ask("GET", "/")
        equal(status, expected, f"the status for {error.code}")
        holds(status != 503 or "retry-after" in dict(headers), "503 without retry-after")


@SUITE.rule("inside-untold", "What an error says of the inside does not reach the client.")
async def _(case: HttpServerCase) -> None:
    await case.route("/")
    case.reply = ActorFailed(_INSIDE, hint=_INSIDE)
    _, headers, body = await case.ask("GET", "/")
    holds(_INSIDE.encode() not in body and _INSIDE not in str(headers), f"told {body!r}")


@SUITE.rule(
    "no-two-of-one", "Two routes of one shape and method are refused, whatever their parameters' names."
)
async def _(case: HttpServerCase) -> None:
    await case.route("/a/{b}", methods=["GET", "PUT"])
    for methods in (["PUT"], []):
        try:
            await case.route("/a/{other}", methods=methods)
        except ProviderRefused:
            continue
        raise RuleBroken(f"a second route with methods {methods} was taken")


@SUITE.rule("unlinked-uncalled", "An actor that is about to stop is called no more.")
async def _(case: HttpServerCase) -> None:
    link = await case.route("/")
    await case.server.unlinked(link)
    equal((await case.ask("GET", "/"))[0], 503, "the status")
    equal(case.handled, [], "what the actor heard")


RULES: Final[tuple[Rule[HttpServerCase], ...]] = tuple(SUITE)
"""All rules; put each to a backend with :func:`actorhost.testing.conformance.rule.put`."""
