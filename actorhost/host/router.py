"""Takes messages to actors: from NATS subjects to mailboxes, and from one actor here to another.

The transport's callback only decodes and enqueues or refuses, and never waits. Each message with a
reply subject gets exactly one answer: from the runner that handled it, or from here when it was
refused. Owned by the host; an actor is reachable from :meth:`Router.attach` to :meth:`detach`.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable
from typing import Final

import anyio
import structlog

from actorhost import clock
from actorhost.capability import Caller
from actorhost.errors import ActorhostError, BadRequest, CallTimeout, Denied, TooLarge
from actorhost.host.actor import Actor
from actorhost.host.delivery import Answer, Delivery, LocalAnswer, no_answer
from actorhost.host.remote import GRACE, Remote
from actorhost.ids import ActorName, HostId, LatticeName
from actorhost.limits import Limits
from actorhost.transport import Subscription, Transport
from actorhost.wire.codec import decode, encode
from actorhost.wire.envelope import VERSION, Envelope, Kind
from actorhost.wire.fault import fault_of
from actorhost.wire.subject import operation_of, rpc_wildcard

_REFUSALS: Final = 65_536
"""Refusals waiting to be sent; beyond that callers learn of theirs by their own time-out."""

_log: Final = structlog.get_logger("actorhost.host")


class Router:
    """The actors of this host and how to reach all others."""

    def __init__(self, transport: Transport, lattice: LatticeName, host_id: HostId, limits: Limits) -> None:
        self.remote = Remote(transport, lattice, str(host_id))
        self.actors: dict[str, Actor] = {}
        self._transport = transport
        self._lattice = lattice
        self._source = str(host_id)  # the encoder takes plain text only
        self._limits = limits
        self._subscriptions: dict[str, Subscription] = {}
        self._send, self._receive = anyio.create_memory_object_stream[tuple[str, bytes]](_REFUSALS)
        self._all_sent = anyio.Event()
        self.refusals_dropped = 0

    async def run(self) -> None:
        """Send refusals until :meth:`stop`, or cancelled."""
        try:
            async with self._send, self._receive:
                async for reply_to, data in self._receive:
                    await self._publish(reply_to, data)
        finally:
            self._all_sent.set()

    async def stop(self) -> None:
        """Send the refusals that wait, within ``limits.stop_timeout``; later ones are dropped."""
        self._send.close()
        with anyio.move_on_after(self._limits.stop_timeout):
            await self._all_sent.wait()

    async def attach(self, actor: Actor) -> None:
        """Make `actor` reachable by its name, here and over the transport."""
        name = actor.spec.name
        self.actors[name] = actor
        handler = functools.partial(self._on_message, actor)
        subject = rpc_wildcard(self._lattice, name)
        self._subscriptions[name] = await self._transport.subscribe(subject, handler, queue=name)

    async def detach(self, names: Iterable[str]) -> None:
        """Make the actors of these names unreachable; those that are so already are passed over."""
        for name in names:
            self.actors.pop(name, None)
            subscription = self._subscriptions.pop(name, None)
            if subscription is not None:
                await subscription.close()

    async def ask(
        self, name: str, operation: str, payload: bytes, deadline: float, chain: tuple[str, ...] = ()
    ) -> bytes:
        """Return the reply of actor `name`, which may live here or elsewhere.

        `deadline` is in seconds of the monotonic clock; `chain` names the actors that called one
        another up to now, outermost first.
        """
        actor = self.actors.get(name)
        if actor is None:
            return await self.remote.ask(ActorName.parse(name), operation, payload, deadline, chain)
        answer = LocalAnswer()
        deadline = min(deadline, clock.monotonic() + actor.spec.timeout)
        actor.deliver(Delivery(operation, payload, deadline, chain, answer))
        return await answer.result(deadline + GRACE, lambda: _no_answer_in_time(name, operation))

    async def call_actor(self, caller: Caller, target: ActorName, operation: str, payload: bytes) -> bytes:
        """Return the reply to a call from one actor to another; the chain grows by the caller.

        Raises :class:`Denied` when the target is already in the chain (it would wait for itself)
        or the chain is as long as the limit allows.
        """
        chain = (*caller.chain, str(caller.actor))
        if target in chain:
            raise Denied(
                f"actor {caller.actor!r} called {target!r}, which is already waiting in {' > '.join(chain)}",
                hint="answer first, or send a message that needs no reply",
            )
        if len(chain) > self._limits.max_depth:
            raise Denied(
                f"the chain of calls is {len(chain)} actors deep: {' > '.join(chain)}",
                hint="ACTORHOST_MAX_DEPTH bounds it",
            )
        return await self.ask(target, operation, payload, caller.deadline, chain)

    def tell_local(self, name: str, operation: str, payload: bytes, deadline: float) -> bool:
        """Deliver a message without a reply if the actor lives here; false when it does not."""
        actor = self.actors.get(name)
        if actor is None:
            return False
        deadline = min(deadline, clock.monotonic() + actor.spec.timeout)
        actor.deliver(Delivery(operation, payload, deadline, (), no_answer))
        return True

    def _on_message(self, actor: Actor, subject: str, reply_to: str, data: bytes) -> None:
        """Decode and enqueue, or refuse; called by the transport for each message."""
        call_id = ""
        try:
            envelope = decode(data)
            call_id = envelope.id
            if envelope.kind is not Kind.ASK and envelope.kind is not Kind.TELL:
                raise BadRequest(f"an actor takes asks and tells, not kind {envelope.kind.name.lower()}")
            answer = self.answering(reply_to, call_id) if reply_to else no_answer
            deadline = _deadline(actor.spec.timeout, envelope.remaining_ms)
            delivery = Delivery(operation_of(subject), envelope.payload, deadline, envelope.chain, answer)
            actor.deliver(delivery)
        except ActorhostError as error:
            self.refuse(reply_to, call_id, error, f"actor {actor.spec.name}")

    def answering(self, reply_to: str, call_id: str) -> Answer:
        """Return what sends the answer to message `call_id`."""
        return functools.partial(self._reply, reply_to, call_id)

    async def _reply(self, reply_to: str, call_id: str, result: bytes | ActorhostError) -> None:
        if isinstance(result, bytes):
            data = encode(Envelope(VERSION, Kind.REPLY, call_id, result, self._source))
            try:
                await self._transport.publish(reply_to, data)
            except TooLarge as error:
                result = TooLarge(
                    f"the reply cannot travel: {error.message}; the work was done", hint=error.hint
                )
            except ActorhostError as error:
                _log.warning("answer not sent", reason=error.message)
        if not isinstance(result, bytes):
            await self._publish(reply_to, self._fault(call_id, result, ""))

    def _fault(self, call_id: str, error: ActorhostError, where: str) -> bytes:
        fault = fault_of(error, where)
        return encode(Envelope(VERSION, Kind.FAULT, call_id, b"", source=self._source, fault=fault))

    def refuse(self, reply_to: str, call_id: str, error: ActorhostError, where: str) -> None:
        """Answer a message with `error` without waiting; `where` names who refuses."""
        if not reply_to:
            _log.debug("message refused", where=where, code=str(error.code), reason=error.message)
            return
        try:
            self._send.send_nowait((reply_to, self._fault(call_id, error, where)))
        except (anyio.WouldBlock, anyio.ClosedResourceError, anyio.BrokenResourceError):
            self.refusals_dropped += 1

    async def _publish(self, subject: str, data: bytes) -> None:
        try:
            await self._transport.publish(subject, data)
        except ActorhostError as error:
            _log.warning("answer not sent", reason=error.message)


def _deadline(allowed: float, remaining_ms: int) -> float:
    """Return when the message must be handled: the actor's own time-out, or the caller's if sooner."""
    if remaining_ms:
        allowed = min(allowed, remaining_ms / 1000)
    return clock.monotonic() + allowed


def _no_answer_in_time(name: str, operation: str) -> CallTimeout:
    return CallTimeout(
        f"actor {name!r} did not answer {operation!r} before the deadline",
        hint="it may still be working on it; raise the timeout, or look at `actorhost ps`",
    )
