"""What the head of a request says, in the words of the contract; what cannot be one is refused.

Pure, but for looking at the connection's address.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final

from aiohttp import HttpVersion10, HttpVersion11

from actorhost.contracts.http import CONNECTION_HEADERS, Headers
from actorhost_providers.http.answer import Refused
from actorhost_providers.http.connection import MAX_HEAD
from actorhost_providers.http.request import Request

_FEW: Final = MAX_HEAD // 8190
"""As many headers cannot be more, as the parser bounds each."""
_DIGITS: Final = 18
"""Of a length that may be; longer ones cost time to read, or are what the parser takes for none."""
# A name as DNS or a browser has it, an IPv4 address, or one of IPv6; and a port (RFC 9112, 3.2).
_AUTHORITY: Final = re.compile(
    r"(?P<host>(?:[A-Za-z0-9._~!$&'()*+,;=-]|%[0-9A-Fa-f]{2}){0,255}|\[[0-9A-Fa-f:.]{2,64}\])(?::[0-9]{0,5})?"
)
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


def head_of(request: Request, peer: str) -> Head:
    """Return the head of `request` of `peer`, or raise :class:`Refused`."""
    target, version = request.raw_path, request.version
    if version is not HttpVersion11 and version is not HttpVersion10:
        raise Refused(_of_version(version.major), close=True)
    head = Head(request.method, target, None, [], peer)
    hosts = _take_headers(request, head)
    if not target.startswith("/"):
        # What a proxy is sent; the host in it counts (RFC 9112, 3.2.2).
        hosts[:1], target = _split(target)
    if "#" in target:
        raise Refused(HTTPStatus.BAD_REQUEST, close=True)
    if "?" in target:
        target, _, head.query = target.partition("?")
    head.path = target
    if len(hosts) > 1 or (not hosts and version is HttpVersion11):
        raise Refused(HTTPStatus.BAD_REQUEST, close=True)
    head.authority = "".join(hosts)
    head.host = _host(head.authority)
    return head


def _take_headers(request: Request, head: Head) -> list[str]:
    """Put the headers of the message into `head`, and return those that name the host."""
    hosts: list[str] = []
    named: set[str] = set()
    headers = head.headers
    _check_size(request.raw_headers)
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
                head.length = _length(value)
            elif name == "expect":
                _expect(head, value, request)
            else:
                _of_connection(name, value, request, named)
                continue
        headers.append((name, value))
    if named and (gone := named - _USUAL - _KEPT):
        headers[:] = [(name, value) for name, value in headers if name not in gone]
    return hosts


def _of_connection(name: str, value: str, request: Request, named: set[str]) -> None:
    """Heed a header that is for the connection alone; put those that `connection` names into `named`."""
    if name == "connection":
        named.update(part.strip() for part in value.lower().split(","))
    elif name == "transfer-encoding":
        _check_coding(value, request)
    elif name == "upgrade":
        # The parser may lose what came behind it in one packet: the client must learn to ask again.
        request.keep_alive = False


def _split(target: str) -> tuple[list[str], str]:
    """Return the authority, and path with query, of an absolute target."""
    scheme, separator, rest = target.partition("://")
    if not separator or scheme.lower() not in ("http", "https"):
        # `*` of OPTIONS, and what CONNECT names.
        raise Refused(HTTPStatus.BAD_REQUEST, close=True)
    end = min((rest.find(mark) % (len(rest) + 1) for mark in "/?"), default=len(rest))
    path = rest[end:]
    return [rest[:end]], path if path.startswith("/") else "/" + path


@functools.lru_cache(maxsize=1024)
def _host(authority: str) -> str:
    found = _AUTHORITY.fullmatch(authority)
    if found is None:
        raise Refused(HTTPStatus.BAD_REQUEST, close=True)
    return found["host"].lower()


def _of_version(major: int) -> HTTPStatus:
    return HTTPStatus.HTTP_VERSION_NOT_SUPPORTED if major else HTTPStatus.BAD_REQUEST


def _check_size(raw: Sequence[tuple[bytes, bytes]]) -> None:
    if len(raw) > _FEW and sum(len(name) + len(value) for name, value in raw) > MAX_HEAD:
        raise Refused(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, close=True)


def _length(value: str) -> int:
    if len(value) > _DIGITS:
        raise Refused(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, close=True)
    return int(value)  # the parser let nothing but digits through


def _check_coding(value: str, request: Request) -> None:
    """Refuse what a body is packed in besides ``chunked``, which the parser saw to be the last and once."""
    if not value or request.version is HttpVersion10:
        # Where a server in front may see the end elsewhere (RFC 9112, 6.1).
        raise Refused(HTTPStatus.BAD_REQUEST, close=True)
    if value.lower() != "chunked":
        raise Refused(HTTPStatus.NOT_IMPLEMENTED, close=True)


def _expect(head: Head, value: str, request: Request) -> None:
    if request.version is HttpVersion10:
        return  # such a client does not know what to make of a 100 (RFC 9110, 10.1.1)
    if value.lower() != "100-continue":
        raise Refused(HTTPStatus.EXPECTATION_FAILED, close=True)
    head.expects = True


@functools.lru_cache(maxsize=1024)
def _name(raw: bytes) -> tuple[str, bool]:
    """Return a header's name, and whether it means anything here."""
    name = raw.decode("latin-1").lower()
    return name, name in CONNECTION_HEADERS or name in _OURS
