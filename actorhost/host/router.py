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
from anyio.streams.memory import MemoryObjectSendStream

from actorhost import clock
from actorhost.capability import Caller
from actorhost.errors import ActorhostError, BadRequest, CallTimeout, Denied, NoRoute, Overloaded, TooLarge
from actorhost.host.actor import Actor
from actorhost.host.dead import DeadLetters
from actorhost.host.dead_letter import DeadLetterBox
from actorhost.host.deadlines import Deadlines
from actorhost.host.delivery import OVERHEAD, Answer, Delivery, LocalAnswer, no_answer
from actorhost.host.events import Events
from actorhost.host.ingest import Ingest
from actorhost.host.intake import Intake, Interest
from actorhost.host.rate import watch
from actorhost.host.remote import GRACE, Remote
from actorhost.host.stall import Pulse
from actorhost.host.watch import Watches
from actorhost.ids import ActorName, HostId, LatticeName
from actorhost.limits import Limits
from actorhost.mailbox import Budget
from actorhost.telemetry.log import Log
from actorhost.transport import Transport
from actorhost.wire.codec import Template, decode, encode
from actorhost.wire.envelope import VERSION, Envelope, Kind
from actorhost.wire.fault import fault_of
from actorhost.wire.subject import ingest_queue, operation_of

_REFUSALS: Final = 65_536
"""Refusals waiting to be sent; beyond that callers learn of theirs by their own time-out."""

_log: Final = Log("actorhost.host")


class Router:
    """The actors of this host and how to reach all others."""

    def __init__(
        self, transport: Transport, lattice: LatticeName, host_id: HostId, limits: Limits, events: Events
    ) -> None:
        self.remote = Remote(transport, lattice, str(host_id))
        self.actors: dict[str, Actor] = {}
        self.budget = Budget(max_count=limits.host_mailbox_count, max_bytes=limits.host_mailbox_bytes)
        self.intake = Intake(transport, lattice, self.budget, events)
        self.pulse = Pulse(transport, events, timeout=limits.bus_timeout)
        box = DeadLetterBox(transport, lattice, timeout=limits.bus_timeout)
        self.dead = DeadLetters(box, str(host_id), events)
        self.watches = Watches(transport, lattice, str(host_id), self.actors)
        self._transport = transport
        self._lattice = lattice
        self._source = str(host_id)  # the encoder takes plain text only
        self._limits = limits
        self._refusals: MemoryObjectSendStream[tuple[str, bytes]] | None = None
        self._all_sent = anyio.Event()
        self._deadlines = Deadlines()
        self.refusals_dropped = 0

    async def run(self) -> None:
        """Send refusals, keep dead letters and look after intake until :meth:`stop`, or cancelled."""
        async with anyio.create_task_group() as tasks:
            for part in (self.intake.run, self.pulse.run, self.dead.run, self.watches.run):
                tasks.start_soon(part)
            tasks.start_soon(watch, self.actors.values)
            await self._send_refusals()
            tasks.cancel_scope.cancel()

    async def stop(self) -> None:
        """Send the refusals and keep the dead letters that wait, within ``limits.stop_timeout``."""
        with anyio.move_on_after(self._limits.stop_timeout):
            await self.dead.stop(self._limits.stop_timeout)
        if self._refusals is not None:
            self._refusals.close()
        with anyio.move_on_after(self._limits.stop_timeout):
            await self._all_sent.wait()

    async def _send_refusals(self) -> None:
        send, receive = anyio.create_memory_object_stream[tuple[str, bytes]](_REFUSALS)
        self._refusals = send
        try:
            async with send, receive:
                async for reply_to, data in receive:
                    await self._publish(reply_to, data)
        finally:
            self._all_sent.set()

    async def attach(self, actor: Actor) -> None:
        """Make `actor` reachable by its name, here and over the transport."""
        name = actor.spec.name
        self.actors[name] = actor
        self.watches.attach(name)
        interests = (
            Interest(
                spec.subject,
                ingest_queue(self._lattice, name, spec.subject),
                Ingest(actor, spec, self).on_message,
            )
            for spec in actor.spec.ingests
        )
        await self.intake.attach(actor, functools.partial(self._on_message, actor), *interests)

    async def detach(self, names: Iterable[str]) -> None:
        """Make the actors of these names unreachable; those that are so already are passed over."""
        names = list(names)
        await self.intake.detach(names)
        for name in names:
            self.actors.pop(name, None)

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
        if not actor.has_room() and self.intake.covered(name):
            return await self.remote.ask(ActorName.parse(name), operation, payload, deadline, chain)
        answer = LocalAnswer()
        deadline = min(deadline, clock.monotonic() + actor.spec.timeout)
        actor.deliver(Delivery(operation, payload, deadline, chain, answer))
        return await answer.result(
            self._deadlines, deadline + GRACE, lambda: _no_answer_in_time(name, operation)
        )

    async def serve(
        self, name: str, operation: str, payload: bytes, timeout: float, *, fresh: bool = False
    ) -> bytes:
        """Return the reply of actor `name`, which lives here, to what a provider calls it for.

        `timeout` is in seconds; a `fresh` call gets a sandbox of its own. Raises :class:`NoRoute` when
        there is no such actor, :class:`Overloaded` when its mailbox is full, and how the call ended.
        """
        actor = self.actors.get(name)
        if actor is None:
            raise NoRoute(f"no actor {name!r} on this host")
        answer, now = LocalAnswer(), clock.monotonic()
        deadline = now + min(timeout, actor.spec.timeout)
        actor.deliver(Delivery(operation, payload, deadline, (), answer, now, fresh))
        return await answer.result(
            self._deadlines, deadline + GRACE, lambda: _no_answer_in_time(name, operation)
        )

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

    def tell_local(self, name: str, operation: str, payload: bytes) -> bool:
        """Deliver a message without a reply if the actor lives here; false when it does not."""
        actor = self.actors.get(name)
        if actor is None:
            return False
        deadline = clock.monotonic() + actor.spec.timeout
        actor.deliver(Delivery(operation, payload, deadline, (), no_answer))
        return True

    def _on_message(self, actor: Actor, subject: str, reply_to: str, data: bytes) -> None:
        """Decode and enqueue, or refuse; called by the transport for each message."""
        call_id, payload = "", data
        try:
            envelope = decode(data)
            call_id, payload = envelope.id, envelope.payload
            if envelope.kind is not Kind.ASK and envelope.kind is not Kind.TELL:
                raise BadRequest(f"an actor takes asks and tells, not kind {envelope.kind.name.lower()}")
            operation = operation_of(subject)
        except ActorhostError as error:
            self._turn_away(actor, subject, reply_to, call_id, payload, error)
            return
        # Looked at first: under overload most messages end here, and should cost little.
        size = len(payload) + OVERHEAD
        refusal = actor.refusal(size)
        if refusal is not None:
            self.intake.trouble(actor.spec.name)
            self._turn_away(actor, subject, reply_to, call_id, payload, refusal)
            return
        answer = self.answering(reply_to, call_id) if reply_to else no_answer
        deadline = self._deadline(actor.spec.timeout, envelope.remaining_ms)
        actor.take(Delivery(operation, payload, deadline, envelope.chain, answer), size)

    def _turn_away(
        self, actor: Actor, subject: str, reply_to: str, call_id: str, payload: bytes, error: ActorhostError
    ) -> None:
        """Answer a message that is not taken, or keep it if nobody waits for an answer."""
        name = actor.spec.name
        if reply_to:
            self.refuse(reply_to, call_id, error, f"actor {name}")
        else:
            self.keep(actor, _operation_in(subject), payload, error, subject)

    def offer(self, actor: Actor, operation: str, payload: bytes, answer: Answer) -> ActorhostError | None:
        """Put a message without an envelope into the mailbox of `actor`.

        Returns why it is refused, which is counted; None when it is not.
        """
        size = len(payload) + OVERHEAD
        refusal = actor.refusal(size)
        if refusal is None:
            actor.take(Delivery(operation, payload, self._deadline(actor.spec.timeout, 0), (), answer), size)
        else:
            self.intake.trouble(actor.spec.name)
        return refusal

    def keep(self, actor: Actor, operation: str, payload: bytes, error: ActorhostError, source: str) -> None:
        """Keep a message from subject `source` that `actor` did not take as a dead letter."""
        actor.counts.dead += 1
        self.dead.put(actor.spec.name, operation, payload, error, source)

    def _deadline(self, allowed: float, remaining_ms: int) -> float:
        """Return when a message must be handled: the actor's own time-out, or the caller's if sooner."""
        now = clock.monotonic()
        if remaining_ms:
            allowed = min(allowed, remaining_ms / 1000)
        return now + allowed - self.pulse.age(now)

    def give_up(self, name: str, delivery: Delivery, error: ActorhostError) -> None:
        """Keep a message that nobody waits for as a dead letter of actor `name`."""
        self.dead.put(name, delivery.operation, delivery.payload, error)

    def answering(self, reply_to: str, call_id: str) -> Answer:
        """Return what sends the answer to message `call_id`."""
        return functools.partial(self._reply, reply_to, call_id)

    def answering_plainly(self, reply_to: str) -> Answer:
        """Return what answers a message that came without an envelope: the reply goes without, too."""
        return functools.partial(self._reply_plainly, reply_to)

    async def _reply_plainly(self, reply_to: str, result: bytes | ActorhostError) -> None:
        error = await self._sent(reply_to, result) if isinstance(result, bytes) else result
        if error is not None:
            await self._publish(reply_to, self._fault("", error, ""))

    async def _reply(self, reply_to: str, call_id: str, result: bytes | ActorhostError) -> None:
        error: ActorhostError | None = None
        if isinstance(result, bytes):
            data = encode(Envelope(VERSION, Kind.REPLY, call_id, result, self._source))
            error = await self._sent(reply_to, data)
        else:
            error = result
        if error is not None:
            await self._publish(reply_to, self._fault(call_id, error, ""))

    async def _sent(self, reply_to: str, data: bytes) -> ActorhostError | None:
        """Send a reply; return what to say instead when it cannot travel."""
        try:
            await self._transport.publish(reply_to, data)
        except TooLarge as error:
            return TooLarge(f"the reply cannot travel: {error.message}; the work was done", hint=error.hint)
        except ActorhostError as error:
            _log.warning("answer not sent", reason=error.message)
        return None

    def _fault(self, call_id: str, error: ActorhostError, where: str) -> bytes:
        fault = fault_of(error, where)
        return encode(Envelope(VERSION, Kind.FAULT, call_id, b"", source=self._source, fault=fault))

    def refuse(self, reply_to: str, call_id: str, error: ActorhostError, where: str) -> None:
        """Answer a message with `error` without waiting; `where` names who refuses."""
        if isinstance(error, Overloaded):
            fault = _overloaded(self._source, error.message, error.hint, where).encode(call_id)
        else:
            fault = self._fault(call_id, error, where)
        if self._transport.send_now(reply_to, fault):
            return
        try:
            if self._refusals is None:
                raise anyio.ClosedResourceError
            self._refusals.send_nowait((reply_to, fault))
        except (anyio.WouldBlock, anyio.ClosedResourceError, anyio.BrokenResourceError):
            self.refusals_dropped += 1

    async def _publish(self, subject: str, data: bytes) -> None:
        try:
            await self._transport.publish(subject, data)
        except ActorhostError as error:
            _log.warning("answer not sent", reason=error.message)


@functools.lru_cache(maxsize=256)
def _overloaded(source: str, message: str, hint: str, where: str) -> Template:
    """Return what says that `where` on host `source` is overloaded; it is said by the thousand."""
    fault = fault_of(Overloaded(message, hint=hint), where)
    return Template(Envelope(VERSION, Kind.FAULT, "", b"", source=source, fault=fault))


def _operation_in(subject: str) -> str:
    """Return the operation `subject` names, or as much as can be said of it."""
    try:
        return operation_of(subject)
    except ActorhostError:
        return subject.rpartition(".")[2]


def _no_answer_in_time(name: str, operation: str) -> CallTimeout:
    return CallTimeout(
        f"actor {name!r} did not answer {operation!r} before the deadline",
        hint="it may still be working on it; raise the timeout, or look at `actorhost ps`",
    )
