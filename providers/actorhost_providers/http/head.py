"""What the head of a request says, in the words of the contract; what cannot be one is refused.

Pure, but for looking at the connection's address.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final

from aiohttp import HttpVersion11, web

from actorhost.contracts.http import CONNECTION_HEADERS, Headers
from actorhost_providers.http.answer import Refused

_USUAL: Final = frozenset(["keep-alive", "close"])
_OURS: Final = frozenset(["host", "content-length", "expect"])
_KEPT: Final = frozenset(["host", "content-length"])
"""What a message needs, whatever its ``connection`` header says of it."""


@dataclass(slots=True)
class Head:
    """A request before its body; `length` is what ``content-length`` says, 0 without one.

    `host` is the authority's in lower case and without the port.
    """

    method: str
    path: str
    query: str | None
    headers: Headers
    peer: str
    authority: str = ""
    host: str = ""
    length: int = 0
    expects: bool = False


def head_of(request: web.BaseRequest, peer: str) -> Head:
    """Return the head of `request` of `peer`, or raise :class:`Refused`."""
    target = request.raw_path
    head = Head(request.method, target, None, [], peer)
    hosts = _take_headers(request, head)
    if not target.startswith("/"):
        # What a proxy is sent; the host in it counts (RFC 9112, 3.2.2).
        hosts[:1], target = _split(target)
    if "?" in target:
        target, _, head.query = target.partition("?")
    head.path = target
    if len(hosts) > 1 or (not hosts and request.version >= HttpVersion11):
        raise Refused(HTTPStatus.BAD_REQUEST, close=True)
    head.authority = "".join(hosts)
    head.host = _host(head.authority)
    return head


def _take_headers(request: web.BaseRequest, head: Head) -> list[str]:
    """Put the headers of the message into `head`, and return those that name the host."""
    hosts, named, headers = list[str](), set[str](), head.headers
    for raw_name, raw_value in request.raw_headers:
        name, is_special = _name(raw_name)
        try:
            value = raw_value.decode()
        except UnicodeDecodeError:
            value = raw_value.decode("latin-1")
        if is_special:
            if name == "host":
                hosts.append(value)
            elif name == "content-length":
                head.length = int(value)  # the parser let nothing but digits through
            elif name == "expect":
                _expect(head, value)
            else:
                if name == "connection":
                    named.update(part.strip() for part in value.lower().split(","))
                continue
        headers.append((name, value))
    if named and (gone := named - _USUAL - _KEPT):
        headers[:] = [(name, value) for name, value in headers if name not in gone]
    return hosts


def _split(target: str) -> tuple[list[str], str]:
    """Return the authority, and path with query, of an absolute target."""
    scheme, separator, rest = target.partition("://")
    if not separator or scheme.lower() not in ("http", "https"):
        # `*` of OPTIONS, and what CONNECT names.
        raise Refused(HTTPStatus.BAD_REQUEST, close=True)
    end = min((rest.find(mark) % (len(rest) + 1) for mark in "/?"), default=len(rest))
    path = rest[end:]
    return [rest[:end]], path if path.startswith("/") else "/" + path


def _host(authority: str) -> str:
    name = authority if authority.endswith("]") else authority.rpartition(":")[0] or authority
    return name.lower()


def _expect(head: Head, value: str) -> None:
    if value.lower() != "100-continue":
        raise Refused(HTTPStatus.EXPECTATION_FAILED, close=True)
    head.expects = True


@functools.lru_cache(maxsize=1024)
def _name(raw: bytes) -> tuple[str, bool]:
    """Return a header's name, and whether it means anything here."""
    name = raw.decode("latin-1").lower()
    return name, name in CONNECTION_HEADERS or name in _OURS
