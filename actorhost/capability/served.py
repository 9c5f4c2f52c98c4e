"""One provider as another process serves it: the links that may call it, and the calls themselves.

Owned by the process the provider runs in. A link is known by a token that only the host that made it
has; a call with any other is refused, so whoever can merely send to the provider reaches nothing. The
calls run through the same code as in a host (:func:`~actorhost.capability.dispatch.serve`).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from actorhost.capability.dispatch import serve
from actorhost.capability.grants import Caller, Grants, ProviderGrant, grant_link
from actorhost.capability.redaction import blot
from actorhost.capability.registry import Registry
from actorhost.capability.secrets import Secrets
from actorhost.contracts.provider import Link, Provider
from actorhost.errors import ActorhostError, BadRequest, Denied, Overloaded
from actorhost.manifest.model import ProviderSpec

MAX_LINKS = 10_000
"""Links of one provider."""


@dataclass(frozen=True, slots=True)
class _Known:
    """A link that may call, and the table of an actor that has nothing else."""

    grant: ProviderGrant
    grants: Grants


class Served:
    """The provider `spec`, started by `registry`, whose calls may be answered with `max_reply` bytes."""

    def __init__(self, registry: Registry, spec: ProviderSpec, secrets: Secrets, max_reply: int) -> None:
        self._registry = registry
        self._name = str(spec.name)
        self._secrets = secrets
        self._max_reply = max_reply
        self._links: dict[str, _Known] = {}
        self._tokens: dict[Link, str] = {}
        self._linked: set[str] = set()
        # It is asked about until the process ends, and the registry knows only what runs.
        self.provider: Final[Provider] = registry.running[self._name]

    def introduce(self, token: str, link: Link, hidden: tuple[str, ...]) -> None:
        """Let `link` call from now on; raises what the provider refuses it with."""
        if len(self._links) >= MAX_LINKS:
            raise Overloaded(f"provider {self._name!r} has {MAX_LINKS} links", hint="use fewer")
        secrets = Secrets.told(self._secrets.hidden + hidden)
        grant = grant_link(self.provider, self._name, link, secrets)
        self._links[token] = _Known(grant, Grants(link.actor, (), {}))
        self._tokens[grant.link] = token

    async def linked(self, token: str) -> None:
        """Tell the provider that the actor of the link runs, unless it knows."""
        link = self._known(token).grant.link
        if token not in self._linked:
            self._linked.add(token)
            await self._registry.link(self._name, link)

    async def relinked(self, tokens: Iterable[str]) -> None:
        """Tell the provider, started again, of all links whose actors run, but those it knows of."""
        links = {token: self._known(token).grant.link for token in tokens if token not in self._linked}
        if links:
            self._linked.update(links)
            await self._registry.relink(self._name, list(links.values()))

    async def unlinked(self, token: str) -> None:
        """Tell the provider that the actor of the link is about to stop; its calls are still answered."""
        link = self._known(token).grant.link
        if token in self._linked:
            self._linked.remove(token)
            await self._registry.unlink(self._name, link)

    def forget(self, token: str) -> None:
        """Let the link call no more."""
        known = self._links.pop(token, None)
        self._linked.discard(token)
        # Two hosts that run the same actor have equal links.
        if known is not None and self._tokens.get(known.grant.link) == token:
            del self._tokens[known.grant.link]

    def link(self, token: str) -> Link:
        """Return the link of `token`, or raise :class:`Denied`."""
        return self._known(token).grant.link

    def token(self, link: Link) -> str:
        """Return the token of a link that the provider was told of, or raise :class:`Denied`."""
        found = self._tokens.get(link)
        if found is None:
            raise Denied(f"provider {self._name!r} has no link {link.name!r} to actor {link.actor!r}")
        return found

    async def call(
        self, token: str, operation: str, payload: bytes, deadline: float, chain: tuple[str, ...]
    ) -> bytes:
        """Return the reply of `operation` to the actor of the link; raises as :func:`serve` does.

        `deadline` is in seconds of the monotonic clock. Raises :class:`Denied` for an unknown link.
        """
        known = self._known(token)
        bound = known.grant.operations.get(operation)
        if bound is None:
            raise BadRequest(
                f"contract {known.grant.link.contract!r} has no operation {operation[:80]!r}",
                hint=f"its operations are {', '.join(known.grant.operations) or 'none'}",
            )
        caller = Caller(known.grant.link.actor, known.grants, deadline, chain, self._max_reply)
        return await serve(caller, known.grant, bound, payload)

    def blot(self, error: ActorhostError) -> None:
        """Hide the secrets of the provider's configuration in `error`."""
        blot(error, self._secrets.hidden)

    def _known(self, token: str) -> _Known:
        known = self._links.get(token)
        if known is None:
            raise Denied(
                f"a call to provider {self._name!r} over a link that it was not told of",
                hint="actors reach providers through the links of their manifest, and only so",
            )
        return known
