"""What a host says about itself and its actors: read from the parts, nothing kept.

Pure reading; whoever asks owns the answer.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from typing import Final

from actorhost.errors import NoRoute
from actorhost.host.actor import Actor
from actorhost.host.control_messages import (
    ActorStatus,
    HostInfo,
    LogsReply,
    LogsRequest,
    StatusPage,
    StatusRequest,
)
from actorhost.host.deployment import Deployment
from actorhost.host.log import Line
from actorhost.ids import HostId, LatticeName
from actorhost.limits import KIB

_LOG_BYTES: Final = 384 * KIB
"""Bytes of lines in one answer, about; with its envelope it fits NATS's default limit."""
_CAUSE: Final = 200
"""Bytes of a cause in a status: a page of actors must fit one message."""
_LINE_BYTES: Final = 32
"""What a line takes besides its text."""
_FRACTIONS: Final = (0.5, 0.9, 0.99)


def host_info(
    host: HostId, lattice: LatticeName, deployments: Mapping[str, Deployment], *, started_ns: int
) -> HostInfo:
    """Return who the host is."""
    return HostInfo(
        id=host,
        lattice=lattice,
        version=package_version(),
        started_ns=started_ns,
        pid=os.getpid(),
        actors=sum(len(deployment.actors) for deployment in deployments.values()),
        applications=len(deployments),
    )


def status_page(deployments: Mapping[str, Deployment], request: StatusRequest) -> StatusPage:
    """Return the page of actors that was asked for."""
    found = sorted(
        (actor.spec.name, name, actor)
        for name, deployment in deployments.items()
        for actor in deployment.actors
        if actor.spec.name > request.after
    )
    page = tuple(actor_status(actor, name) for _, name, actor in found[: request.count])
    return StatusPage(page, more=len(found) > len(page))


def actor_status(actor: Actor, application: str) -> ActorStatus:
    """Return what `actor` of `application` is and has done."""
    spec, counts, mailbox = actor.spec, actor.counts, actor.mailbox_statistics()
    handled = actor.durations
    p50, p90, p99 = _milliseconds(handled.percentiles(_FRACTIONS))
    waits = _milliseconds(actor.waits.percentiles(_FRACTIONS, none=handled.count - actor.waits.count))
    return ActorStatus(
        name=spec.name,
        application=application,
        digest=actor.module.digest,
        policy=spec.policy,
        profile=spec.chosen_profile,
        memory=spec.memory,
        instances=spec.instances,
        made=actor.instances_made,
        waiting=mailbox.waiting,
        waiting_bytes=mailbox.waiting_bytes,
        accepted=mailbox.accepted,
        refused=counts.refused,
        dead=counts.dead,
        ingested=counts.ingested,
        malformed=counts.malformed,
        replied=counts.replied,
        expired=counts.expired,
        faults={str(code): count for code, count in (counts.faults or {}).items()},
        state=actor.supervision.state,
        restarts=actor.supervision.restarts,
        last_end=_cut("".join(actor.supervision.causes[-1:])),
        rate=round(actor.rate.per_second, 3),
        p50_ms=p50,
        p90_ms=p90,
        p99_ms=p99,
        memory_used=actor.memory,
        mean_ms=round(1000 * handled.total / max(1, handled.count), 3),
        wait_p50_ms=waits[0],
        wait_p90_ms=waits[1],
        wait_p99_ms=waits[2],
        guest_ms=round(actor.usage.guest_ns / 1e6, 3),
        ticks=actor.usage.ticks,
    )


def _cut(text: str) -> str:
    return text.encode("utf-8", "replace")[:_CAUSE].decode("utf-8", "ignore")


def _milliseconds(durations: list[float]) -> list[float]:
    return [round(1000 * seconds, 3) for seconds in durations]


def actor_log(actors: Mapping[str, Actor], request: LogsRequest) -> LogsReply:
    """Return the last lines of an actor, as many as fit into one message.

    Raises :class:`NoRoute` when the actor does not live here.
    """
    actor = actors.get(request.actor)
    if actor is None:
        raise NoRoute(f"no actor {request.actor!r} on this host", hint="`actorhost ps` shows where it runs")
    lines = actor.log.tail(request.count)
    fitting = _fitting(lines)
    return LogsReply(tuple(lines[len(lines) - fitting :]), cut=fitting < len(lines))


def _fitting(lines: list[Line]) -> int:
    """Return how many of the last lines fit."""
    room = _LOG_BYTES
    for count, line in enumerate(reversed(lines)):
        room -= len(line.text.encode("utf-8", "replace")) + len(line.source) + _LINE_BYTES
        if room < 0:
            return count
    return len(lines)


@cache
def package_version() -> str:
    """Return the version of this package that is installed."""
    try:
        return version("actorhost")
    except PackageNotFoundError:
        return "not installed"
