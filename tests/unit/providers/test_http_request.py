"""What ours agrees with aiohttp on: what its server asks of a request, and which methods its parser takes."""

from __future__ import annotations

import asyncio
import inspect
import re

import pytest
from aiohttp import web, web_protocol
from aiohttp.base_protocol import BaseProtocol
from aiohttp.http_exceptions import BadHttpMessage
from aiohttp.http_parser import HttpRequestParser

from actorhost.errors import BadRequest
from actorhost_providers.http.pattern import segments_of
from actorhost_providers.http.request import Request
from actorhost_providers.http.settings import METHODS


def test_the_server_takes_a_factory_of_requests_and_uses_what_they_have() -> None:
    source = inspect.getsource(web_protocol.RequestHandler)
    # Which ours replaces.
    source = source.replace(inspect.getsource(web_protocol.RequestHandler.handle_error), "")
    used = set(re.findall(r"\brequest\.(\w+)|_current_request\.(\w+)", source))
    assert {first or second for first, second in used} == {"_cancel", "_finish", "_task"}
    assert all(hasattr(Request, name) for name in ("_cancel", "_finish", "_task"))
    made = re.search(r"self\._request_factory\((.*?)\)\n", source, re.DOTALL)
    assert made is not None
    assert len(inspect.signature(Request).parameters) == 5
    assert "request_factory" in inspect.signature(web.Server).parameters


async def test_a_route_may_have_the_methods_that_the_parser_takes() -> None:
    # RFC 9110, WebDAV's of RFC 4918 and its kin, UPnP's, RTSP's, and some that are none.
    others = {"VERSION-CONTROL", "DESCRIBE", "SETUP", "PLAY", "FLUSH", "PRI", "FOO", "get", ""}
    assert {method for method in METHODS | others if _parses(method)} == METHODS


def _parses(method: str) -> bool:
    loop = asyncio.get_running_loop()
    parser = HttpRequestParser(BaseProtocol(loop), loop, 1 << 16)
    try:
        messages, _, _ = parser.feed_data(f"{method} / HTTP/1.1\r\nHost: a\r\n\r\n".encode())
    except BadHttpMessage:
        return False
    return bool(messages)


@pytest.mark.parametrize(
    "path", ["/m/%2e%2e%2fv", "/m/..%5cv", "/m/..\\v", "/m/a%2F.", "/m/%5c%2E%5c", "/./m", "/m/.%2e"]
)
def test_a_path_with_dot_segments_is_refused_however_it_is_written(path: str) -> None:
    with pytest.raises(BadRequest, match="dot segments"):
        segments_of(path)


@pytest.mark.parametrize("path", ["/m/..v", "/m/v..%2fw", "/.well-known", "/a.b%2f...", "/m/%2e%2e%0a"])
def test_dots_in_a_name_are_no_dot_segments(path: str) -> None:
    assert segments_of(path)
