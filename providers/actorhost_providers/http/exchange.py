"""One request's way: from its head to a route, its body to the actor, and the actor's response back.

Stateless but for the routes and the log it is given; runs on the connection's task. A client that goes
away does not end the call it began, as the actor's work is not to be cut in half: the call goes on to
its end, within its time-out, and the answer is dropped.
"""

from __future__ import annotations

import asyncio
from http import HTTPStatus
from typing import Final

from aiohttp import web

from actorhost.clock import monotonic
from actorhost.contracts.http import HANDLE, HandleParams
from actorhost.errors import ActorhostError, BadRequest, GuestMisbehaved, ProtocolError
from actorhost_providers.http.access import AccessLog, Line
from actorhost_providers.http.answer import Answer, Refused, answer_of, fault, refusal
from actorhost_providers.http.head import Head, head_of
from actorhost_providers.http.request import Request
from actorhost_providers.http.route import ANY, Route, RouteTable

_CONTINUE: Final = b"HTTP/1.1 100 Continue\r\n\r\n"


class AnswerRefused(GuestMisbehaved):
    """What an actor answered is no response; its text is ours, and names the rule but none of the answer."""


class Exchange:
    """Answers the requests of one port by its `routes`; `scheme` is ``http`` or ``https``."""

    def __init__(self, routes: RouteTable, scheme: str, log: AccessLog) -> None:
        self._routes = routes
        self._scheme = scheme
        self._log = log

    async def answer(self, request: Request) -> Answer:
        """Return the answer to `request`; raises :class:`ConnectionError` when its client has gone."""
        connection = request.protocol
        connection.begin()
        started, route, code, reason = monotonic(), None, "", ""
        try:
            head = head_of(request, connection.peer)
            route, parameters = self._find(head)
            # Most have none, and need no coroutine to say so.
            body = b"" if request.content.at_eof() else await _body(request, route, head)
            try:
                answer = await self._call(route, head, parameters, body)
            except ActorhostError as error:
                code = str(error.code)
                reason = error.message if isinstance(error, AnswerRefused) else ""
                answer = fault(error, with_body=bool(body))
        except Refused as refused:
            answer = refusal(refused)
        finally:
            connection.end()
        if (route or self._routes).logged:
            self._note(request, answer, route, monotonic() - started, (code, reason))
        return answer

    def _find(self, head: Head) -> tuple[Route, list[tuple[str, str]]]:
        try:
            found = self._routes.find(head.host, head.method, head.path)
        except BadRequest:
            raise Refused(HTTPStatus.BAD_REQUEST) from None
        if found.route is None:
            if found.allowed:
                raise Refused(HTTPStatus.METHOD_NOT_ALLOWED, allow=found.allowed)
            raise Refused(HTTPStatus.NOT_FOUND)
        if not found.route.open:
            raise Refused(HTTPStatus.SERVICE_UNAVAILABLE)
        allowance = found.route.allowance
        if allowance is not None and (wait := allowance.wait(head.peer, monotonic())):
            raise Refused(HTTPStatus.TOO_MANY_REQUESTS, wait=wait)
        return found.route, found.parameters

    async def _call(self, route: Route, head: Head, parameters: list[tuple[str, str]], body: bytes) -> Answer:
        params = HandleParams(
            _method(route, head.method),
            self._scheme,
            head.authority,
            head.path,
            head.query,
            head.headers,
            body,
            parameters,
            head.peer,
        )
        reply = await route.call(
            route.link, route.operation, HANDLE.encode_params(params), timeout=route.timeout
        )
        try:
            return answer_of(HANDLE.decode_result(reply))
        except ProtocolError as error:
            raise AnswerRefused(f"actor {route.link.actor!r}: {error.message}", hint=error.hint) from None

    def _note(
        self, request: Request, answer: Answer, route: Route | None, took: float, end: tuple[str, str]
    ) -> None:
        sent = len(answer.body) if request.method != "HEAD" else 0
        path = request.raw_path.partition("?")[0]
        actor = str(route.link.actor) if route is not None else ""
        self._log.note(Line(request.method, path, answer.status, sent, took, actor, *end))


def _method(route: Route, method: str) -> str:
    # Whoever wrote a handler for GET alone has not thought of HEAD.
    if method == "HEAD" and ANY not in route.takes() and method not in route.methods:
        return "GET"
    return method


async def _body(request: Request, route: Route, head: Head) -> bytes:
    """Return the whole body; raises :class:`Refused` when it is too large, too slow or broken."""
    content = request.content
    if head.length > route.max_body:
        raise Refused(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, close=True)
    if head.expects:
        await request.writer.write(_CONTINUE)
        request.writer.output_size = 0
    try:
        if content.is_eof():
            body = content.read_nowait()
        else:
            async with asyncio.timeout(route.body_timeout):
                body = await _read(request, route.max_body)
    except TimeoutError:
        raise Refused(HTTPStatus.REQUEST_TIMEOUT, close=True) from None
    except web.RequestPayloadError:
        raise Refused(HTTPStatus.BAD_REQUEST, close=True) from None
    if len(body) > route.max_body:
        raise Refused(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, close=True)
    return body


async def _read(request: Request, most: int) -> bytes:
    """Return the body, or a little more than `most` bytes of it."""
    parts, size = list[bytes](), 0
    while size <= most and (part := await request.content.readany()):
        parts.append(part)
        size += len(part)
    return b"".join(parts)
