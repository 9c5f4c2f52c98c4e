"""Formats and parses NATS subjects: the one place that knows how an address is spelled.

``ah.{lattice}.rpc.{actor}.{operation}`` reaches an actor, ``ah.{lattice}.ctl.{host}.{operation}``
controls a host (or ``all`` of them), ``ah.{lattice}.room.{actor}`` asks who has room for an actor, and
``ah.{lattice}.dead.{actor}`` keeps what no actor could take. ``ah.{lattice}.evt.{type}`` tells what
happened, such as ``actor-failed``. ``ah.{lattice}.cap.{provider}.{instance}.{operation}`` carries calls of
a contract to a provider in a process of its own, ``ah.{lattice}.prv.{provider}.{instance}.{operation}``
what such a provider and the hosts that use it tell each other. ``ah.{lattice}.log.{actor}`` and
``ah.{lattice}.trace.{actor}`` carry what an actor logs and handles, while somebody watches.
:func:`ingest_queue` names a queue group, not a subject. The operation is in the subject so that NATS
permissions can be generated from contracts; what does not fit a token is percent-encoded (RFC 3986,
section 2.1). Formatting and parsing are exact inverses: a second spelling of the same address is refused.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import Final
from urllib.parse import quote, unquote_to_bytes

from actorhost.errors import ProtocolError
from actorhost.ids import ActorName, HostId, LatticeName, OperationName

ALL_HOSTS: Final = "all"
"""Stands for every host of a lattice in a control subject."""
WHOEVER: Final = "0" * 16
"""Stands for whichever run of a provider there is, in a subject of one that somebody started elsewhere."""

_PREFIX: Final = "ah"
_TOKEN: Final = re.compile(r"(?:[A-Za-z0-9_-]|%[0-9A-F]{2})+")
_EVENT_TYPE: Final = re.compile(r"(?=.{1,63}\Z)[a-z0-9]+(?:-[a-z0-9]+)*")


@dataclass(frozen=True, slots=True)
class RpcAddress:
    """One operation of one actor."""

    lattice: LatticeName
    actor: ActorName
    operation: OperationName


@dataclass(frozen=True, slots=True)
class ControlAddress:
    """One control operation of one host, or of all when `host` is None."""

    lattice: LatticeName
    host: HostId | None
    operation: OperationName


@dataclass(frozen=True, slots=True)
class EventAddress:
    """One type of event in a lattice."""

    lattice: LatticeName
    type: str


class ProviderBranch(StrEnum):
    """What goes to a provider in a process of its own: calls of its contract, or what concerns its links."""

    CALLS = "cap"
    CONTROL = "prv"


@dataclass(frozen=True, slots=True)
class ProviderAddress:
    """One operation of one run of a provider; `instance` is new each time it is started."""

    lattice: LatticeName
    branch: ProviderBranch
    provider: ActorName
    instance: HostId
    operation: OperationName


class Watched(StrEnum):
    """What of an actor may be watched as it happens: the lines it logs, or the messages it handles."""

    LOGS = "logs"
    TRACE = "trace"


@dataclass(frozen=True, slots=True)
class WatchAddress:
    """One stream of what happens in one actor, on whichever hosts run it."""

    lattice: LatticeName
    what: Watched
    actor: ActorName


_WATCH_BRANCHES: Final = {Watched.LOGS: "log", Watched.TRACE: "trace"}


def encode_operation(operation: str) -> str:
    """Return `operation` as one subject token."""
    # quote() leaves '.' and '~' alone; a dot would start another token.
    return quote(operation, safe="").replace(".", "%2E").replace("~", "%7E")


def decode_operation(token: str) -> OperationName:
    """Return the operation `token` spells, or raise :class:`ProtocolError`."""
    if _TOKEN.fullmatch(token) is None:
        raise ProtocolError(
            f"{token[:80]!r} is not an operation in a subject",
            hint="percent-encode every byte but letters, digits, '-' and '_', in upper case",
        )
    try:
        operation = OperationName.parse(unquote_to_bytes(token).decode("utf-8"))
    except UnicodeDecodeError:
        raise ProtocolError(f"{token[:80]!r} does not decode to UTF-8") from None
    if encode_operation(operation) != token:
        raise ProtocolError(
            f"{token[:80]!r} is not the canonical spelling of {operation!r}",
            hint=f"use {encode_operation(operation)}",
        )
    return operation


def rpc_subject(lattice: str, actor: str, operation: str) -> str:
    """Return the subject of `operation` of `actor`."""
    return f"{_PREFIX}.{lattice}.rpc.{actor}.{encode_operation(operation)}"


def rpc_wildcard(lattice: str, actor: str) -> str:
    """Return the subject that matches every operation of `actor`."""
    return f"{_PREFIX}.{lattice}.rpc.{actor}.*"


def parse_rpc(subject: str) -> RpcAddress:
    """Return the address `subject` spells, or raise :class:`InvalidInput`."""
    lattice, actor, operation = _parse(subject, "rpc")
    return RpcAddress(LatticeName.parse(lattice), ActorName.parse(actor), decode_operation(operation))


def control_subject(lattice: str, host: str, operation: str) -> str:
    """Return the subject of control operation `operation` of `host` (an id, or ``all``)."""
    return f"{_PREFIX}.{lattice}.ctl.{host}.{encode_operation(operation)}"


def control_wildcard(lattice: str, host: str) -> str:
    """Return the subject that matches every control operation of `host`."""
    return f"{_PREFIX}.{lattice}.ctl.{host}.*"


def parse_control(subject: str) -> ControlAddress:
    """Return the address `subject` spells, or raise :class:`InvalidInput`."""
    lattice, host, operation = _parse(subject, "ctl")
    target = None if host == ALL_HOSTS else HostId.parse(host)
    return ControlAddress(LatticeName.parse(lattice), target, decode_operation(operation))


def room_subject(lattice: str, actor: str) -> str:
    """Return the subject on which hosts that could take messages for `actor` say so."""
    return f"{_PREFIX}.{lattice}.room.{actor}"


def actor_of_room(subject: str) -> ActorName:
    """Return the actor that :func:`room_subject` was given, or raise :class:`InvalidName`."""
    return ActorName.parse(subject[subject.rfind(".") + 1 :])


def dead_subject(lattice: str, actor: str) -> str:
    """Return the subject under which dead letters of `actor` are kept."""
    return f"{_PREFIX}.{lattice}.dead.{actor}"


def event_subject(lattice: str, type: str) -> str:  # noqa: A002 - CloudEvents' own word
    """Return the subject of events of `type`: lower-case words and digits, joined by dashes."""
    return f"{_PREFIX}.{lattice}.evt.{type}"


def event_wildcard(lattice: str) -> str:
    """Return the subject that matches every event of `lattice`."""
    return f"{_PREFIX}.{lattice}.evt.*"


def parse_event(subject: str) -> EventAddress:
    """Return the address `subject` spells, or raise :class:`InvalidInput`."""
    tokens = subject.split(".")
    if len(tokens) != 4 or tokens[0] != _PREFIX or tokens[2] != "evt" or not _EVENT_TYPE.fullmatch(tokens[3]):
        raise ProtocolError(
            f"{subject[:120]!r} is not a subject of the evt branch",
            hint=f"use {_PREFIX}.LATTICE.evt.TYPE, the type in lower-case words and digits joined by dashes",
        )
    return EventAddress(LatticeName.parse(tokens[1]), tokens[3])


def watch_subject(lattice: str, what: Watched, actor: str) -> str:
    """Return the subject on which hosts publish `what` of `actor` while somebody asks for it."""
    return f"{_PREFIX}.{lattice}.{_WATCH_BRANCHES[what]}.{actor}"


def parse_watch(subject: str) -> WatchAddress:
    """Return the address `subject` spells, or raise :class:`InvalidInput`."""
    tokens = subject.split(".")
    kinds = [what for what, branch in _WATCH_BRANCHES.items() if tokens[2:3] == [branch]]
    if len(tokens) != 4 or tokens[0] != _PREFIX or not kinds:
        raise ProtocolError(
            f"{subject[:120]!r} is not a subject of what is watched",
            hint=f"use {_PREFIX}.LATTICE.log.ACTOR or {_PREFIX}.LATTICE.trace.ACTOR",
        )
    return WatchAddress(LatticeName.parse(tokens[1]), kinds[0], ActorName.parse(tokens[3]))


def provider_subject(
    lattice: str, branch: ProviderBranch, provider: str, instance: str, operation: str
) -> str:
    """Return the subject of `operation` of that run of `provider`."""
    return f"{_PREFIX}.{lattice}.{branch}.{provider}.{instance}.{encode_operation(operation)}"


def provider_wildcard(lattice: str, branch: ProviderBranch, provider: str, instance: str) -> str:
    """Return the subject that matches every operation of that run of `provider`."""
    return f"{_PREFIX}.{lattice}.{branch}.{provider}.{instance}.*"


def parse_provider(subject: str) -> ProviderAddress:
    """Return the address `subject` spells, or raise :class:`InvalidInput`."""
    tokens = subject.split(".")
    if len(tokens) != 6 or tokens[0] != _PREFIX or tokens[2] not in tuple(ProviderBranch):
        raise ProtocolError(
            f"{subject[:120]!r} is not a subject of a provider",
            hint=f"use {_PREFIX}.LATTICE.cap.PROVIDER.INSTANCE.OPERATION, or prv instead of cap",
        )
    return ProviderAddress(
        LatticeName.parse(tokens[1]),
        ProviderBranch(tokens[2]),
        ActorName.parse(tokens[3]),
        HostId.parse(tokens[4]),
        decode_operation(tokens[5]),
    )


def ingest_queue(lattice: str, actor: str, subject: str) -> str:
    """Return the queue group in which hosts share what comes from `subject` for `actor`.

    The subject is part of it: the server deals each message once to each group, and two patterns of
    one actor may both match it.
    """
    return f"{_PREFIX}.{lattice}.ingest.{actor}.{quote(subject)}"


@lru_cache(maxsize=4096)
def operation_of(subject: str) -> OperationName:
    """Return the operation in the last token of `subject`; remembers recent ones, as it is asked often.

    Raises :class:`ProtocolError` when the token is no operation.
    """
    return decode_operation(subject[subject.rfind(".") + 1 :])


def _parse(subject: str, branch: str) -> tuple[str, str, str]:
    tokens = subject.split(".")
    if len(tokens) != 5 or tokens[0] != _PREFIX or tokens[2] != branch:
        raise ProtocolError(
            f"{subject[:120]!r} is not a subject of the {branch} branch",
            hint=f"use {_PREFIX}.LATTICE.{branch}.NAME.OPERATION",
        )
    return tokens[1], tokens[3], tokens[4]
