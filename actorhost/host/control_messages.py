"""What hosts are asked and answer on their control subjects, as typed MessagePack maps.

Pure values. A request travels as the payload of an envelope of kind ask, its answer as that of a
reply; a host that refuses answers with a fault. A later version may only add fields with defaults.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any, Final, TypeVar

import msgspec
from msgspec import Meta, Struct

from actorhost.errors import BadRequest
from actorhost.host.log import KEPT_LINES, Line
from actorhost.ids import ActorName, Digest, HostId
from actorhost.limits import KIB
from actorhost.wire.subject import Watched

MAX_PAGE: Final = 500
"""Actors in one page of a status: some 350 KiB at most, under every NATS server's default limit."""
MAX_CHUNK: Final = 256 * KIB
"""Bytes of a module that travel in one message."""
MAX_MODULES: Final = 1000
"""Modules that one deployment may name."""

_DigestText = Annotated[str, Meta(pattern=f"^(?:{Digest.pattern()})$")]
_NameText = Annotated[str, Meta(pattern=f"^(?:{ActorName.pattern()})$")]
_HostText = Annotated[str, Meta(pattern=f"^(?:{HostId.pattern()})$")]


class ControlOperation(StrEnum):
    """What a host may be asked; only ``info`` also of all hosts at once."""

    INFO = "info"
    STATUS = "status"
    LOGS = "logs"
    MODULE_OFFER = "module-offer"
    MODULE_CHUNK = "module-chunk"
    DEPLOY = "deploy"
    UNDEPLOY = "undeploy"
    WATCH = "watch"
    PROVIDERS = "providers"
    LINKS = "links"


class InfoRequest(Struct, frozen=True):
    """Ask a host who it is."""


class HostInfo(Struct, frozen=True, kw_only=True):
    """Who a host is: `started_ns` since the Unix epoch, `actors` counted, `pid` on its machine."""

    id: _HostText
    lattice: str
    version: str
    started_ns: int
    pid: int
    actors: int
    applications: int


class StatusRequest(Struct, frozen=True):
    """Ask for the actors whose names come after `after`, at most `count` of them, sorted by name."""

    after: str = ""
    count: Annotated[int, Meta(ge=1, le=MAX_PAGE)] = MAX_PAGE


class ActorStatus(Struct, frozen=True, kw_only=True):
    """One actor of a host, with counts since it was deployed there.

    `instances` may handle messages at once and `made` counts sandboxes; `accepted` came into the
    mailbox, `replied` and `faults` (by code) are how they ended, `expired` of those waited too long;
    `refused` did not come in, and `dead` became dead letters, whether refused or ended with a fault.
    Of the accepted, `ingested` came from subjects of ingest traits; `malformed` came from there and
    were not accepted.

    `state` is ``running``, ``waiting`` before a restart, or ``failed``; `last_end` says why an
    instance ended last. `rate` is messages handled a second over about the last minute, `p50_ms`
    and its like the time from the mailbox to the answer, `wait_p50_ms` and its like the part of it in
    the mailbox, 0 for less than 1; `mean_ms` is of all. `memory_used` is the bytes of linear memory of
    all instances now, `guest_ms` the processor time guests have used, and `ticks` how often one was
    interrupted after a slice of it.
    """

    name: str
    application: str
    digest: str
    policy: str
    profile: str
    memory: int
    instances: int
    made: int
    waiting: int
    waiting_bytes: int
    accepted: int
    refused: int
    replied: int
    expired: int
    faults: dict[str, int]
    dead: int = 0
    ingested: int = 0
    malformed: int = 0
    state: str = "running"
    restarts: int = 0
    last_end: str = ""
    rate: float = 0.0
    p50_ms: float = 0.0
    p90_ms: float = 0.0
    p99_ms: float = 0.0
    memory_used: int = 0
    mean_ms: float = 0.0
    wait_p50_ms: float = 0.0
    wait_p90_ms: float = 0.0
    wait_p99_ms: float = 0.0
    guest_ms: float = 0.0
    ticks: int = 0


class StatusPage(Struct, frozen=True):
    """Some actors of a host; `more` says that others come after the last one."""

    actors: tuple[ActorStatus, ...]
    more: bool


class ProvidersRequest(Struct, frozen=True):
    """Ask for the providers of a host after the first `skip`, at most `count`."""

    skip: Annotated[int, Meta(ge=0)] = 0
    count: Annotated[int, Meta(ge=1, le=MAX_PAGE)] = MAX_PAGE


class ProviderStatus(Struct, frozen=True, kw_only=True):
    """One provider of a host: component `name` is entry point `provider` in process `pid`, 0 for none.

    `place` is ``host``, ``process`` or ``lattice``; `state` is ``running``, ``starting``, ``waiting`` before
    a restart, ``away`` (of one started elsewhere) or ``failed``; `links` counts the links to it.
    """

    name: str
    application: str
    provider: str
    contract: str
    place: str
    pid: int
    state: str
    restarts: int
    links: int


class ProvidersReply(Struct, frozen=True):
    """Some providers of a host; `more` says that there are others."""

    providers: tuple[ProviderStatus, ...]
    more: bool


class LinksRequest(Struct, frozen=True):
    """Ask for the links of a host after the first `skip`, at most `count`."""

    skip: Annotated[int, Meta(ge=0)] = 0
    count: Annotated[int, Meta(ge=1, le=MAX_PAGE)] = MAX_PAGE


class LinkStatus(Struct, frozen=True, kw_only=True):
    """One link: `actor` reaches `target` under `namespace` (a contract, or an actor's name) and `name`.

    `calls` were made, of which `failed` counts those that ended otherwise than with an answer, by fault
    code; `p50_ms` and `p99_ms` are of those answered. Calls are counted by actor and contract: two links
    of an actor to one contract show the same figures.
    """

    actor: str
    application: str
    name: str
    namespace: str
    target: str
    place: str
    calls: int
    failed: dict[str, int]
    p50_ms: float
    p99_ms: float


class LinksReply(Struct, frozen=True):
    """Some links of a host; `more` says that there are others."""

    links: tuple[LinkStatus, ...]
    more: bool


class LogsRequest(Struct, frozen=True):
    """Ask for the last `count` lines of an actor."""

    actor: _NameText
    count: Annotated[int, Meta(ge=1, le=KEPT_LINES)] = 100


class LogsReply(Struct, frozen=True):
    """Lines, oldest first; `cut` says that older ones asked for did not fit into the message."""

    lines: tuple[Line, ...]
    cut: bool = False


class WatchRequest(Struct, frozen=True):
    """Ask a host to publish `what` of an actor for a while; `payloads` shows what messages carried."""

    actor: _NameText
    what: Watched
    payloads: bool = False


class WatchReply(Struct, frozen=True):
    """For how long it will, unless asked again before; `last` is the number of the last line logged."""

    lease_ms: Annotated[int, Meta(ge=0)]
    last: int = 0


class ModuleOffer(Struct, frozen=True):
    """Offer a module of `size` bytes."""

    digest: _DigestText
    size: Annotated[int, Meta(ge=1)]


class ModuleChunk(Struct, frozen=True):
    """A part of an offered module, which starts at `offset`."""

    digest: _DigestText
    offset: Annotated[int, Meta(ge=0)]
    data: Annotated[bytes, Meta(min_length=1, max_length=MAX_CHUNK)]


class ModuleProgress(Struct, frozen=True):
    """How much of a module a host has: the next part starts at `offset`, unless it is `complete`."""

    offset: int
    complete: bool


class DeployRequest(Struct, frozen=True):
    """Deploy the manifest; `source` is its name in findings.

    `modules` gives the digest of each path in it, and the host has them all. Without `wait` the
    answer says that the manifest was accepted, and how the rest went is in the host's log.
    """

    manifest: bytes
    source: Annotated[str, Meta(max_length=4096)]
    modules: Annotated[dict[str, _DigestText], Meta(max_length=MAX_MODULES)]
    wait: bool = True


class DeployReply(Struct, frozen=True):
    """What a host runs now, or is about to run if `finished` is false."""

    application: str
    version: str
    actors: tuple[str, ...]
    finished: bool


class UndeployRequest(Struct, frozen=True):
    """Stop an application; what is in hand may finish first."""

    application: _NameText


class UndeployReply(Struct, frozen=True):
    """The actors that ran and do not any more."""

    actors: tuple[str, ...]


T = TypeVar("T", bound=Struct)


def _plain(value: object) -> str:
    """Return a name as the text it is; the encoder takes no subclasses of it."""
    if isinstance(value, str):
        return str(value)
    raise NotImplementedError  # how msgspec is told that there is no form for it


encode: Final = msgspec.msgpack.Encoder(enc_hook=_plain).encode
"""Return a message as MessagePack."""

_decoders: Final[dict[type[Struct], msgspec.msgpack.Decoder[Any]]] = {
    kind: msgspec.msgpack.Decoder(kind)
    for kind in (
        InfoRequest, HostInfo, StatusRequest, StatusPage, LogsRequest, LogsReply,
        ModuleOffer, ModuleChunk, ModuleProgress, DeployRequest, DeployReply,
        UndeployRequest, UndeployReply, WatchRequest, WatchReply,
        ProvidersRequest, ProvidersReply, LinksRequest, LinksReply,
    )
}  # fmt: skip


def decode(kind: type[T], payload: bytes) -> T:
    """Return the message of that `kind` in `payload`, or raise :class:`BadRequest` saying what is wrong."""
    try:
        message: T = _decoders[kind].decode(payload)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BadRequest(
            f"{len(payload)} bytes are no {kind.__name__}: {error}",
            hint="are both sides of the same version of actorhost?",
        ) from None
    return message
