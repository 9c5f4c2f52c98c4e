"""What happened in a lattice, as CloudEvents 1.0 in JSON's structured mode: the kinds, encoding, decoding.

Pure values. Everything that leaves a host as an event goes through :func:`event_of`, which bounds it
and blots out what looks like a secret. The attributes are those of the CloudEvents specification
(github.com/cloudevents/spec, cloudevents/spec.md); beyond it, ours always have a time, a subject and an
object as data.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated, Any, Final, Literal

import msgspec
from msgspec import Meta, Struct

from actorhost.errors import ProtocolError
from actorhost.telemetry.log import blot

PREFIX: Final = "actorhost."
"""How the types of our events begin."""
LONGEST_TEXT: Final = 1000
"""Characters of a text in the data of an event."""
MOST_ITEMS: Final = 16
"""Items of a list in the data of an event."""


class EventKind(StrEnum):
    """Everything that is told, as the last token of its subject."""

    HOST_STARTED = "host-started"
    """A host is open: `pid`, `version`."""
    HOST_STOPPING = "host-stopping"
    """A host was told to stop, and takes nothing new."""
    HOST_STALLED = "host-stalled"
    """A host's process stood still for `seconds`: it was stopped, or its machine was."""
    APPLICATION_DEPLOYED = "application-deployed"
    """An application runs on a host: `version`, `actors`, whether it `replaced` another."""
    APPLICATION_UNDEPLOYED = "application-undeployed"
    """An application was stopped: `actors`."""
    DEPLOYMENT_FAILED = "deployment-failed"
    """An application was not deployed: `code`, `reason`; `running` says whether the one before still is."""
    INSTANCE_ENDED = "instance-ended"
    """An actor's instance trapped, ran out of something or broke a rule: `code`, `reason`, `backtrace`."""
    ACTOR_WAITING = "actor-waiting"
    """An actor ended too often and is started again in `seconds`; `causes` are its last ends."""
    ACTOR_FAILED = "actor-failed"
    """An actor ended too often and is not started again: `causes`."""
    ACTOR_RECOVERED = "actor-recovered"
    """An actor that waited has run for its restart period since without an end: `restarts`."""
    PROVIDER_ENDED = "provider-ended"
    """A provider in a process of its own crashed, hung or broke the rules: `reason`, `pid`."""
    PROVIDER_RESTARTED = "provider-restarted"
    """A provider takes calls again, all its links told: `restarts`, `pid`, `seconds` since it ended."""
    PROVIDER_FAILED = "provider-failed"
    """A provider ended too often and is not started again: `causes`."""
    ACTOR_OVERLOADED = "actor-overloaded"
    """An actor refuses messages: `full` is its mailbox or its host; `refused` so far, whether it `left`."""
    ACTOR_ACCEPTING = "actor-accepting"
    """An overloaded actor has room again: `refused` meanwhile."""
    NATS_LOST = "nats-lost"
    """A host lost its connection to NATS; told when it is back."""
    NATS_RESTORED = "nats-restored"
    """A host's connection to NATS is back: it was away for `seconds`."""
    DEADLETTER_STORED = "deadletter-stored"
    """Messages for an actor were kept as dead letters: the last one's `operation`, `code`."""
    DEADLETTER_LOST = "deadletter-lost"
    """Messages could not even be kept: `reason`, `lost` since the host started."""
    EVENTS_DROPPED = "events-dropped"
    """A host had more events than it may keep: `dropped`, the oldest ones before this."""


class Event(Struct, frozen=True, kw_only=True):
    """One event: `source` is the host as ``/LATTICE/HOST``, `subject` the actor, application or host.

    `id` counts up from 1 in each source, so a gap is an event that was lost. `time` is when the first
    of ``data["count"]`` happenings like it took place; without a count it was one.
    """

    specversion: Literal["1.0"]
    id: Annotated[str, Meta(min_length=1)]
    source: Annotated[str, Meta(min_length=1)]
    type: Annotated[str, Meta(min_length=1)]
    subject: Annotated[str, Meta(min_length=1)]
    time: Annotated[datetime, Meta(tz=True)]
    datacontenttype: Literal["application/json"]
    data: dict[str, Any]

    @property
    def kind(self) -> str:
        """The type as the last token of the subject has it, such as ``actor-failed``."""
        return self.type.removeprefix(PREFIX).replace(".", "-")


def event_of(
    kind: EventKind, *, number: int, source: str, subject: str, time_ns: int, data: Mapping[str, Any]
) -> Event:
    """Return event `number` of `source`; `time_ns` is since the Unix epoch.

    Texts and lists in `data` are cut to :data:`LONGEST_TEXT` and :data:`MOST_ITEMS`.
    """
    return Event(
        specversion="1.0",
        id=str(number),
        source=source,
        type=PREFIX + kind.replace("-", "."),
        subject=str(subject),
        time=datetime.fromtimestamp(time_ns / 1e9, UTC),
        datacontenttype="application/json",
        data={name: _plain(value) for name, value in blot(None, "", dict(data)).items()},
    )


encode: Final = msgspec.json.Encoder().encode
"""Return an event as JSON."""

_decoder: Final = msgspec.json.Decoder(Event)


def decode(data: bytes) -> Event:
    """Return the event in `data`, its time in UTC, or raise :class:`ProtocolError` saying what is wrong."""
    try:
        event = _decoder.decode(data)
        return msgspec.structs.replace(event, time=event.time.astimezone(UTC))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, OverflowError) as error:
        raise ProtocolError(
            f"{len(data)} bytes are no event: {error}", hint="events are CloudEvents 1.0 in structured JSON"
        ) from None


def _plain(value: Any) -> Any:
    """Return what any reader of JSON can read, and not too much of it."""
    if isinstance(value, str):
        return str(value)[:LONGEST_TEXT].encode("utf-8", "replace").decode()
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value[:MOST_ITEMS]]
    return value
