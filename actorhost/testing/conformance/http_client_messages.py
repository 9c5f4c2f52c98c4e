"""Rules of the HTTP client about requests, answers, and what breaks on the way."""

from __future__ import annotations

import zlib
from typing import Final

from actorhost.testing.conformance.http_client_case import HttpClientCase
from actorhost.testing.conformance.http_origin import HANG_UP, SILENCE
from actorhost.testing.conformance.rule import Suite, equal, holds

SUITE: Final[Suite[HttpClientCase]] = Suite()


@SUITE.rule("sent-as-asked", "Method, path, query, headers and body arrive as the actor wrote them.")
async def _(case: HttpClientCase) -> None:
    case.origin.answer("/a%2Fb")
    headers = [("x-a", "1"), ("X-B", "é"), ("x-a", "2")]
    await case.ask("/a%2Fb?q=%31&r=a+b", "PATCH", headers=headers, body=b"\x00\xff")
    (asked,) = case.origin.asked
    equal((asked.method, asked.target), ("PATCH", "/a%2Fb?q=%31&r=a+b"), "the request")
    equal((asked.values("x-a"), asked.body), (["1", "2"], b"\x00\xff"), "headers and body")


@SUITE.rule("answered-as-sent", "Status, repeated headers in order and body come back as they were sent.")
async def _(case: HttpClientCase) -> None:
    case.origin.answer("/", 207, [("X-A", "1"), ("Set-Cookie", "a"), ("x-a", "2")], b"\x00body")
    answer = await case.ask()
    equal((answer.status, answer.body), (207, b"\x00body"), "status and body")
    equal([pair for pair in answer.headers if pair[0] == "x-a"], [("x-a", "1"), ("x-a", "2")], "headers")


@SUITE.rule("status-is-answer", "An answer with any status is an answer, no fault.")
async def _(case: HttpClientCase) -> None:
    for status in (204, 304, 404, 500, 503):
        case.origin.answer(f"/{status}", status)
        equal((await case.ask(f"/{status}")).status, status, "the status")


@SUITE.rule("body-as-encoded", "A compressed body is not decompressed, so it stays within its bound.")
async def _(case: HttpClientCase) -> None:
    small = zlib.compress(b"0" * 100_000)
    case.origin.answer("/", 200, [("Content-Encoding", "deflate")], small)
    case.linked(max_body=len(small))
    equal((await case.ask()).body, small, "the body")


@SUITE.rule("operator-headers", "The operator's headers are added and replace the actor's.")
async def _(case: HttpClientCase) -> None:
    case.origin.answer("/")
    case.linked(headers={"Authorization": "secret"})
    await case.ask(headers=[("authorization", "mine"), ("x-a", "1")])
    equal(case.origin.asked[0].values("authorization"), ["secret"], "authorization")
    equal(case.origin.asked[0].values("x-a"), ["1"], "the actor's own header")


@SUITE.rule("no-cookies", "No cookie is kept from one request to the next.")
async def _(case: HttpClientCase) -> None:
    case.origin.answer("/", 200, [("Set-Cookie", "a=1")])
    await case.ask()
    await case.ask()
    equal(case.origin.asked[1].values("cookie"), [], "cookies")


@SUITE.rule("no-answer", "No answer in time is a timeout, of unknown outcome where repeating may harm.")
async def _(case: HttpClientCase) -> None:
    case.origin.say("/", SILENCE)
    for method, known in (("GET", True), ("POST", False)):
        error = await case.fault("/", method, timeout_ms=50)
        equal((str(error.code), error.outcome_known), ("timeout", known), f"the end of {method}")


@SUITE.rule("hung-up", "A lost connection is provider_error, of unknown outcome where repeating may harm.")
async def _(case: HttpClientCase) -> None:
    case.origin.say("/", HANG_UP)
    for method, known in (("PUT", True), ("POST", False)):
        error = await case.fault("/", method)
        equal((str(error.code), error.outcome_known), ("provider_error", known), f"the end of {method}")


@SUITE.rule("not-sent", "What could not be sent is provider_error, and certainly not done.")
async def _(case: HttpClientCase) -> None:
    port = case.other.port
    case.linked(allow=[f"http://127.0.0.1:{port}"])
    await case.other.__aexit__()
    error = await case.fault(f"http://127.0.0.1:{port}/", "POST")
    equal((str(error.code), error.outcome_known), ("provider_error", True), "the end")
    await case.other.__aenter__()


@SUITE.rule("not-repeated", "A request that may harm when repeated is sent once.")
async def _(case: HttpClientCase) -> None:
    case.origin.answer("/warm")
    case.origin.say("/", HANG_UP)
    await case.ask("/warm")
    await case.fault("/", "POST")
    equal(len(case.origin.asked), 2, "requests")


@SUITE.rule("no-response", "What is no HTTP is provider_error.")
async def _(case: HttpClientCase) -> None:
    for number, data in enumerate((b"hello\r\n\r\n", b"HTTP/1.1 999 Odd\r\nContent-Length: 0\r\n\r\n")):
        case.origin.say(f"/{number}", data)
        equal(str((await case.fault(f"/{number}")).code), "provider_error", "the code")


@SUITE.rule("body-bound", "A body over the bound is too_large and not read to its end.")
async def _(case: HttpClientCase) -> None:
    piece = b"400\r\n" + b"x" * 1024 + b"\r\n"
    case.origin.say("/endless", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + piece * 4)
    case.origin.answer("/long", body=b"x" * 2048)
    for path in ("/long", "/endless"):
        equal(str((await case.fault(path, max_body=1024)).code), "too_large", "the code")
    case.origin.answer("/fits", body=b"x" * 1024)
    holds(len((await case.ask("/fits", max_body=1024)).body) == 1024, "a body at the bound was refused")
