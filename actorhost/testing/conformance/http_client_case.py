"""An HTTP client under test between two origins, called over the wire's types.

A backend's own tests make one for each rule: ``HttpClientCase(client, origin, other)``. The backend has
been started and resolves every name to loopback; the case owns nothing. Every call goes through the
contract's codecs both ways, so a value of the wrong type shows.
"""

from __future__ import annotations

import asyncio
from typing import Any, Final

from actorhost.contracts.http import CLIENT, HttpClient, RequestParams, Response
from actorhost.contracts.provider import Link
from actorhost.errors import ActorhostError
from actorhost.ids import ActorName, LinkName
from actorhost.testing.conformance.http_origin import Origin
from actorhost.testing.conformance.rule import RuleBroken

PATIENCE: Final = 5.0
"""Seconds within which every call ends, if the rule does not say otherwise."""


class HttpClientCase:
    """A client whose link allows everything at `origin`, which is at a private address, as `other` is."""

    def __init__(self, client: HttpClient, origin: Origin, other: Origin) -> None:
        """Call `client`, which was started."""
        self.client = client
        self.origin = origin
        self.other = other
        self._config: dict[str, object] = {}
        self.linked()

    def linked(self, **config: object) -> None:
        """Use a link with this configuration in place of the usual one; ``_`` stands for ``-``."""
        named = {name.replace("_", "-"): value for name, value in config.items()}
        self._config = {"allow": [f"{self.origin.url}/*"], "allow-private": True, **named}
        self._link = Link(ActorName("conformance"), CLIENT.id, LinkName("default"), self._config)
        self.client.check_link(self._link)

    async def ask(self, path: str = "/", method: str = "GET", **params: Any) -> Response:
        """Return the answer of the origin, or of a whole URL."""
        url = path if "://" in path else self.origin.url + path
        operation = CLIENT.operation("request")
        received = operation.decode_params(operation.encode_params(RequestParams(method, url, **params)))
        async with asyncio.timeout(PATIENCE):
            result = await self.client.request(self._link, received)  # type: ignore[arg-type]
        answer: Response = operation.decode_result(operation.encode_result(result))
        return answer

    async def fault(self, path: str = "/", method: str = "GET", **params: Any) -> ActorhostError:
        """Return the error that a call ends with."""
        try:
            answer = await self.ask(path, method, **params)
        except ActorhostError as error:
            return error
        raise RuleBroken(f"{method} {path} was answered with {answer.status}")
