"""The HTTP server: routes of a host's ports to the actors of links, on aiohttp's low-level server.

One instance for each provider of an application; ports are shared by all applications of the host
(:mod:`actorhost_providers.http.listener`). A route is there while its actor runs. From when the actor
is about to stop, requests are told to come back (503), until its successor is there or some seconds have
passed; then the route is gone. The port closes when the last provider with a route there stops.
"""

from __future__ import annotations

import ssl
from collections.abc import Iterable, Mapping
from typing import Final

from anyio import to_thread

from actorhost.clock import monotonic
from actorhost.contracts.http import HANDLE, HttpServer
from actorhost.contracts.provider import Link, Wanted
from actorhost.errors import ProviderRefused
from actorhost_providers.http.listener import Listener
from actorhost_providers.http.plan import Plan, check_reachable, plan_of
from actorhost_providers.http.route import Route, RouteTable
from actorhost_providers.http.settings import OWNER, ServerConfig, route_config, route_of
from actorhost_providers.http.tls import context_of

_REMEMBERED: Final = 5.0
"""Seconds for which a route without an actor is remembered, in case its application comes back."""


class AiohttpServer(HttpServer):
    """Routes on one port; see the module."""

    def __init__(self, config: Mapping[str, object]) -> None:
        """Take address, port and limits from `config`."""
        super().__init__(config)
        self._settings = ServerConfig.read(config, OWNER)
        self._tls: ssl.SSLContext | None = None
        self._planned = RouteTable()
        self._plan: Plan | None = None
        self._listener: Listener | None = None
        self._links: list[Link] = []

    @property
    def url(self) -> str:
        """Where it listens, empty while it does not."""
        return self._listener.url if self._listener is not None else ""

    def check_link(self, link: Link) -> None:
        """Refuse a link that is no route, and one that another link of this provider is already."""
        self._planned.put(self._route(link))

    def wanted(self, link: Link) -> Iterable[Wanted]:
        """Return the operation of the route."""
        named = "operation" if "operation" in link.config else ""
        return [Wanted(route_config(link).operation, HANDLE, named)]

    def examine(self) -> None:
        """Refuse files and an address that this machine does not have, and a port that cannot be shared."""
        self._plan = plan_of(self._settings, self.surroundings)
        if self._settings.tls is not None:
            context_of(self._settings.tls)
        check_reachable(self._settings.address)

    def examine_link(self, link: Link) -> None:
        """Refuse a route that another provider on this port has."""
        if self._plan is not None:
            self._plan.routes.put(self._route(link))

    async def start(self) -> None:
        """Read certificate and key, if there are any."""
        if self._settings.tls is not None:
            self._tls = await to_thread.run_sync(context_of, self._settings.tls)

    async def linked(self, link: Link) -> None:
        """Serve the route of `link`; refuse one that another application has on this port."""
        await self.relinked([link])

    async def relinked(self, links: Iterable[Link]) -> None:
        """Serve the routes of `links`; a port that is not open yet opens once all of them are there."""
        listener = self._at_port()
        for link in links:
            listener.routes.put(self._route(link))
            self._links.append(link)
        if not listener.url:
            await listener.open()
            self.surroundings.shared[self._key()] = listener
        self._listener = listener

    async def unlinked(self, link: Link) -> None:
        """Tell whoever asks to come back: the actor is about to stop, perhaps for its successor."""
        if self._listener is not None:
            self._listener.routes.shut(link)

    async def stop(self) -> None:
        """Give up the routes, and the port if nobody else has routes there."""
        listener, self._listener = self._listener, None
        if listener is None:
            return
        while self._links:
            listener.routes.shut(self._links.pop(), monotonic() + _REMEMBERED)
        found: object = self.surroundings.shared.get(self._key())
        # Another provider of the application may have closed it already.
        if not len(listener.routes) and found is listener:
            del self.surroundings.shared[self._key()]
            await listener.close()

    def _route(self, link: Link) -> Route:
        return route_of(link, self._settings, self.surroundings.call)

    def _at_port(self) -> Listener:
        """Return the listener at this provider's address, one that is not open if there is none."""
        if self._listener is not None:
            return self._listener
        found: Listener | None = self.surroundings.shared.get(self._key())
        if found is None:
            return Listener(self._settings, self._tls)
        if unlike := found.settings.unlike(self._settings):
            raise ProviderRefused(
                f"{found.url} is open with other settings: {unlike}",
                hint="use the same ones in every application on this port, or another port",
            )
        return found

    def _key(self) -> str:
        port = self._settings.port
        # Port 0 is a free one, for this provider alone.
        return f"http-server {self._settings.place} {port or f'free {id(self)}'}"
