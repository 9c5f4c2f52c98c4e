"""What a host tells monitors about itself and its actors, line by line in Prometheus's format.

Pure reading of what the parts count anyway: nothing is kept, and nothing is done for it while nobody
asks. Labels are names from manifests, fault codes and operations of contracts, never anything that a
message brought along; the first :data:`MAX_ACTORS` actors by name have series of their own.
"""

from __future__ import annotations

import os
import resource
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

from actorhost.capability.broker import Counted, Tally
from actorhost.engine import EngineStatistics
from actorhost.host.actor import Actor
from actorhost.host.deployment import Deployment
from actorhost.host.provider.remote import RemoteProvider
from actorhost.host.router import Router
from actorhost.host.status import package_version
from actorhost.ids import HostId, LatticeName
from actorhost.telemetry import exposition
from actorhost.telemetry.exposition import family, labels, sample
from actorhost.telemetry.histogram import BOUNDS
from actorhost.transport import Transport

MAX_ACTORS: Final = 1000
"""Actors with series of their own: about forty each, as a monitor must keep them all."""

STATES: Final = ("running", "waiting", "failed")


class Measured(Protocol):
    """What the figures are read from: a host."""

    id: HostId
    lattice: LatticeName
    deployments: dict[str, Deployment]
    transport: Transport
    router: Router
    started_ns: int

    def engine_statistics(self) -> EngineStatistics:
        """Return what the engine counts."""

    def capability_statistics(self) -> dict[Counted, Tally]:
        """Return the calls over links, by actor, target, link and operation."""


_Read = Callable[[Actor], float]

_PER_ACTOR: Final[tuple[tuple[str, str, str, _Read], ...]] = (
    ("accepted_total", "counter", "Messages that came into the mailbox.",
     lambda actor: actor.mailbox_statistics().accepted),
    ("refused_total", "counter", "Messages that did not come in.", lambda actor: actor.counts.refused),
    ("replies_total", "counter", "Messages answered with a reply.", lambda actor: actor.counts.replied),
    ("expired_total", "counter", "Messages that waited until their deadline.",
     lambda actor: actor.counts.expired),
    ("dead_letters_total", "counter", "Messages that were given up.", lambda actor: actor.counts.dead),
    ("ingested_total", "counter", "Messages taken from subjects of ingest traits.",
     lambda actor: actor.counts.ingested),
    ("malformed_total", "counter", "Messages from subjects of ingest traits that could not be read.",
     lambda actor: actor.counts.malformed),
    ("restarts_total", "counter", "Instances started again after one ended.",
     lambda actor: actor.supervision.restarts),
    ("instances_made_total", "counter", "Sandboxes made.", lambda actor: actor.instances_made),
    ("guest_seconds_total", "counter", "Processor time of guests.",
     lambda actor: actor.usage.guest_ns / 1e9),
    ("ticks_total", "counter", "Times a guest was interrupted after a slice of processor time.",
     lambda actor: actor.usage.ticks),
    ("instances", "gauge", "Messages that may be handled at once.", lambda actor: actor.spec.instances),
    ("mailbox_messages", "gauge", "Messages in the mailbox.",
     lambda actor: actor.mailbox_statistics().waiting),
    ("mailbox_bytes", "gauge", "Size of the messages in the mailbox.",
     lambda actor: actor.mailbox_statistics().waiting_bytes),
    ("memory_bytes", "gauge", "Linear memory of all instances.", lambda actor: actor.memory),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Row:
    """An actor, and the labels that all its series have."""

    actor: Actor
    told: str


def lines(host: Measured) -> Iterator[str]:
    """Yield the text piece by piece; whoever takes it may do other things between pieces."""
    rows, left_out = _rows(host)
    yield from _about_the_host(host, left_out)
    yield from _about_the_process(host)
    yield from _about_the_bus(host)
    for name, kind, text, read in _PER_ACTOR:
        full = f"actorhost_actor_{name}"
        yield from family(full, kind, text, (sample(full, read(row.actor), row.told) for row in rows))
    yield from _faults(rows)
    yield from _states(rows)
    yield from _durations(rows)
    yield from _capabilities(host, {row.actor.spec.name for row in rows})


def _rows(host: Measured) -> tuple[list[_Row], int]:
    """Return the actors that have series, and how many have none."""
    found = sorted(
        ((actor.spec.name, name, actor) for name, deployment in host.deployments.items()
         for actor in deployment.actors),
        key=lambda item: item[:2],
    )  # fmt: skip
    shown = [
        _Row(actor, labels(actor=name, application=application))
        for name, application, actor in found[:MAX_ACTORS]
    ]
    return shown, len(found) - len(shown)


def _one(name: str, kind: str, text: str, value: float, told: str = "") -> Iterator[str]:
    return family(name, kind, text, [sample(name, value, told)])


def _about_the_host(host: Measured, left_out: int) -> Iterator[str]:
    engine, router = host.engine_statistics(), host.router
    told = labels(host=host.id, lattice=host.lattice, version=package_version())
    yield from _one("actorhost_info", "gauge", "Who the host is.", 1, told)
    yield from _one("actorhost_applications", "gauge", "Applications deployed.", len(host.deployments))
    yield from _one("actorhost_actors", "gauge", "Actors of all applications.", len(router.actors))
    yield from _one("actorhost_actors_left_out", "gauge", "Actors without series of their own.", left_out)
    yield from _one("actorhost_mailbox_messages", "gauge", "In all mailboxes.", router.budget.count)
    yield from _one("actorhost_mailbox_bytes", "gauge", "In all mailboxes.", router.budget.size)
    yield from _one("actorhost_sandboxes", "gauge", "Sandboxes alive.", engine.instances)
    yield from _one("actorhost_modules", "gauge", "Compiled modules.", engine.modules)
    yield from _one("actorhost_guests_waiting", "gauge", "Guests that wait for a turn.", engine.waiting)
    yield from _one(
        "actorhost_guest_seconds_total", "counter", "Processor time of all guests.", engine.guest_ns / 1e9
    )
    dead = router.dead.counts
    for how, count in (("stored", dead.stored), ("lost", dead.lost)):
        name = f"actorhost_dead_letters_{how}_total"
        yield from _one(name, "counter", f"Messages given up that were {how}.", count)
    yield from _one(
        "actorhost_refusals_dropped_total", "counter", "Refusals nobody was told.", router.refusals_dropped
    )


def _about_the_process(host: Measured) -> Iterator[str]:
    """Yield what Prometheus's own clients say of every process."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    seconds = used.ru_utime + used.ru_stime
    yield from _one("process_cpu_seconds_total", "counter", "Processor time of the process.", seconds)
    yield from _one(
        "process_start_time_seconds", "gauge", "When the host started, since the Unix epoch.",
        host.started_ns / 1e9,
    )  # fmt: skip
    if sys.platform == "linux":
        resident = int(Path("/proc/self/statm").read_text("ascii").split()[1]) * os.sysconf("SC_PAGE_SIZE")
        yield from _one("process_resident_memory_bytes", "gauge", "Memory of the process.", resident)
        opened = len(os.listdir("/proc/self/fd"))  # noqa: PTH208 - the names are not needed
        yield from _one("process_open_fds", "gauge", "Open files and sockets.", opened)


def _about_the_bus(host: Measured) -> Iterator[str]:
    bus = host.transport.statistics()
    for name, kind, text, value in (
        ("connected", "gauge", "1 while there is a connection.", int(bus.connected)),
        ("reconnects_total", "counter", "Connections after the first.", bus.reconnects),
        ("server_errors_total", "counter", "Errors that the server reported or that broke a connection.",
         bus.server_errors),
        ("sent_messages_total", "counter", "Messages sent.", bus.published),
        ("sent_bytes_total", "counter", "Size of the messages sent.", bus.published_bytes),
        ("received_messages_total", "counter", "Messages received.", bus.received),
        ("received_bytes_total", "counter", "Size of the messages received.", bus.received_bytes),
        ("refused_messages_total", "counter", "Messages not sent because too many waited.", bus.refused),
        ("unsent_bytes", "gauge", "What waits to be sent.", bus.unsent_bytes),
    ):  # fmt: skip
        yield from _one(f"actorhost_nats_{name}", kind, text, value)


def _faults(rows: list[_Row]) -> Iterator[str]:
    name = "actorhost_actor_faults_total"
    return family(
        name, "counter", "Messages answered with a fault, by its code.",
        (
            sample(name, count, f"{row.told},{labels(code=str(code))}")
            for row in rows
            for code, count in tuple((row.actor.counts.faults or {}).items())
        ),
    )  # fmt: skip


def _states(rows: list[_Row]) -> Iterator[str]:
    name = "actorhost_actor_state"
    return family(
        name, "gauge", "1 for the state that the actor is in, 0 for the others.",
        (
            sample(name, int(row.actor.supervision.state == state), f'{row.told},state="{state}"')
            for row in rows
            for state in STATES
        ),
    )  # fmt: skip


def _durations(rows: list[_Row]) -> Iterator[str]:
    name = "actorhost_actor_handling_seconds"
    yield from family(
        name, "histogram", "From the mailbox to the answer.",
        (
            exposition.histogram(name, BOUNDS, each.cumulative(), each.count, each.total, row.told)
            for row in rows
            for each in [row.actor.durations]
        ),
    )  # fmt: skip


def _capabilities(host: Measured, actors: set[str]) -> Iterator[str]:
    yield from _capability_calls(host, actors)
    name = "actorhost_capability_seconds"
    yield from family(
        name, "histogram", "Calls over links of actors, either way, that were answered.",
        (
            exposition.histogram(
                name, BOUNDS, tally.took.cumulative(), tally.took.count, tally.took.total,
                labels(actor=actor, target=target, link=link, operation=operation),
            )
            for (actor, target, link, operation), tally in host.capability_statistics().items()
            if actor in actors and tally.took.count
        ),
    )  # fmt: skip
    name = "actorhost_provider_restarts_total"
    yield from family(
        name, "counter", "Times the process of a provider was started again.",
        (
            sample(name, provider.restarts, labels(provider=component, application=application))
            for application, deployment in host.deployments.items()
            for component, provider in deployment.providers.items()
            if isinstance(provider, RemoteProvider)
        ),
    )  # fmt: skip


def _capability_calls(host: Measured, actors: set[str]) -> Iterator[str]:
    name = "actorhost_capability_calls_total"
    yield from family(
        name, "counter", "Calls over links of actors, either way, by how they ended.",
        (
            sample(
                name, count,
                labels(actor=actor, target=target, link=link, operation=operation, outcome=outcome),
            )
            for (actor, target, link, operation), tally in host.capability_statistics().items()
            if actor in actors
            for outcome, count in (("answered", tally.answered), *tally.ended.items())
        ),
    )  # fmt: skip
