"""aiohttp's server asks of a request no more than ours has."""

from __future__ import annotations

import inspect
import re

from aiohttp import web, web_protocol

from actorhost_providers.http.request import Request


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
