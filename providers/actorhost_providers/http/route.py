"""Which route a request belongs to: by host, path and method, the most specific first.

A table is owned by a listener, or by a provider that looks for conflicts before anything runs; it does
no I/O. Literals go before parameters and parameters before rests, segment by segment; a named host goes
before any. Two routes of the same host, shape and method cannot be.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from typing import Final, NamedTuple

from actorhost.contracts.provider import CallActor, Link
from actorhost.errors import ConfigFault, ConfigRefused
from actorhost_providers.http.pattern import Literal, Pattern, segments_of
from actorhost_providers.http.rate import Allowance

_NONE: Final = frozenset[str]()
ANY: Final = ""
"""Stands for every host, and for every method."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """Where requests go: to `operation` of the actor of `link`, by `call`, within `timeout` seconds.

    `methods` are upper case, none for all; `host` is lower case, empty for any. `max_body` is in bytes,
    `body_timeout` in seconds.
    """

    link: Link
    call: CallActor = field(repr=False)
    path: str
    pattern: Pattern
    methods: tuple[str, ...] = ()
    host: str = ANY
    operation: str = "handle"
    timeout: float
    max_body: int
    body_timeout: float
    logged: bool = True
    allowance: Allowance | None = None
    open: bool = True
    """Whether it leads anywhere; one that does not is about to go, or to come back."""
    until: float = math.inf
    """When one that is not open is forgotten, in seconds of the monotonic clock."""

    def takes(self) -> tuple[str, ...]:
        """Return the methods under which it is found."""
        heads = ("HEAD",) if "GET" in self.methods and "HEAD" not in self.methods else ()
        return (*self.methods, *heads) or (ANY,)


@dataclass(slots=True)
class _Node:
    literals: dict[str, _Node] = field(default_factory=dict)
    parameter: _Node | None = None
    rest: _Node | None = None
    routes: dict[str, Route] = field(default_factory=dict)


class Found(NamedTuple):
    """A route with the values of its parameters; without a route, the methods that the path has."""

    route: Route | None
    parameters: list[tuple[str, str]]
    allowed: frozenset[str]


class RouteTable:
    """The routes of one port."""

    def __init__(self) -> None:
        self._routes: dict[tuple[str, str], Route] = {}
        self._hosts: dict[str, _Node] = {}
        self.logged = False
        """Whether any of them is, and so are requests that belong to none."""

    def __len__(self) -> int:
        """Return how many routes lead anywhere."""
        return sum(route.open for route in self._routes.values())

    def put(self, route: Route) -> None:
        """Take `route` in, in place of that of the same link; refuse one that another actor has."""
        key = (route.link.actor, route.link.name)
        for other in self._routes.values():
            if other.open and (other.link.actor, other.link.name) != key:
                _refuse_conflict(route, other)
        self._routes[key] = route
        self._build()

    def shut(self, link: Link, until: float = math.inf) -> None:
        """Let the route of `link`, if there is one, lead nowhere, and forget it at `until`."""
        key = (link.actor, link.name)
        if key in self._routes:
            self._routes[key] = replace(self._routes[key], open=False, until=until)
            self._build()

    def forget(self, now: float) -> None:
        """Take out what was to be forgotten until `now`."""
        if late := [key for key, route in self._routes.items() if route.until <= now]:
            for key in late:
                del self._routes[key]
            self._build()

    def find(self, host: str, method: str, path: str) -> Found:
        """Return where a request goes; `path` is raw and begins with a slash.

        Raises :class:`~actorhost.errors.BadRequest` for a path that cannot be.
        """
        segments = segments_of(path)
        allowed: set[str] = set()
        # A route of this very host, whatever its path, goes before one of any host.
        for name in (host, ANY) if host in self._hosts else (ANY,):
            tree = self._hosts.get(name)
            values: list[str] = []
            route = _seek(tree, segments, 0, method, values, allowed) if tree is not None else None
            if route is not None:
                return Found(route, list(zip(route.pattern.names, values, strict=True)), _NONE)
        return Found(None, [], frozenset(allowed))

    def _build(self) -> None:
        """Make the trees anew: routes come and go rarely, requests do not."""
        self._hosts = {}
        self.logged = any(route.logged for route in self._routes.values())
        # What leads somewhere takes the place of what does not any more.
        for route in sorted(self._routes.values(), key=lambda route: route.open):
            node = self._hosts.setdefault(route.host, _Node())
            for segment in route.pattern.segments:
                if isinstance(segment, Literal):
                    node = node.literals.setdefault(segment.text, _Node())
                elif segment.rest:
                    node.rest = node = node.rest or _Node()
                else:
                    node.parameter = node = node.parameter or _Node()
            for method in route.takes():
                if method != "HEAD" or "HEAD" in route.methods or "HEAD" not in node.routes:
                    node.routes[method] = route


def _seek(
    node: _Node, segments: list[str], at: int, method: str, values: list[str], allowed: set[str]
) -> Route | None:
    """Return the most specific route of `method` from `node` on.

    `values` are those of the parameters up to here, and on return all of them; `allowed` gets the methods
    of the routes that `method` keeps from being it. A node is reached in one way, so each is seen once.
    """
    if at == len(segments):
        routes = node.routes
        found = routes.get(method) or routes.get(ANY)
        if found is None and routes:
            allowed.update(routes)
        return found
    segment = segments[at]
    literal = node.literals.get(segment)
    if literal is not None and (found := _seek(literal, segments, at + 1, method, values, allowed)):
        return found
    if node.parameter is not None and segment:
        values.append(segment)
        if found := _seek(node.parameter, segments, at + 1, method, values, allowed):
            return found
        values.pop()
    if node.rest is None:
        return None
    values.append("/".join(segments[at:]))
    if found := _seek(node.rest, segments, len(segments), method, values, allowed):
        return found
    values.pop()
    return None


def _refuse_conflict(route: Route, other: Route) -> None:
    if (route.host, route.pattern.shape) != (other.host, other.pattern.shape):
        return
    both = set(route.methods) & set(other.methods)
    if route.methods and other.methods and not both:
        return
    methods = ", ".join(sorted(both) or route.methods or other.methods) or "every method"
    message = (
        f"actor {route.link.actor!r} wants {methods} of {route.host or 'any host'} {route.path!r}, which"
        f" actor {other.link.actor!r} has as {other.path!r}"
    )
    hint = "change the path, the methods, the host or the port of one of them"
    raise ConfigRefused(message, faults=(ConfigFault(("path",), message, hint),), hint=hint)
