"""Connections to servers elsewhere: every address is judged at the moment it is connected to.

An outlet is owned by a client provider, which opens and closes it; it keeps connections for a while and
nothing else: no cookies, no proxies from the environment, no credentials. Whatever a name resolves to,
now or a second time, passes through :func:`_guarded`, and so does an address in a URL.
"""

from __future__ import annotations

import socket
import ssl
from types import SimpleNamespace
from typing import Final

import aiohttp
from aiohttp import hdrs
from aiohttp.abc import AbstractResolver

from actorhost.contracts.config import refusal
from actorhost.errors import ConfigFault
from actorhost_providers.http.address import is_private

_IDLE: Final = 15.0
"""Seconds that an unused connection is kept."""
AGENT: Final = "actorhost"


class PrivateAddress(OSError):
    """An address that this outlet does not connect to; all of a name are told alike."""


class Sent:
    """Whether the head of a request has left for the network."""

    __slots__ = ("is_sent",)

    def __init__(self) -> None:
        self.is_sent = False


def session(
    *, private: bool, connections: int, tls: ssl.SSLContext | bool, resolver: AbstractResolver | None
) -> aiohttp.ClientSession:
    """Return a session of at most that many connections, which reaches `private` addresses or does not."""
    connector = aiohttp.TCPConnector(
        limit=connections,
        keepalive_timeout=_IDLE,
        resolver=resolver,
        use_dns_cache=False,
        ssl=tls,
        socket_factory=_plain if private else _guarded,
    )
    trace = aiohttp.TraceConfig()
    trace.on_request_headers_sent.append(_note_sent)
    return aiohttp.ClientSession(
        connector=connector,
        cookie_jar=aiohttp.DummyCookieJar(),
        auto_decompress=False,
        trust_env=False,
        timeout=aiohttp.ClientTimeout(total=None, sock_connect=None),
        # A body without a type has none; an encoding that was not asked for need not be undone.
        skip_auto_headers=[hdrs.ACCEPT_ENCODING, hdrs.CONTENT_TYPE],
        headers={hdrs.USER_AGENT: AGENT},
        trace_configs=[trace],
    )


def tls_of(authorities: str) -> ssl.SSLContext | bool:
    """Return what certificates are held to: a file of authorities, or the system's without one.

    Raises :class:`~actorhost.errors.ConfigRefused` when the file cannot be used.
    """
    if not authorities:
        return True
    try:
        return ssl.create_default_context(cafile=authorities)
    except (OSError, ssl.SSLError) as error:
        message = f"cannot use {authorities} as certificate authorities: {error}"
        fault = ConfigFault(("authorities",), message, "give a file in PEM that the host may read")
        raise refusal("provider http-client", [fault]) from None


def _plain(info: aiohttp.AddrInfoType) -> socket.socket:
    family, kind, protocol, _, _ = info
    return socket.socket(family, kind, protocol)


def _guarded(info: aiohttp.AddrInfoType) -> socket.socket:
    if is_private(str(info[4][0])):
        raise PrivateAddress("no public address")
    return _plain(info)


async def _note_sent(_session: object, context: SimpleNamespace, _params: object) -> None:
    context.trace_request_ctx.is_sent = True
