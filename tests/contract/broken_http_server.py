"""HTTP servers that each break one rule of the contract, to prove that the suite sees it.

``BROKEN`` maps a rule's id to a server that differs from the real one in little more than that.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any, Final

from msgspec.structs import replace as changed

from actorhost.contracts.http import HANDLE, HandleParams
from actorhost.contracts.provider import Link
from actorhost.errors import ActorhostError
from actorhost_providers.http.answer import Answer
from actorhost_providers.http.route import Route
from actorhost_providers.http.server import AiohttpServer

BROKEN: Final[dict[str, type[AiohttpServer]]] = {}


def breaks(rule_id: str) -> Callable[[type[AiohttpServer]], type[AiohttpServer]]:
    """Enter the decorated server as the one that breaks `rule_id`."""

    def enter(server: type[AiohttpServer]) -> type[AiohttpServer]:
        assert rule_id not in BROKEN, rule_id
        BROKEN[rule_id] = server
        return server

    return enter


class Bends(AiohttpServer):
    """Lets a subclass change what the actor is handed, its route, and what the client is told."""

    told = ""

    def handed(self, params: HandleParams) -> HandleParams:
        return params

    def answered(self, _method: str, answer: Answer) -> Answer:
        return answer

    def _route(self, link: Link) -> Route:
        route = super()._route(link)

        async def call(link: Link, operation: str, payload: bytes, *, timeout: float) -> bytes:
            params: Any = HANDLE.decode_params(payload)
            try:
                payload = HANDLE.encode_params(self.handed(params))
                return await route.call(link, operation, payload, timeout=timeout)
            except ActorhostError as error:
                self.told = error.message
                raise

        return replace(route, call=call)

    async def relinked(self, links: Iterable[Link]) -> None:
        await super().relinked(links)
        listener = self._listener
        assert listener is not None

        async def answer(request: Any) -> Any:
            return self.answered(request.method, await listener._exchange.answer(request))

        assert listener._server is not None
        listener._server.request_handler = answer


@breaks("handed-as-sent")
class OneHeaderEach(Bends):
    def handed(self, params: HandleParams) -> HandleParams:
        return changed(params, headers=list(dict(params.headers).items()))


@breaks("answered-as-given")
class OneAnswerHeaderEach(Bends):
    def answered(self, _method: str, answer: Answer) -> Answer:
        return Answer(answer.status, list(dict(answer._headers).items()), answer.body)


@breaks("head-as-get")
class EmptyHeads(Bends):
    def answered(self, method: str, answer: Answer) -> Answer:
        return Answer(answer.status, answer._headers, b"") if method == "HEAD" else answer


@breaks("never-split")
class Trusting(Bends):
    def answered(self, _method: str, answer: Answer) -> Answer:
        return Answer(200, [("x", "a\r\nEvil: b")], b"") if answer.status == 502 else answer


@breaks("unknown-path")
class Welcoming(Bends):
    def answered(self, _method: str, answer: Answer) -> Answer:
        return Answer(200, [], b"") if answer.status == 404 else answer


@breaks("unknown-method")
class Curt(Bends):
    def answered(self, _method: str, answer: Answer) -> Answer:
        return Answer(405, [], b"") if answer.status == 405 else answer


@breaks("body-bound")
class Swallows(Bends):
    def _route(self, link: Link) -> Route:
        return replace(super()._route(link), max_body=1 << 30)


@breaks("read-one-way")
class Generous(Bends):
    def answered(self, _method: str, answer: Answer) -> Answer:
        return Answer(200, [], b"") if answer.status == 501 else answer


@breaks("ends-as-status")
class OneStatus(Bends):
    def answered(self, _method: str, answer: Answer) -> Answer:
        return Answer(500, [], b"") if answer.status > 500 else answer


@breaks("inside-untold")
class Talks(Bends):
    def answered(self, _method: str, answer: Answer) -> Answer:
        return Answer(answer.status, [], self.told.encode())


@breaks("no-two-of-one")
class LastOneWins(Bends):
    def check_link(self, link: Link) -> None:
        """Take any."""

    async def linked(self, link: Link) -> None:
        self._at_port().routes._routes.clear()
        await super().linked(link)


@breaks("unlinked-uncalled")
class CallsOn(Bends):
    async def unlinked(self, link: Link) -> None:
        """Go on."""
