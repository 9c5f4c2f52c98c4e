"""An answer on its way to a client: a status, headers and a body, put on the wire in one piece.

Pure but for writing to the connection it is for. It takes the place of aiohttp's own response, which does
much for headers that we neither have nor want, and costs as much as the sandbox. What the HTTP server says
for itself is a status and a short text: why a call failed is for the operator (access log, `actorhost ps`).
"""

from __future__ import annotations

import functools
import math
from collections.abc import Iterable
from email.utils import formatdate
from http import HTTPStatus
from typing import Final

from aiohttp import HttpVersion10

from actorhost.clock import wall_ns
from actorhost.contracts.http import CONNECTION_HEADERS, Headers, Response
from actorhost.errors import ActorhostError, FaultCode
from actorhost_providers.http.connection import Connection
from actorhost_providers.http.request import Request

RETRY_AFTER: Final = "1"
"""Seconds, as text: overload and redeployments are over in about that time."""
SERVER: Final = "actorhost"

_NOT_THE_ACTORS: Final = CONNECTION_HEADERS | {"content-length", "date", "server"}
_BODILESS: Final = frozenset([int(HTTPStatus.NO_CONTENT), int(HTTPStatus.NOT_MODIFIED)])
_STATUS: Final = {
    FaultCode.OVERLOADED: HTTPStatus.SERVICE_UNAVAILABLE,
    FaultCode.UNAVAILABLE: HTTPStatus.SERVICE_UNAVAILABLE,
    FaultCode.NO_ROUTE: HTTPStatus.SERVICE_UNAVAILABLE,
    FaultCode.TIMEOUT: HTTPStatus.GATEWAY_TIMEOUT,
    FaultCode.DEADLINE: HTTPStatus.GATEWAY_TIMEOUT,
    FaultCode.MISBEHAVED: HTTPStatus.BAD_GATEWAY,
}
_TEXT: Final = {
    HTTPStatus.BAD_REQUEST: "this request cannot be understood",
    HTTPStatus.NOT_FOUND: "nothing is served here",
    HTTPStatus.METHOD_NOT_ALLOWED: "this method is not served here",
    HTTPStatus.REQUEST_TIMEOUT: "the request took too long to come",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "the body is too large",
    HTTPStatus.EXPECTATION_FAILED: "this expectation cannot be met",
    HTTPStatus.TOO_MANY_REQUESTS: "too many requests, try again later",
    HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE: "the head of the request is too large",
    HTTPStatus.INTERNAL_SERVER_ERROR: "the service failed",
    HTTPStatus.NOT_IMPLEMENTED: "this transfer coding is not understood here",
    HTTPStatus.BAD_GATEWAY: "the service gave no valid answer",
    HTTPStatus.SERVICE_UNAVAILABLE: "the service is not available now, try again",
    HTTPStatus.GATEWAY_TIMEOUT: "the service did not answer in time",
    HTTPStatus.HTTP_VERSION_NOT_SUPPORTED: "this version of HTTP is not spoken here",
}


class Refused(Exception):
    """A request that ends here with `status`; after a `close` one the connection ends, too.

    `wait` is in how many seconds it may be tried again, if that is known.
    """

    def __init__(
        self, status: HTTPStatus, *, allow: Iterable[str] = (), close: bool = False, wait: float = 0
    ) -> None:
        super().__init__(status)
        self.status = status
        self.allow = sorted(allow)
        self.close = close
        self.wait = wait


class Answer:
    """One answer; aiohttp's protocol calls :meth:`prepare` and :meth:`write_eof` as of its own responses."""

    __slots__ = ("_connection", "_headers", "body", "close", "keep_alive", "status")

    def __init__(self, status: int, headers: Headers, body: bytes, *, close: bool = False) -> None:
        """Hold what may be sent: no header splits it, and framing is added."""
        self.status = int(status)
        self.body = body
        self.close = close
        self.keep_alive = False
        self._headers = headers
        self._connection: Connection | None = None

    async def prepare(self, request: Request) -> None:
        """Write the answer to `request`; a client that has gone raises :class:`ConnectionError`."""
        connection = self._connection = request.protocol
        self.keep_alive = request.keep_alive and not self.close
        lines = [_first(self.status), _date(wall_ns() // 1_000_000_000)]
        lines += [f"{name}: {value}\r\n" for name, value in self._headers]
        body = self.body
        if self.status in _BODILESS:
            body = b""
        else:
            lines.append(f"Content-Length: {len(body)}\r\n")
        if not self.keep_alive:
            lines.append("Connection: close\r\n")
        elif request.version == HttpVersion10:
            lines.append("Connection: keep-alive\r\n")
        head = "".join(lines).encode()
        connection.write(head + b"\r\n" + (b"" if request.method == "HEAD" else body))

    async def write_eof(self) -> None:
        """Wait until a client that reads slowly has room for more."""
        if self._connection is not None and self._connection.writing_paused:
            await self._connection.drained()


def answer_of(response: Response) -> Answer:
    """Return the answer that an actor gave."""
    headers = [(name, value) for name, value in response.headers if name.lower() not in _NOT_THE_ACTORS]
    return Answer(response.status, headers, response.body)


def refusal(refused: Refused) -> Answer:
    """Return the answer to a refused request."""
    more = [("Allow", ", ".join(refused.allow))] if refused.allow else []
    if refused.wait:
        more.append(("Retry-After", str(math.ceil(refused.wait))))
    return short(refused.status, more, close=refused.close)


def fault(error: ActorhostError, *, with_body: bool) -> Answer:
    """Return the answer when a call ended with `error`; `with_body` says whether the request had one."""
    if error.code is FaultCode.TOO_LARGE:
        # Request or reply; without a body it can hardly have been the request.
        return short(HTTPStatus.REQUEST_ENTITY_TOO_LARGE if with_body else HTTPStatus.BAD_GATEWAY)
    return short(_STATUS.get(error.code, HTTPStatus.INTERNAL_SERVER_ERROR))


def short(status: HTTPStatus, more: Headers | None = None, *, close: bool = False) -> Answer:
    """Return an answer of one line."""
    headers = [("Content-Type", "text/plain; charset=utf-8"), *(more or [])]
    if status is HTTPStatus.SERVICE_UNAVAILABLE:
        headers.append(("Retry-After", RETRY_AFTER))
    return Answer(status, headers, f"{_TEXT[status]}\n".encode(), close=close)


@functools.lru_cache(maxsize=512)
def _first(status: int) -> str:
    try:
        phrase = HTTPStatus(status).phrase
    except ValueError:
        phrase = ""
    return f"HTTP/1.1 {status} {phrase}\r\n"


@functools.lru_cache(maxsize=1)
def _date(second: int) -> str:
    """Return the headers that every answer of this second has."""
    return f"Date: {formatdate(second, usegmt=True)}\r\nServer: {SERVER}\r\n"
