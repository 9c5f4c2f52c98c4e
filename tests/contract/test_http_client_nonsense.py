"""What servers answer that is no response, and what actors ask for that is no request: each is named."""

from __future__ import annotations

import asyncio
from typing import Any, Final

import pytest

from actorhost.contracts.http import CLIENT
from actorhost.contracts.provider import Link
from actorhost.errors import BadRequest, ProtocolError, ProviderFailed, ProviderRefused
from actorhost.ids import ActorName, LinkName
from actorhost.testing.conformance.http_client_case import HttpClientCase
from actorhost.testing.conformance.http_origin import HANG_UP
from actorhost_providers.http.client import AiohttpClient

FINE: Final = b"HTTP/1.1 200 OK\r\n"
EMPTY: Final = b"Content-Length: 0\r\n\r\n"
CHUNKS: Final = b"\r\n3\r\nabc\r\n0\r\n\r\n"
ANSWERS: Final = {
    b"hello\r\n\r\n": "is not HTTP: bad status line",
    b"HTTP/1.1 999 Odd\r\n" + EMPTY: "no response: status 999, of 200 to 599",
    b"HTTP/1.1 101 Other\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n": "status 101",
    b"HTTP/2.0 200 OK\r\n" + EMPTY: "neither HTTP/1.0 nor 1.1",
    FINE + b"X y: hush\r\n" + EMPTY: "is not HTTP: invalid header token",
    FINE + b"X-A: hush\x01\r\n" + EMPTY: "the value of header 'x-a' has control characters",
    FINE + b"X: hush\r\n" * 110 + EMPTY: "111 headers (at most 100)",
    FINE + b"X: " + b"x" * 9000 + b"\r\n" + EMPTY: "is not HTTP: got more than 8190 bytes",
    FINE + b"x" * 300 + b": hush\r\n" + EMPTY: "is no name of a header",
    FINE + b"Content-Length: 1\r\n" + EMPTY: "is not HTTP: duplicate content-length",
    FINE
    + b"Transfer-Encoding: chunked\r\n"
    + EMPTY: "content-length can't be present with transfer-encoding",
    FINE + b"Content-Length: 18446744073709551615\r\n\r\nhush": "a content-length of 20 digits",
    FINE + b"Transfer-Encoding: gzip, chunked\r\n" + CHUNKS: "a transfer coding besides chunked",
    FINE + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n": "invalid character in chunk size",
    HANG_UP: "the server hung up before it answered",
}
URLS: Final = {
    "ftp://a/": "scheme",
    "/path": "scheme",
    "http://u:hush@a/": "user or password",
    "http://a/hush b": "percent-encoding",
    "http://a/\r\nX: hush": "percent-encoding",
    "http://é.test/": "ASCII",
    'http://a/"hush': "do not belong",
    "http://a:99999/": "port 99999",
    f"http://{'a' * 64}.test/": "no name of a host",
    f"http://{'a.' * 127}test/": "no name of a host",
    "http://a../": "no name of a host",
    "http://127.1/": "no address",
}
PARAMS: Final[tuple[tuple[dict[str, Any], str], ...]] = (
    ({"method": "GET /x"}, "'GET /x' is no method"),
    ({"headers": [("a b", "hush")]}, "'a b' is no name of a header"),
    ({"headers": [("x-a", "hush\r\nb: c")]}, "the value of header 'x-a' has control characters"),
    ({"headers": [("x-a", "hush" * 3000)]}, "the value of header 'x-a' has 12000 characters"),
    ({"headers": [("Expect", "100-continue")]}, "header 'Expect' is set by the client itself"),
)


async def test_an_answer_that_is_none_is_the_servers_fault_and_says_why(case: HttpClientCase) -> None:
    for number, (answer, why) in enumerate(ANSWERS.items()):
        case.origin.say(f"/{number}", answer)
        error = await case.fault(f"/{number}")
        assert isinstance(error, ProviderFailed), answer
        assert why in error.message, answer
        assert "hush" not in f"{error.message} {error.hint}"
        assert error.outcome_known, "a GET may be repeated"


async def test_a_body_that_ends_early_is_the_servers_fault(case: HttpClientCase) -> None:
    async def part(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(FINE + b"Content-Length: 10\r\n\r\nhalf")
        writer.close()

    async with await asyncio.start_server(part, "127.0.0.1", 0) as server:
        url = "http://{}:{}".format(*server.sockets[0].getsockname())
        case.linked(allow=[url])
        error = await case.fault(f"{url}/", "POST")
    assert "the body of the answer ended early" in error.message
    assert not error.outcome_known


async def test_a_url_that_is_none_is_the_actors_fault_and_says_why(case: HttpClientCase) -> None:
    case.linked(allow=["http://*:*"])
    for url, why in URLS.items():
        error = await case.fault(url if "://" in url else f"x:{url}://")
        assert isinstance(error, BadRequest), url
        assert why in error.message, url
        assert "hush" not in f"{error.message} {error.hint}"


@pytest.mark.parametrize(("params", "why"), PARAMS)
async def test_a_request_that_is_none_is_the_actors_fault_and_says_why(
    case: HttpClientCase, params: dict[str, Any], why: str
) -> None:
    error = None
    try:
        await case.ask("/", **params)
    except ProtocolError as caught:
        error = caught
    assert error is not None
    assert why in error.message
    assert "hush" not in f"{error.message} {error.hint}"


@pytest.mark.parametrize("name", ["content-length", "Transfer-Encoding", "expect"])
def test_an_operator_adds_no_framing(name: str) -> None:
    config = {"allow": ["http://a"], "headers": {name: "1"}}
    with pytest.raises(ProviderRefused, match="set by the client itself"):
        AiohttpClient({}).check_link(Link(ActorName("a"), CLIENT.id, LinkName("default"), config))
