"""What http-servers that are looked at together would do on one port, found before anything listens.

A plan lives in what the providers share while manifests are looked at, and ends with it; hosts make none.
"""

from __future__ import annotations

import errno
import os
import socket
from dataclasses import dataclass, field
from typing import Final

from actorhost.contracts.config import refusal
from actorhost.contracts.provider import Surroundings
from actorhost.errors import ConfigFault
from actorhost_providers.http.route import RouteTable
from actorhost_providers.http.settings import OWNER, ServerConfig, is_numeric

_EVERYWHERE: Final = frozenset({"0.0.0.0", "::"})  # noqa: S104 - compared, never bound
_LOCALHOST: Final = "localhost"
_LOCAL: Final = _EVERYWHERE | {"127.0.0.1", "::1"}


@dataclass(frozen=True, slots=True)
class Plan:
    """The first provider's settings of a port, and the routes of all that would share it.

    One that is `alone` has a process of its own, and shares its port with nobody.
    """

    settings: ServerConfig
    alone: bool = False
    routes: RouteTable = field(default_factory=RouteTable)


def plan_of(settings: ServerConfig, around: Surroundings) -> Plan:
    """Return the plan of a port for one more provider.

    Raises :class:`~actorhost.errors.ConfigRefused` if the port cannot be shared with those before it.
    """
    plans: dict[tuple[str, int], Plan] = around.shared.setdefault("plans of http-server", {})
    plan = Plan(settings, around.alone)
    if settings.port == 0:
        return plan
    for (address, port), other in plans.items():
        if port == settings.port and (fault := _collision(address, other, plan)) is not None:
            raise refusal(OWNER, [fault])
    return plans.setdefault((settings.place, settings.port), plan)


def _collision(address: str, other: Plan, plan: Plan) -> ConfigFault | None:
    """Return why `plan` cannot have the port that `other` has at `address`, None if it can."""
    another = f"another provider has port {plan.settings.port}"
    if _overlap(address, plan.settings.place):
        message = f"{another} at {address}, which overlaps {plan.settings.place}"
        return ConfigFault(("address",), message, "write the same address for both, or another port")
    if address != plan.settings.place:
        return None
    if other.alone or plan.alone:
        whose = "that has" if other.alone else "this one has"
        message = f"{another}, and {whose} a process of its own"
        return ConfigFault(("port",), message, "place both in the host, or use another port")
    if unlike := other.settings.unlike(plan.settings):
        message = f"{another} with other settings: {unlike}"
        return ConfigFault(("port",), message, "use the same ones, or another port")
    return None


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
