"""Calls to a provider in another process: bytes over NATS, and the links it was told of.

The part that is the same whoever started the process; subclasses find out who serves, and say so with
:meth:`RemoteProvider._serve_at` and :meth:`RemoteProvider._cut`. A call while nobody serves is refused
at once; one in flight when the process ends is over then, with what is known of its outcome.
"""

from __future__ import annotations

import asyncio
import os
from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from msgspec import Struct

from actorhost.capability.elsewhere import Elsewhere, told
from actorhost.capability.grants import Caller, ProviderGrant
from actorhost.clock import monotonic
from actorhost.contracts.base import Contract, Effect, Operation
from actorhost.contracts.provider import Link
from actorhost.errors import (
    ActorhostError,
    BadRequest,
    CallTimeout,
    OutcomeUnknown,
    ProtocolError,
    ProviderRefused,
    ServerUnavailable,
    Unavailable,
)
from actorhost.host.events import Events
from actorhost.host.provider.messages import (
    ActorCall,
    Introduction,
    Known,
    KnownAll,
    ProviderOperation,
    decode,
)
from actorhost.ids import HostId, LatticeName, new_call_id
from actorhost.limits import Limits
from actorhost.manifest import ProviderSpec
from actorhost.transport import Subscription, Transport
from actorhost.transport.waiting import WaitingRequests
from actorhost.wire import codec
from actorhost.wire.envelope import MAX_REMAINING_MS, VERSION, Envelope, Kind
from actorhost.wire.fault import error_of
from actorhost.wire.subject import ProviderBranch, provider_subject


@dataclass(frozen=True, slots=True, kw_only=True)
class Around:
    """What such a provider needs of its host; `offered` are classes that only the program knows.

    `hidden` are the secrets of the application.
    """

    transport: Transport
    lattice: LatticeName
    host: HostId
    limits: Limits
    events: Events
    nats: str
    hidden: tuple[str, ...]
    offered: Mapping[str, type]


@dataclass(slots=True)
class _Told:
    """A link with the token it calls with: the run that knows it, and whether it is `linked`."""

    token: str
    known_to: str = ""
    linked: bool = False


class RemoteProvider(Elsewhere):
    """Stands for the provider `spec`, of `contract`, in another process."""

    contract: Contract  # type: ignore[misc]  # of a class elsewhere, so each of these has its own

    def __init__(self, spec: ProviderSpec, config: Mapping[str, object], around: Around, where: str) -> None:
        super().__init__(config, f"provider {spec.name}, {where}")
        self.spec = spec
        self.pid = 0
        self._around = around
        self._instance = ""
        self._links: dict[Link, _Told] = {}
        self._by_token: dict[str, Link] = {}
        self._subjects: dict[str, str] = {}
        self._waiting: Final = WaitingRequests()
        self._inbox: Subscription | None = None
        self._source = str(around.host)

    @property
    @abstractmethod
    def state(self) -> str:
        """``running``, ``starting``, ``waiting`` before a restart, ``away`` or ``failed``."""

    @property
    @abstractmethod
    def restarts(self) -> int:
        """How often it was started again."""

    @property
    def links(self) -> int:
        """Links that may call it."""
        return len(self._links)

    async def forward(
        self, caller: Caller, grant: ProviderGrant, operation: Operation, payload: bytes
    ) -> bytes:
        """Return the reply of one operation; see :meth:`Elsewhere.forward`."""
        instance = self._instance
        if not instance:
            raise self._unavailable()
        link = self._links.get(grant.link)
        if link is None or link.known_to != instance:
            link = await self._introduce(grant.link, max(0.0, caller.deadline - monotonic()))
        call = new_call_id()
        data = await self._request(caller, grant, operation, payload, (call, link.token))
        try:
            answer = codec.decode(data)
        except ProtocolError as error:
            raise self._distrust(grant, operation, error.message) from None
        if answer.id != call or answer.kind not in (Kind.REPLY, Kind.FAULT):
            raise self._distrust(grant, operation, "it does not belong to the request")
        if answer.fault is not None:
            raise self.told_by(error_of(answer.fault), grant)
        return self.checked(caller, grant, operation, answer.payload)

    def malformed(self, grant: ProviderGrant, operation: Operation, why: str) -> ActorhostError:  # type: ignore[override]
        """Return what a call ends with whose answer is none, and have the process replaced."""
        self._misbehaved(f"malformed answer to {operation.name!r}: {why}")
        return super().malformed(grant, operation, why)

    async def linked(self, link: Link) -> None:
        """Tell the provider that the actor of `link` runs."""
        known = await self._introduce(link, self._around.limits.start_timeout)
        known.linked = True
        await self._ask(ProviderOperation.LINKED, Known(known.token), self._around.limits.start_timeout)

    async def unlinked(self, link: Link) -> None:
        """Tell the provider, if it is there, that the actor of `link` is about to stop."""
        known = self._links.get(link)
        if known is None or not known.linked:
            return
        known.linked = False
        if known.known_to == self._instance:
            await self._ask(ProviderOperation.UNLINKED, Known(known.token), self._around.limits.stop_timeout)

    async def call_actor(self, payload: bytes) -> bytes:
        """Return the reply to what the provider calls the actor of one of its links for."""
        wanted = decode(ActorCall, payload)
        link = self._by_token.get(wanted.token)
        if link is None:
            raise ProviderRefused(f"provider {self.spec.name!r} called an actor that is not linked to it")
        call = self.surroundings.call
        return await call(link, wanted.operation, wanted.payload, timeout=wanted.timeout)

    @abstractmethod
    async def _ask(self, operation: ProviderOperation, message: Struct, timeout: float) -> bytes:
        """Return what the process answers that serves, or is being brought up."""

    @abstractmethod
    def _misbehaved(self, why: str) -> None:
        """Take note that what serves now broke the rules."""

    @abstractmethod
    def _unavailable(self) -> Unavailable:
        """Return what a call is refused with while nobody serves."""

    def _introduction(self, token: str, link: Link) -> Introduction:
        return Introduction(
            token=token,
            actor=str(link.actor),
            contract=str(link.contract),
            name=str(link.name),
            config=dict(link.config),
            hidden=self._around.hidden,
        )

    async def _open(self) -> None:
        """Be ready for answers; raises what subscribing raises."""
        subject = f"{self._waiting.inbox}*"
        self._inbox = await self._around.transport.subscribe(subject, self._on_answer)

    async def _close(self) -> None:
        inbox, self._inbox = self._inbox, None
        if inbox is not None:
            await inbox.close()

    async def _tell_links(self, instance: str) -> None:
        """Tell the run `instance`, before it takes calls, of every link there was."""
        timeout = self._around.limits.start_timeout
        for link in list(self._links):
            await self._introduce(link, timeout, instance)
        linked = tuple(known.token for known in self._links.values() if known.linked)
        if linked:
            await self._ask(ProviderOperation.RELINKED, KnownAll(linked), timeout * len(linked))

    def _serve_at(self, instance: str) -> None:
        """Let calls go to the run `instance` from now on."""
        self._subjects = {}
        self._instance = instance

    def _cut(self) -> None:
        """Let calls go nowhere; those in flight are over."""
        self._instance = ""
        self.lose_calls()

    def lose_calls(self) -> None:
        """End the calls in flight: their answers will not come."""
        self._waiting.fail_all(lambda: OutcomeUnknown("its process ended, or the connection to it"))

    async def _introduce(self, link: Link, timeout: float, instance: str = "") -> _Told:
        instance = instance or self._instance
        known = self._links.get(link)
        if known is None:
            known = self._links[link] = _Told(os.urandom(16).hex())
            self._by_token[known.token] = link
        try:
            await self._ask(ProviderOperation.INTRODUCE, self._introduction(known.token, link), timeout)
        except (CallTimeout, OutcomeUnknown):
            raise self._unavailable() from None
        known.known_to = instance
        return known

    async def _request(
        self,
        caller: Caller,
        grant: ProviderGrant,
        operation: Operation,
        payload: bytes,
        names: tuple[str, str],
    ) -> bytes:
        """Return what answers the call; `names` are its id and the link's token."""
        transport, left = self._around.transport, caller.deadline - monotonic()
        if not transport.connected:
            raise ServerUnavailable("not connected to the NATS server; nothing was sent", where=self.where)
        envelope = Envelope(
            VERSION, Kind.ASK, names[0], payload, self._source,
            min(max(round(left * 1000), 1), MAX_REMAINING_MS), caller.chain, key=names[1],
        )  # fmt: skip
        request, subject = codec.encode(envelope), self._subject(operation.name)

        async def send(reply: str) -> None:
            await transport.publish(subject, request, reply)
            if len(self._waiting) == 1:  # with others, one write for all is quicker
                transport.write_now()

        try:
            return await self._waiting.ask(send, max(0.0, left), self.where)
        except asyncio.CancelledError:
            self._give_up(subject, names)
            raise
        except CallTimeout:
            self._give_up(subject, names)
            raise self.no_answer(grant, operation) from None
        except OutcomeUnknown as error:
            raise self._lost(grant, operation, error.message) from None
        except ActorhostError as error:
            error.where = self.where
            raise

    def _give_up(self, subject: str, names: tuple[str, str]) -> None:
        """Have the process end a call nobody waits for; where that cannot be told, its deadline does."""
        over = Envelope(VERSION, Kind.CANCEL, names[0], b"", self._source, key=names[1])
        self._around.transport.send_now(subject, codec.encode(over))

    def _lost(self, grant: ProviderGrant, operation: Operation, why: str) -> ActorhostError:
        """Return what a call ends with that was in flight when its process ended."""
        text = f"{told(grant, operation)}: no answer from provider {grant.provider!r}: {why}"
        if operation.effect is Effect.READ:
            return Unavailable(text, hint="call again: nothing was changed", where=self.where)
        return OutcomeUnknown(text, hint="it may have been done; look before calling again", where=self.where)

    def _distrust(self, grant: ProviderGrant, operation: Operation, why: str) -> ActorhostError:
        return self.malformed(grant, operation, why)

    def _subject(self, operation: str) -> str:
        subject = self._subjects.get(operation)
        if subject is None:
            lattice, name = self._around.lattice, self.spec.name
            subject = provider_subject(lattice, ProviderBranch.CALLS, name, self._instance, operation)
            self._subjects[operation] = subject
        return subject

    def _on_answer(self, subject: str, _reply: str, data: bytes) -> None:
        self._waiting.answer(subject[len(self._waiting.inbox) :], data)


def refusal_of(error: ActorhostError) -> ActorhostError:
    """Return what a provider refused to start or a link with, as it would have raised it here."""
    if isinstance(error, BadRequest):
        return ProviderRefused(error.message, hint=error.hint, where=error.where)
    return error
