"""What http-servers that are looked at together would do on one port, found before anything listens.

A plan lives in what the providers share while manifests are looked at, and ends with it; hosts make none.
"""

from __future__ import annotations

import errno
import os
import socket
from collections.abc import MutableMapping
from dataclasses import dataclass, field
from typing import Any, Final

from actorhost.contracts.config import refusal
from actorhost.errors import ConfigFault
from actorhost_providers.http.route import RouteTable
from actorhost_providers.http.settings import OWNER, ServerConfig, is_numeric

_EVERYWHERE: Final = frozenset({"0.0.0.0", "::"})  # noqa: S104 - compared, never bound
_LOCALHOST: Final = "localhost"
_LOCAL: Final = _EVERYWHERE | {"127.0.0.1", "::1"}


@dataclass(frozen=True, slots=True)
class Plan:
    """The first provider's settings of a port, and the routes of all that would share it."""

    settings: ServerConfig
    routes: RouteTable = field(default_factory=RouteTable)


def plan_of(settings: ServerConfig, shared: MutableMapping[str, Any]) -> Plan:
    """Return the plan of a port; raises :class:`~actorhost.errors.ConfigRefused` if it cannot be shared."""
    plans: dict[tuple[str, int], Plan] = shared.setdefault("plans of http-server", {})
    if settings.port == 0:
        return Plan(settings)
    for (address, port), other in plans.items():
        if port != settings.port:
            continue
        if address == settings.address and not other.settings.shares_with(settings):
            message = (
                f"another provider has port {port} with other settings for TLS, time-outs or connections"
            )
            raise refusal(OWNER, [ConfigFault(("port",), message, "use the same ones, or another port")])
        if _overlap(address, settings.address):
            message = f"another provider has port {port} at {address}, which overlaps {settings.address}"
            hint = "write the same address for both, or another port"
            raise refusal(OWNER, [ConfigFault(("address",), message, hint)])
    return plans.setdefault((settings.address, settings.port), Plan(settings))


def _overlap(one: str, other: str) -> bool:
    """Return whether two sockets cannot be at these addresses, on one port, though they are not the same."""
    both = {one, other}
    if _LOCALHOST in both:
        return bool(both & _LOCAL)
    return one != other and bool(both & _EVERYWHERE) and (":" in one) == (":" in other)


def check_reachable(address: str) -> None:
    """Refuse an address that is none of this machine; a name is not looked up."""
    if not is_numeric(address):
        return
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.bind((address, 0))
    except OSError as error:
        why = os.strerror(error.errno or errno.EADDRNOTAVAIL)
        fault = ConfigFault(
            ("address",),
            f"nobody can listen at {address} here: {why}",
            "write one of this machine's addresses, or 0.0.0.0 for all",
        )
        raise refusal(OWNER, [fault]) from None
