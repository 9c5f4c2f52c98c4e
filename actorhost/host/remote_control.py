"""Asks hosts of a lattice: who is there, what runs, what was logged; and deploys to them.

Held by a client, whose transport it uses; holds nothing else.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import Final, TypeVar

import anyio
from msgspec import Struct

from actorhost import clock
from actorhost.errors import ActorhostError, ProtocolError
from actorhost.host import control_messages as messages
from actorhost.host.control_messages import (
    MAX_CHUNK,
    ActorStatus,
    ControlOperation,
    DeployReply,
    DeployRequest,
    HostInfo,
    InfoRequest,
    LinksReply,
    LinksRequest,
    LinkStatus,
    LogsReply,
    LogsRequest,
    ModuleChunk,
    ModuleOffer,
    ModuleProgress,
    ProvidersReply,
    ProvidersRequest,
    ProviderStatus,
    StatusPage,
    StatusRequest,
    UndeployReply,
    UndeployRequest,
    WatchReply,
    WatchRequest,
)
from actorhost.host.remote import Remote
from actorhost.ids import ActorName, Digest, HostId, LatticeName
from actorhost.limits import KIB, Limits
from actorhost.transport import Transport
from actorhost.wire.codec import decode, encode
from actorhost.wire.envelope import Kind
from actorhost.wire.subject import ALL_HOSTS, Watched, control_subject

GATHER: Final = 0.3
"""Seconds in which hosts that are not frozen answer a question to all."""
DEPLOY_TIMEOUT: Final = 120.0
"""Seconds a deployment may take: compiling a large module takes several."""

_ENVELOPE: Final = 4 * KIB
"""What a part of a module needs in a message besides its bytes, at most."""

T = TypeVar("T", bound=Struct)
Progress = Callable[[int], None]
"""Takes the bytes of modules that a host has got since the last time."""


class RemoteControl:
    """Reaches the hosts of `lattice` through `transport`; `remote` words the messages."""

    def __init__(self, transport: Transport, lattice: LatticeName, remote: Remote, limits: Limits) -> None:
        self._transport = transport
        self._lattice = lattice
        self._remote = remote
        self._timeout = limits.call_timeout

    async def hosts(self, *, count: int | None = None, within: float = GATHER) -> list[HostInfo]:
        """Return the hosts that answer `within` that many seconds, longest running first.

        Returns earlier when `count` have answered.
        """
        found: dict[str, HostInfo] = {}
        enough = anyio.Event()
        request = self._remote.envelope(
            Kind.ASK, messages.encode(InfoRequest()), clock.monotonic() + self._timeout
        )

        def receive(_subject: str, _reply: str, data: bytes) -> None:
            info = _info_in(data, request.id)
            if info is not None:
                found[info.id] = info
            if count is not None and len(found) >= count:
                enough.set()

        inbox = f"_INBOX.{os.urandom(16).hex()}"
        subscription = await self._transport.subscribe(inbox, receive)
        try:
            subject = control_subject(self._lattice, ALL_HOSTS, ControlOperation.INFO)
            await self._transport.publish(subject, encode(request), inbox)
            with anyio.move_on_after(within):
                await enough.wait()
        finally:
            with anyio.CancelScope(shield=True):
                await subscription.close()
        return sorted(found.values(), key=lambda info: (info.started_ns, info.id))

    async def actors(self, host: str) -> list[ActorStatus]:
        """Return every actor of `host` (an id), sorted by name."""
        found: list[ActorStatus] = []
        more = True
        while more:
            request = StatusRequest(found[-1].name if found else "")
            page = await self._ask(host, ControlOperation.STATUS, request, StatusPage)
            found.extend(page.actors)
            more = page.more and bool(page.actors)
        return found

    async def providers(self, host: str) -> list[ProviderStatus]:
        """Return every provider of `host` (an id), by application in the order of its manifest."""
        found: list[ProviderStatus] = []
        more = True
        while more:
            request = ProvidersRequest(len(found))
            page = await self._ask(host, ControlOperation.PROVIDERS, request, ProvidersReply)
            found.extend(page.providers)
            more = page.more and bool(page.providers)
        return found

    async def links(self, host: str) -> list[LinkStatus]:
        """Return every link of the actors of `host` (an id)."""
        found: list[LinkStatus] = []
        more = True
        while more:
            page = await self._ask(host, ControlOperation.LINKS, LinksRequest(len(found)), LinksReply)
            found.extend(page.links)
            more = page.more and bool(page.links)
        return found

    async def log(self, host: str, actor: str, count: int = 100) -> LogsReply:
        """Return the last `count` lines of `actor`; raises :class:`NoRoute` if `host` has none such."""
        return await self._ask(host, ControlOperation.LOGS, LogsRequest(actor, count), LogsReply)

    async def watch(self, host: str, actor: str, what: Watched, *, payloads: bool = False) -> WatchReply:
        """Have `host` publish `what` of `actor` for as long as the answer says.

        On the subject that :func:`~actorhost.wire.subject.watch_subject` names; ``payloads`` adds the
        first KiB of each message's, which may hold secrets. Raises :class:`NoRoute` if `host` has no
        such actor, and :class:`~actorhost.errors.Overloaded` when too many are watched there.
        """
        return await self._ask(host, ControlOperation.WATCH, WatchRequest(actor, what, payloads), WatchReply)

    async def deploy(
        self,
        host: str,
        request: DeployRequest,
        modules: Mapping[str, bytes],
        *,
        timeout: float = DEPLOY_TIMEOUT,
        progress: Progress = lambda _count: None,
    ) -> DeployReply:
        """Upload to `host` what it does not have of `modules` (by digest), then deploy there.

        `timeout` is in seconds, for each step. Raises what the host refused it with; see
        :meth:`Host.deploy <actorhost.host.host.Host.deploy>`.
        """
        for digest in sorted(set(request.modules.values())):
            await self._upload(host, digest, modules[digest], progress)
        return await self._ask(host, ControlOperation.DEPLOY, request, DeployReply, timeout)

    async def undeploy(self, host: str, application: str, *, timeout: float = DEPLOY_TIMEOUT) -> list[str]:
        """Stop `application` on `host` and return the actors that ran; `timeout` is in seconds.

        Raises :class:`~actorhost.errors.NoRoute` when it does not run there.
        """
        request = UndeployRequest(ActorName.parse(application))
        reply = await self._ask(host, ControlOperation.UNDEPLOY, request, UndeployReply, timeout)
        return list(reply.actors)

    async def _upload(self, host: str, digest: str, content: bytes, progress: Progress) -> None:
        offer = ModuleOffer(digest, len(content))
        state = await self._ask(host, ControlOperation.MODULE_OFFER, offer, ModuleProgress)
        progress(state.offset)
        part = min(MAX_CHUNK, self._transport.max_payload - _ENVELOPE)
        while not state.complete:
            before = state.offset
            chunk = ModuleChunk(digest, before, content[before : before + part])
            state = await self._ask(host, ControlOperation.MODULE_CHUNK, chunk, ModuleProgress)
            if state.offset <= before:
                raise ProtocolError(f"host {host} took nothing of module {digest} at offset {before}")
            progress(state.offset - before)

    async def _ask(
        self, host: str, operation: ControlOperation, request: Struct, kind: type[T], timeout: float = 0.0
    ) -> T:
        subject = control_subject(self._lattice, HostId.parse(host), operation)
        deadline = clock.monotonic() + (timeout or self._timeout)
        payload = messages.encode(request)
        return messages.decode(
            kind, await self._remote.request(subject, payload, deadline, whom=f"host {host}")
        )


def modules_by_digest(modules: Mapping[str, bytes]) -> tuple[dict[str, str], dict[str, bytes]]:
    """Return digest by path and bytes by digest of `modules`, which are bytes by path."""
    digests = {path: Digest.of(content) for path, content in modules.items()}
    return dict(digests), {digests[path]: content for path, content in modules.items()}


def _info_in(data: bytes, call: str) -> HostInfo | None:
    """Return what a host says of itself; None for what is no answer to `call`."""
    try:
        envelope = decode(data)
        if envelope.kind is not Kind.REPLY or envelope.id != call:
            return None
        return messages.decode(HostInfo, envelope.payload)
    except ActorhostError:
        return None
