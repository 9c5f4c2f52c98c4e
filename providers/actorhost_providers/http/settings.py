"""What the configuration of an ``http-server`` and of a link to it may say.

Pure. Unknown keys, wrong types and values out of range are refused before anything listens.
"""

from __future__ import annotations

import re
from ipaddress import ip_address
from types import MappingProxyType
from typing import Annotated, ClassVar, Final

from msgspec import Meta

from actorhost.contracts.config import Each, Rules
from actorhost.contracts.provider import CallActor, Config, Link
from actorhost.errors import ProviderRefused
from actorhost.ids import OperationName
from actorhost_providers.http.pattern import Pattern
from actorhost_providers.http.rate import Allowance
from actorhost_providers.http.route import Route

Seconds = Annotated[float, Meta(ge=0.05, le=3600)]
_HOST: Final = re.compile(r"[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?|\[[0-9a-f:.]+\]")
OWNER: Final = "provider http-server"
"""Whose configuration it is, in errors."""
# What the server's parser takes (llhttp), but CONNECT and TRACE, which are no actor's affair.
METHODS: Final = frozenset(
    [
        *("ACL", "BIND", "CHECKOUT", "COPY", "DELETE", "GET", "HEAD", "LINK", "LOCK", "M-SEARCH", "MERGE"),
        *("MKACTIVITY", "MKCALENDAR", "MKCOL", "MOVE", "NOTIFY", "OPTIONS", "PATCH", "POST", "PROPFIND"),
        *("PROPPATCH", "PURGE", "PUT", "QUERY", "REBIND", "REPORT", "SEARCH", "SOURCE", "SUBSCRIBE"),
        *("UNBIND", "UNLINK", "UNLOCK", "UNSUBSCRIBE"),
    ]
)
_NUMERIC: Final = re.compile(r"[0-9]+\Z")


def is_numeric(address: str) -> bool:
    """Return whether `address` is one of the network itself, not a name for it."""
    try:
        ip_address(address)
    except ValueError:
        return False
    return True


def _check_address(address: str) -> None:
    if is_numeric(address):
        if (within := getattr(ip_address(address), "ipv4_mapped", None)) is not None:
            raise ProviderRefused(f"nobody can listen at {address}", hint=f"write {within}")
        return
    if _HOST.fullmatch(address.lower()) is None or address[0] == "[" or _NUMERIC.search(address):
        raise ProviderRefused(
            f"no address to listen at: {address[:80]!r}",
            hint="write such as 127.0.0.1, 0.0.0.0 for all, '::1' or a name; the port is a key of its own",
        )


class Tls(Config, frozen=True):
    """Files in PEM: the certificate with its chain, and its private key."""

    certificate: Annotated[str, Meta(min_length=1)]
    key: Annotated[str, Meta(min_length=1)]


class ServerConfig(Config, frozen=True, rename="kebab"):
    """Configuration of an ``http-server``: where it listens, and what one client may take of it.

    Sizes are in bytes, times in seconds. `idle_timeout` is that of a kept connection without a request,
    `write_timeout` of a client that takes nothing of its answer.
    """

    port: Annotated[int, Meta(ge=0, le=65535)]
    address: Annotated[str, Meta(min_length=1, max_length=255)] = "127.0.0.1"
    tls: Tls | None = None
    max_body: Annotated[int, Meta(ge=0, le=1 << 30)] = 1 << 20
    head_timeout: Seconds = 10.0
    body_timeout: Seconds = 30.0
    idle_timeout: Seconds = 75.0
    write_timeout: Seconds = 30.0
    connections: Annotated[int, Meta(ge=1, le=100_000)] = 1000
    access_log: bool = True

    rules: ClassVar[Rules] = MappingProxyType({"address": _check_address})

    @property
    def place(self) -> str:
        """The address as all write it, however it is written here."""
        numeric = is_numeric(self.address)
        return ip_address(self.address).compressed if numeric else self.address.lower()

    def unlike(self, other: ServerConfig) -> str:
        """Return the keys that keep both, of one place and port, from one listener; empty if none does."""
        return ", ".join(
            name.replace("_", "-")
            for name in ("tls", "head_timeout", "idle_timeout", "write_timeout", "connections")
            if getattr(self, name) != getattr(other, name)
        )


def _check_method(method: str) -> None:
    if method.upper() not in METHODS:
        raise ProviderRefused(
            f"no method of a route: {method[:40]!r}", hint=f"write one of {', '.join(sorted(METHODS))}"
        )


def _check_host(host: str) -> None:
    if host and _HOST.fullmatch(host.lower()) is None:
        raise ProviderRefused(
            f"no name of a host: {host[:80]!r}", hint="write it without port, or leave it out for any"
        )


class RouteConfig(Config, frozen=True):
    """Configuration of a link to an ``http-server``: which requests its actor gets, and how."""

    path: str
    methods: Annotated[tuple[str, ...], Meta(min_length=1)] = ()
    """All, if left out."""
    host: str = ""
    operation: str = "handle"
    timeout: Seconds = 3600.0
    """The actor's own time-out ends the call, unless this is less."""
    rate: Annotated[float, Meta(gt=0, le=1_000_000)] | None = None
    """Requests a second that one client may make of it."""

    rules: ClassVar[Rules] = MappingProxyType(
        {
            "path": Pattern.parse,
            "methods": Each(_check_method),
            "host": _check_host,
            "operation": OperationName.parse,
        }
    )


def route_config(link: Link) -> RouteConfig:
    """Return the configuration of a link, or raise :class:`~actorhost.errors.ConfigRefused`."""
    return RouteConfig.read(link.config, f"the link {link.name!r} of actor {link.actor!r} to {link.contract}")


def route_of(link: Link, settings: ServerConfig, call: CallActor) -> Route:
    """Return the route of `link`, or raise :class:`~actorhost.errors.ConfigRefused`."""
    config = route_config(link)
    return Route(
        link=link,
        call=call,
        path=config.path,
        pattern=Pattern.parse(config.path),
        methods=tuple(dict.fromkeys(method.upper() for method in config.methods)),
        host=config.host.lower(),
        operation=OperationName.parse(config.operation),
        timeout=config.timeout,
        max_body=settings.max_body,
        body_timeout=settings.body_timeout,
        logged=settings.access_log,
        allowance=None if config.rate is None else Allowance(config.rate),
    )
