"""Where a request of an actor may go: URLs taken apart, and held to the list of a link.

Pure. Deny by default: an entry names scheme, host, port and path, and what no entry names is refused.
URLs are taken in one spelling only, so that what is checked is what is asked for.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import AddressValueError, IPv4Address, IPv6Address
from typing import Final

from yarl import URL

from actorhost.contracts.http import MAX_URL
from actorhost.errors import BadRequest, ProviderRefused

_PORTS: Final = {"http": 80, "https": 443}
_URL: Final = re.compile(
    r"(?P<scheme>https?)://(?P<host>[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::(?P<port>[0-9]{1,5}))?"
    r"(?P<path>/[!$&-;=@A-Z_a-z~%]*)?(?P<query>\?[!$&-;=?@A-Z_a-z~%/\[\]|^{}`]*)?(?:#.*)?",
    re.IGNORECASE,
)
_ENTRY: Final = re.compile(
    r"(?P<scheme>https?)://(?P<host>\*|(?:\*\.)?[a-z0-9._-]+|\[[0-9a-f:.]+\])(?::(?P<port>[0-9]{1,5}|\*))?"
    r"(?P<path>/[^\s?#*]*\*?)?"
)
# Whatever a server may take for the end of a segment counts as one.
_DOTS: Final = re.compile(r"(?:/|%2f|%5c)(?:\.|%2e){1,2}(?:/|;|%2f|%5c|$)", re.IGNORECASE)
# What DNS can hold: labels of at most 63 characters, 253 in all.
_NAME: Final = re.compile(r"(?=.{1,253}\Z)[^.]{1,63}(?:\.[^.]{1,63})*")
_NUMERIC: Final = re.compile(r"(?:0x[0-9a-f]*|[0-9]+)\Z", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Target:
    """A URL taken apart: `host` is lower case without a last dot, an IPv6 one without brackets."""

    scheme: str
    host: str
    port: int
    path: str
    url: URL

    @property
    def origin(self) -> tuple[str, str, int]:
        """What two URLs share that belong to the same server."""
        return (self.scheme, self.host, self.port)


def target_of(text: str) -> Target:
    """Return the target that a URL names, or raise :class:`BadRequest`, which repeats no query."""
    found = _URL.fullmatch(text)
    if found is None or len(text) > MAX_URL:
        raise BadRequest(
            f"this is no URL that may be asked for: {_flaw(text)}",
            hint="write http:// or https://, a host and a path in ASCII; no user, no password",
        )
    path = found["path"] or "/"
    if _DOTS.search(path):
        raise BadRequest("a URL with dot segments in its path", hint="resolve them")
    scheme, host = found["scheme"].lower(), _host(found["host"].lower())
    port = int(found["port"] or _PORTS[scheme])
    if not 0 < port < 65536:
        raise BadRequest(f"a URL with port {port}", hint="use 1 to 65535")
    shown = f"[{host}]" if ":" in host else host
    url = URL(f"{scheme}://{shown}:{port}{path}{found['query'] or ''}", encoded=True)
    return Target(scheme, host, port, path, url)


def _flaw(text: str) -> str:
    """Return the rule that a URL breaks, without a word of it."""
    scheme, separator, rest = text.partition("://")
    if len(text) > MAX_URL:
        return f"it has {len(text)} characters, over {MAX_URL}"
    if not separator or scheme.lower() not in _PORTS:
        return "its scheme is neither http nor https"
    if not text.isascii() or not text.isprintable() or " " in text:
        return "it has characters that belong in percent-encoding, or in a name's ASCII form"
    if "@" in re.split(r"[/?#]", rest, maxsplit=1)[0]:
        return "it has a user or password"
    return "its host, port, path or query has characters that do not belong there"


def _host(text: str) -> str:
    """Return a host in its one spelling; addresses in any other are refused."""
    host = text.removesuffix(".")
    try:
        if host.startswith("["):
            return str(IPv6Address(host[1:-1]))
        if _NUMERIC.search(host.rpartition(".")[2]):
            return str(IPv4Address(host))
    except AddressValueError:
        raise BadRequest(
            f"{text[:80]!r} is no address", hint="four decimal numbers, or IPv6 in brackets"
        ) from None
    if _NAME.fullmatch(host) is None:
        raise BadRequest(
            f"{text[:80]!r} is no name of a host", hint="labels of 1 to 63 characters, 253 in all"
        )
    return host


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of an allow-list; `port` None is any, `host` may begin with ``*``, `path` may end so."""

    scheme: str
    host: str
    port: int | None
    path: str

    @classmethod
    def parse(cls, text: str) -> Entry:
        """Return the entry in `text`, or raise :class:`ProviderRefused`."""
        found = _ENTRY.fullmatch(text)
        if found is None or _DOTS.search(found["path"] or ""):
            raise ProviderRefused(
                f"{text[:120]!r} allows nothing",
                hint="write such as https://api.example.com, https://*.example.com:8443 or http://a/path/*",
            )
        scheme, host = found["scheme"], found["host"]
        try:
            star = "*." if host.startswith("*.") else ""
            host = host if host == "*" else star + _host(host.removeprefix(star))
        except BadRequest as error:
            raise ProviderRefused(f"{text[:120]!r}: {error.message}", hint=error.hint) from None
        if host.startswith("*.") and _NUMERIC.search(host):
            raise ProviderRefused(f"{text[:120]!r} allows a part of an address", hint="write it out")
        port = None if found["port"] == "*" else int(found["port"] or _PORTS[scheme])
        return cls(scheme, host, port, found["path"] or "/*")

    def allows(self, target: Target) -> bool:
        """Return whether `target` is what this entry names."""
        if self.scheme != target.scheme or self.port not in (None, target.port):
            return False
        return _names(self.host, target.host) and _leads(self.path, target.path)


def allowed(target: Target, entries: Iterable[Entry]) -> bool:
    """Return whether any of `entries` allows `target`."""
    return any(entry.allows(target) for entry in entries)


def _names(pattern: str, host: str) -> bool:
    if pattern == "*":
        return True
    # A star is one label or more.
    return host.endswith(pattern[1:]) if pattern[0] == "*" else host == pattern


def _leads(pattern: str, path: str) -> bool:
    return path.startswith(pattern[:-1]) if pattern.endswith("*") else path == pattern
