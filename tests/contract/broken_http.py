"""HTTP clients that each break one rule of the contract, to prove that the suite sees it.

``BROKEN`` maps a rule's id to a client that differs from the real one in little more than that. The ways
to break it are those of clients in the field: helpful libraries, string comparison, blind redirects.
"""

from __future__ import annotations

import re
import socket
import zlib
from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final

from msgspec.structs import replace as changed

from actorhost.contracts.http import RequestParams, Response
from actorhost.contracts.provider import Link
from actorhost.errors import ActorhostError, BadRequest, ProviderFailed
from actorhost_providers.http import client as module
from actorhost_providers.http.client import AiohttpClient, _Terms
from actorhost_providers.http.outlet import Sent
from actorhost_providers.http.redirect import Outgoing, redirected
from actorhost_providers.http.target import Entry

BROKEN: Final[dict[str, type[AiohttpClient]]] = {}
EVERYWHERE: Final = tuple(Entry.parse(f"{scheme}://*:*") for scheme in ("http", "https"))


def breaks(*rule_ids: str) -> Callable[[type[AiohttpClient]], type[AiohttpClient]]:
    """Enter the decorated client as the one that breaks these rules."""

    def enter(client: type[AiohttpClient]) -> type[AiohttpClient]:
        for rule_id in rule_ids:
            assert rule_id not in BROKEN, rule_id
            BROKEN[rule_id] = client
        return client

    return enter


class Bends(AiohttpClient):
    """Lets a subclass change what goes in, what holds, and what comes out."""

    def going(self, params: RequestParams) -> RequestParams:
        return params

    def terms(self, terms: _Terms) -> _Terms:
        return terms

    def coming(self, answer: Response) -> Response:
        return answer

    def ended(self, error: ActorhostError) -> None:
        """Change `error`, or raise another."""

    def check_link(self, link: Link) -> None:
        super().check_link(link)
        self._terms[link] = self.terms(self._terms[link])

    async def request(self, link: Link, params: RequestParams) -> Response:
        try:
            return self.coming(await super().request(link, self.going(params)))
        except ActorhostError as error:
            self.ended(error)
            raise


@breaks("sent-as-asked")
class OneHeaderEach(Bends):
    def going(self, params: RequestParams) -> RequestParams:
        return changed(params, headers=list(dict(params.headers or ()).items()))


@breaks("answered-as-sent")
class OneAnswerHeaderEach(Bends):
    def coming(self, answer: Response) -> Response:
        return changed(answer, headers=list(dict(answer.headers).items()))


@breaks("status-is-answer")
class RaisesForStatus(Bends):
    def coming(self, answer: Response) -> Response:
        if answer.status >= 400:
            raise ProviderFailed(f"status {answer.status}")
        return answer


@breaks("body-as-encoded")
class Decompresses(Bends):
    def coming(self, answer: Response) -> Response:
        return changed(answer, body=zlib.decompress(answer.body))


@breaks("operator-headers")
class ActorWins(Bends):
    async def request(self, link: Link, params: RequestParams) -> Response:
        names = {name.lower() for name, _ in params.headers or ()}
        terms = self._terms[link]
        added = [pair for pair in terms.added if pair[0].lower() not in names]
        self._terms[link] = replace(terms, added=added, replaced=frozenset())
        return await super().request(link, params)


@breaks("no-cookies")
class KeepsCookies(Bends):
    cookie = ""

    def going(self, params: RequestParams) -> RequestParams:
        return changed(params, headers=[("Cookie", self.cookie)]) if self.cookie else params

    def coming(self, answer: Response) -> Response:
        self.cookie = dict(answer.headers).get("set-cookie", "")
        return answer


@breaks("no-answer", "hung-up")
class AlwaysSure(Bends):
    def ended(self, error: ActorhostError) -> None:
        error.outcome_known = True


@breaks("not-sent")
class NeverSure(Bends):
    def ended(self, error: ActorhostError) -> None:
        error.outcome_known = False


@breaks("not-repeated")
class TriesAgain(Bends):
    async def _send(self, *arguments: Any) -> tuple[Response, str]:
        try:
            return await super()._send(*arguments)
        except ProviderFailed:
            return await super()._send(*arguments)


@breaks("no-response", "redirect-nonsense")
class MakesItUp(Bends):
    async def request(self, link: Link, params: RequestParams) -> Response:
        try:
            return await super().request(link, params)
        except ProviderFailed:
            return Response(502, [], b"")


@breaks("body-bound")
class ReadsItAll(Bends):
    def going(self, params: RequestParams) -> RequestParams:
        return changed(params, max_body=None)


@breaks("allowed-only")
class AllowsAll(Bends):
    def terms(self, terms: _Terms) -> _Terms:
        return replace(terms, entries=EVERYWHERE)


@breaks("allowed-paths")
class ForgetsPaths(Bends):
    def terms(self, terms: _Terms) -> _Terms:
        return replace(terms, entries=tuple(replace(entry, path="/*") for entry in terms.entries))


@breaks("wildcard-hosts")
class ComparesEnds(Bends):
    def terms(self, terms: _Terms) -> _Terms:
        wide = [replace(entry, host="*") for entry in terms.entries if entry.host.startswith("*")]
        return replace(terms, entries=(*terms.entries, *wide))


@breaks("private-refused")
class ReachesEverything(Bends):
    def terms(self, terms: _Terms) -> _Terms:
        return replace(terms, config=changed(terms.config, allow_private=True))


@breaks("private-by-name")
class LooksAtNamesOnly(Bends):
    async def request(self, link: Link, params: RequestParams) -> Response:
        if re.search(r"//[a-z]", params.url):
            terms = self._terms[link]
            self._terms[link] = replace(terms, config=changed(terms.config, allow_private=True))
        return await super().request(link, params)


@breaks("one-spelling")
class TakesAnySpelling(Bends):
    def going(self, params: RequestParams) -> RequestParams:
        host = params.url.split("/")[2].partition(":")[0]
        return changed(params, url=params.url.replace(host, socket.inet_ntoa(socket.inet_aton(host)), 1))


@breaks("no-userinfo")
class DropsUsers(Bends):
    def going(self, params: RequestParams) -> RequestParams:
        return changed(params, url=re.sub(r"//[^/@]*@", "//", params.url))


class FollowsBlindly(Bends):
    """Follows redirects in a way of its own."""

    judges = True

    def led(self, outgoing: Outgoing, status: int, location: str) -> Outgoing:
        return redirected(outgoing, status, location)

    async def _follow(self, terms: _Terms, outgoing: Outgoing, most: int, sent: Sent) -> Response:
        module._check_allowed(outgoing, terms)
        response, location = await self._send(terms, outgoing, most, sent)
        for _ in range(10):
            if not location:
                break
            outgoing = self.led(outgoing, response.status, location)
            if self.judges:
                module._check_allowed(outgoing, terms)
            response, location = await self._send(terms, outgoing, most, sent)
        return response


@breaks("redirect-bound", "redirect-none")
class FollowsForEver(FollowsBlindly):
    pass


@breaks("redirect-judged")
class FollowsAnywhere(FollowsBlindly):
    judges = False


@breaks("redirect-followed")
class ReadsLocationsAsPaths(FollowsBlindly):
    def led(self, outgoing: Outgoing, status: int, location: str) -> Outgoing:
        if "://" not in location and not location.startswith("/"):
            raise BadRequest("no absolute URL")
        return super().led(outgoing, status, location)


@breaks("redirect-to-get")
class KeepsMethods(FollowsBlindly):
    def led(self, outgoing: Outgoing, _status: int, location: str) -> Outgoing:
        return super().led(outgoing, 307, location)


@breaks("redirect-unchanged")
class AlwaysGets(FollowsBlindly):
    def led(self, outgoing: Outgoing, _status: int, location: str) -> Outgoing:
        return super().led(outgoing, 303, location)


@breaks("redirect-secrets")
class TakesSecretsAlong(FollowsBlindly):
    def led(self, outgoing: Outgoing, status: int, location: str) -> Outgoing:
        return replace(super().led(outgoing, status, location), headers=outgoing.headers, abroad=False)
