"""The HTTP client: requests of actors, held to what their links allow, on aiohttp's client.

One instance owns two sets of connections, for links that may reach private addresses and for all
others, so that no link uses a connection that it could not have made. Redirects are followed by hand,
each one judged like the first request. Nothing survives the host; what was sent may have been done.
"""

from __future__ import annotations

import asyncio
import io
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Annotated, ClassVar, Final

import aiohttp
import msgspec
from aiohttp.abc import AbstractResolver
from msgspec import Meta

from actorhost.contracts.config import Each, Rules
from actorhost.contracts.http import (
    CONNECTION_HEADERS,
    FRAMING_HEADERS,
    Headers,
    HttpClient,
    RequestParams,
    Response,
    check_header_name,
    check_header_value,
    check_settable,
)
from actorhost.contracts.provider import Config, Link
from actorhost.errors import (
    ActorhostError,
    Denied,
    ProtocolError,
    ProviderFailed,
    TooLarge,
)
from actorhost_providers.http.failure import NoResponse, failed, marked, shown, timed_out
from actorhost_providers.http.outlet import Sent, session, tls_of
from actorhost_providers.http.redirect import STATUSES, Outgoing, redirected
from actorhost_providers.http.target import Entry, allowed, target_of

MIB: Final = 1 << 20
_PIECE: Final = 64 * 1024
_DIGITS: Final = 18
"""Of the length of an answer's body."""


def _check_name(name: str) -> None:
    check_header_name(name)
    check_settable(name, FRAMING_HEADERS)


class ClientConfig(Config, frozen=True):
    """Configuration: most connections, and a file of certificate authorities if not the system's."""

    connections: Annotated[int, Meta(ge=1, le=10_000)] = 100
    authorities: str = ""


class ClientLink(Config, frozen=True, rename="kebab"):
    """Configuration of a link: what its actor may reach, and what is added to its requests.

    `allow` names schemes, hosts, ports and paths (:mod:`actorhost_providers.http.target`). `headers` are
    the operator's, for the origin that the actor asks for. Sizes are in bytes, times in seconds.
    """

    allow: Annotated[tuple[str, ...], Meta(min_length=1)]
    allow_private: bool = False
    timeout: Annotated[float, Meta(ge=0.01, le=3600)] = 10.0
    max_body: Annotated[int, Meta(ge=0, le=1 << 30)] = MIB
    max_redirects: Annotated[int, Meta(ge=0, le=20)] = 5
    headers: Mapping[str, str] = msgspec.field(default_factory=dict)

    rules: ClassVar[Rules] = MappingProxyType(
        {"allow": Each(Entry.parse), "headers": Each(check_header_value, key=_check_name)}
    )


@dataclass(frozen=True, slots=True)
class _Terms:
    """What one link allows, taken apart."""

    config: ClientLink
    entries: tuple[Entry, ...]
    added: Headers
    replaced: frozenset[str]


class AiohttpClient(HttpClient):
    """Requests over the network; see the module."""

    def __init__(self, config: Mapping[str, object], resolver: AbstractResolver | None = None) -> None:
        """Take limits from `config`; `resolver` stands in for the system's."""
        super().__init__(config)
        self._settings = ClientConfig.read(config, "provider http-client")
        self._resolver = resolver
        self._terms: dict[Link, _Terms] = {}
        self._sessions: dict[bool, aiohttp.ClientSession] = {}

    def check_link(self, link: Link) -> None:
        """Refuse a link that allows nothing, or adds what is no header."""
        self._terms[link] = _terms_of(link)

    def examine(self) -> None:
        """Refuse a file of authorities that this machine does not have."""
        tls_of(self._settings.authorities)

    async def start(self) -> None:
        """Make the sessions; connections come with requests."""
        tls = tls_of(self._settings.authorities)
        for private in (False, True):
            self._sessions[private] = session(
                private=private,
                connections=self._settings.connections,
                tls=tls,
                resolver=self._resolver,
            )

    async def stop(self) -> None:
        """Drop every connection."""
        while self._sessions:
            await self._sessions.popitem()[1].close()

    async def request(self, link: Link, params: RequestParams) -> Response:
        """Send one request, follow where it is led, and return the last answer."""
        terms = self._terms.get(link) or _terms_of(link)
        config = terms.config
        outgoing = Outgoing(params.method.upper(), target_of(params.url), params.headers or [], params.body)
        seconds, sent = config.timeout, Sent()
        if params.timeout_ms is not None:
            seconds = min(seconds, params.timeout_ms / 1000)
        most = config.max_body if params.max_body is None else min(config.max_body, params.max_body)
        try:
            async with asyncio.timeout(seconds):
                return await self._follow(terms, outgoing, most, sent)
        except TimeoutError:
            raise timed_out(outgoing, seconds, sent) from None

    async def _follow(self, terms: _Terms, outgoing: Outgoing, most: int, sent: Sent) -> Response:
        for left in range(terms.config.max_redirects, -1, -1):
            _check_allowed(outgoing, terms)
            response, location = await self._send(terms, outgoing, most, sent)
            if not location or terms.config.max_redirects == 0:
                return response
            if left:
                outgoing = _next(outgoing, response.status, location)
        raise marked(
            ProviderFailed(
                f"more than {terms.config.max_redirects} redirects from {shown(outgoing.first.target)}",
                hint="raise max-redirects of the link, or ask where they lead to",
            ),
            outgoing,
            sent,
        )

    async def _send(self, terms: _Terms, outgoing: Outgoing, most: int, sent: Sent) -> tuple[Response, str]:
        """Return the answer to one request, and where it redirects to."""
        try:
            async with self._sessions[terms.config.allow_private].request(
                outgoing.method,
                outgoing.target.url,
                headers=_headers(outgoing, terms),
                data=_payload(outgoing.body),
                allow_redirects=False,
                trace_request_ctx=sent,
            ) as answer:
                location = answer.headers.get("Location", "") if answer.status in STATUSES else ""
                body = await _read(answer, most, outgoing)
                return _response(answer, body), location
        except (aiohttp.ClientError, OSError, ValueError, NoResponse) as error:
            if isinstance(error, TimeoutError):
                raise
            raise failed(error, outgoing, sent) from None


def _terms_of(link: Link) -> _Terms:
    owner = f"the link {link.name!r} of actor {link.actor!r} to {link.contract}"
    config = ClientLink.read(link.config, owner)
    added = list(config.headers.items())
    entries = tuple(Entry.parse(text) for text in config.allow)
    return _Terms(config, entries, added, frozenset(name.lower() for name, _ in added))


def _check_allowed(outgoing: Outgoing, terms: _Terms) -> None:
    if allowed(outgoing.target, terms.entries):
        return
    error = Denied(
        f"the link does not allow {outgoing.method} {shown(outgoing.target)}"
        + (f", which {shown(outgoing.first.target)} redirects to" if outgoing.asked else ""),
        hint="add its scheme, host, port or path to `allow` of the link",
    )
    raise error


def _next(outgoing: Outgoing, status: int, location: str) -> Outgoing:
    try:
        return redirected(outgoing, status, location)
    except ActorhostError as error:
        # The URL is the server's, not the actor's.
        raise ProviderFailed(
            f"{shown(outgoing.target)} redirects to what may not be asked for: {error.message}",
            hint="ask its operator",
        ) from None


def _headers(outgoing: Outgoing, terms: _Terms) -> Headers:
    guests = [(name, value) for name, value in outgoing.headers if name.lower() not in terms.replaced]
    return [*guests, *terms.added] if not outgoing.abroad else guests


def _payload(body: bytes | None) -> bytes | io.BytesIO | None:
    # Large ones go out in pieces, so that the event loop looks at other things between.
    return io.BytesIO(body) if body is not None and len(body) > _PIECE else body


async def _read(answer: aiohttp.ClientResponse, most: int, outgoing: Outgoing) -> bytes:
    parts, size = list[bytes](), 0
    async for part in answer.content.iter_any():
        size += len(part)
        if size > most:
            answer.close()
            raise TooLarge(
                f"the answer of {shown(outgoing.target)} is over {most} bytes; the request was carried out",
                hint="ask for less, or raise max-body of the link",
            )
        parts.append(part)
    return b"".join(parts)


def _response(answer: aiohttp.ClientResponse, body: bytes) -> Response:
    """Return the answer in the contract's words, or raise :class:`NoResponse`."""
    if not 200 <= answer.status <= 599:
        raise NoResponse(f"status {answer.status}, of 200 to 599")
    if answer.version not in (aiohttp.HttpVersion10, aiohttp.HttpVersion11):
        raise NoResponse("a version that is neither HTTP/1.0 nor 1.1")
    pairs = [(name.decode("latin-1").lower(), _text(value)) for name, value in answer.raw_headers]
    for name, value in pairs:
        _check_framing(name, value)
    kept = [pair for pair in pairs if pair[0] not in CONNECTION_HEADERS]
    try:
        return Response(answer.status, kept, body)
    except ProtocolError as error:
        raise NoResponse(f"{error.message} ({error.hint})") from None


def _check_framing(name: str, value: str) -> None:
    if name == "transfer-encoding" and value.lower() != "chunked":
        raise NoResponse("a transfer coding besides chunked, which was not asked for")
    if name == "content-length" and len(value) > _DIGITS:
        # The largest number of 64 bits is what the parser takes for no length at all.
        raise NoResponse(f"a content-length of {len(value)} digits (at most {_DIGITS})")


def _text(value: bytes) -> str:
    try:
        return value.decode()
    except UnicodeDecodeError:
        return value.decode("latin-1")
