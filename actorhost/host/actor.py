"""A deployed actor: its mailbox and the runners whose instances pull from it.

Owned by a deployment; lives from :meth:`Actor.run` until :meth:`Actor.stop`. An instance that ends
is replaced by its slot as supervision permits; the mailbox and what waits in it survive that. When
the actor stops, what is left in the mailbox is answered with a fault.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Final

import anyio
from anyio.abc import TaskStatus

from actorhost import clock
from actorhost.capability import Caller, Grants
from actorhost.engine import InstanceOptions, Module, Usage
from actorhost.errors import ActorhostError, CallTimeout, Closed, DeadlineExceeded, InternalError
from actorhost.host.delivery import OVERHEAD, Delivery, no_answer
from actorhost.host.log import ActorLog
from actorhost.host.rate import Rate
from actorhost.host.services import Services
from actorhost.host.slot import Slot
from actorhost.host.supervision import Supervision
from actorhost.host.trace import TracedSlot, Tracer
from actorhost.mailbox import Mailbox, MailboxStatistics
from actorhost.manifest import ActorSpec
from actorhost.telemetry import log
from actorhost.telemetry.histogram import Durations
from actorhost.telemetry.log import Log

_OWN_TIME: Final = 0.9
"""Share of its own time-out that the actor must have had for a message, or its deadline does not count."""
_TURN: Final = 128
"""Messages a runner handles before it lets the event loop look at other things: 2 ms of short ones.

Replies leave in batches of this size; at 32 the server and the host spend a third more on each.
"""

SHORT: Final = 0.001
"""Seconds in the mailbox that are not counted as waiting."""

_LOOK: Final = 0.01
"""Seconds between looks at whether a stopping actor is done."""

_log: Final = Log("actorhost.host")


@dataclass(slots=True)
class Counts:
    """How the messages of one actor ended: replies, faults by code, dropped before they ran, refused.

    `dead` are those of the refused and the faulted that became dead letters. `ingested` came from
    subjects of ingest traits into the mailbox, `malformed` did not; they are dead letters, too.
    """

    replied: int = 0
    expired: int = 0
    refused: int = 0
    dead: int = 0
    ingested: int = 0
    malformed: int = 0
    faults: dict[str, int] | None = None

    def fault(self, code: str) -> None:
        """Count one fault."""
        faults = self.faults
        if faults is None:
            faults = self.faults = {}
        faults[code] = faults.get(code, 0) + 1


class Actor:
    """One actor of this host."""

    def __init__(self, spec: ActorSpec, module: Module, grants: Grants, services: Services) -> None:
        limits = services.limits
        self.spec = spec
        self.module = module
        self.log = ActorLog(spec.name)
        self.counts = Counts()
        self.durations = Durations()
        self.waits = Durations()
        self.rate = Rate()
        self.tracer: Tracer | None = None
        self.supervision = Supervision(spec.name, spec.restarts, services.events)
        self._broker = services.broker
        self.grants = grants
        self._mailbox: Mailbox[Delivery] = Mailbox(
            spec.name, max_count=spec.mailbox_count, max_bytes=spec.mailbox_bytes, budget=services.budget
        )
        self._give_up = services.give_up
        self.usage = Usage()
        options = InstanceOptions(
            memory=spec.memory,
            max_message=spec.max_message,
            table_elements=limits.table_elements,
            start_timeout=limits.start_timeout,
            weight=spec.weight,
            environment=spec.env,
            log=self.log.write,
            host_call=self._start_call,
            usage=self.usage,
        )
        self._start_timeout = limits.start_timeout
        self._scope = anyio.CancelScope()
        self._ended = anyio.Event()
        self._slots = [Slot(services.engine, module, options, spec.policy) for _ in range(spec.instances)]

    @property
    def memory(self) -> int:
        """Bytes of linear memory that its instances have now."""
        return sum(slot.memory for slot in self._slots)

    @property
    def instances_made(self) -> int:
        """Sandboxes made since deployment; more than the instances means some were replaced."""
        return sum(slot.made for slot in self._slots)

    def mailbox_statistics(self) -> MailboxStatistics:
        """Return what waits now and what was refused."""
        return self._mailbox.statistics()

    def deliver(self, delivery: Delivery) -> None:
        """Put `delivery` into the mailbox, or raise at once what :meth:`refusal` returns."""
        size = len(delivery.payload) + OVERHEAD
        refusal = self.refusal(size)
        if refusal is not None:
            try:
                raise refusal
            finally:
                del refusal  # its traceback holds this frame
        self._mailbox.add(delivery, size)

    def refusal(self, size: int) -> ActorhostError | None:
        """Return why a message of `size` bytes cannot be taken now, and count it; None when it can.

        :class:`Overloaded` when there is no room, :class:`Unavailable` while supervision holds the
        actor back, :class:`Closed` when it stops.
        """
        supervision = self.supervision
        if supervision.until and supervision.holds():
            error: ActorhostError = supervision.refusal()
        else:
            full = self._mailbox.refusal(size)
            if full is None:
                return None
            error = full
        self.counts.refused += 1
        self.counts.fault(error.code)
        return error

    def take(self, delivery: Delivery, size: int) -> None:
        """Put `delivery` into the mailbox, as :meth:`refusal` has just let in one of `size` bytes."""
        self._mailbox.add(delivery, size)

    def has_room(self) -> bool:
        """Whether it could take more than now: it runs, and its mailbox is at most half full."""
        if self.supervision.until and self.supervision.holds():
            return False
        return self._mailbox.is_empty() or not self._mailbox.fuller_than(0.5)

    def refuses(self) -> bool:
        """Whether it takes no messages now, or hardly any."""
        return self.supervision.holds() or self._mailbox.fuller_than(0.95)

    async def drained(self) -> None:
        """Return when nothing waits and nothing is in hand; the caller bounds the wait."""
        # Each message that came in is counted once more when it has been answered.
        while self._mailbox.statistics().accepted > self.durations.count:  # noqa: ASYNC110 - nothing tells
            await anyio.sleep(_LOOK)

    async def run(self, *, task_status: TaskStatus[None] = anyio.TASK_STATUS_IGNORED) -> None:
        """Fill the instances, report started, and handle messages until stopped or cancelled."""
        try:
            with self._scope:
                for slot in self._slots:
                    await slot.fill()
                async with anyio.create_task_group() as runners:
                    for slot in self._slots:
                        runners.start_soon(self._handle_all, slot)
                    task_status.started()
        finally:
            with anyio.CancelScope(shield=True):
                for delivery in self._mailbox.close():
                    await self._end(delivery, self._stopped())
            for slot in self._slots:
                slot.close()
            self._ended.set()

    async def stop(self) -> None:
        """End :meth:`run` and wait for it; messages in hand and in the mailbox get a fault."""
        self._scope.cancel()
        await self._ended.wait()

    async def _handle_all(self, slot: Slot) -> None:
        while True:
            for _ in range(_TURN):
                await self._handle(slot, await self._mailbox.get())
            await anyio.lowlevel.checkpoint()

    async def _handle(self, slot: Slot, delivery: Delivery) -> None:
        try:
            if self.tracer is None:
                result = await self._outcome(slot, delivery)
            else:
                result = await self.tracer.follow(self._outcome, slot, delivery)
        except anyio.get_cancelled_exc_class():
            with anyio.CancelScope(shield=True):
                await self._end(delivery, self._stopped(outcome_known=False))
            raise
        try:
            if isinstance(result, bytes):
                self.counts.replied += 1
                await delivery.answer(result)
            elif result is None:
                error = self._expired()
                self.counts.fault(error.code)
                await delivery.answer(error)
            else:
                await self._end(delivery, result)
        except Exception:  # noqa: BLE001 - a bug in one answer must not end the actor's runner
            log.bug(_log, "bug while answering", actor=self.spec.name, operation=delivery.operation)
        self.durations.add(clock.monotonic() - delivery.arrived)

    async def _end(self, delivery: Delivery, error: ActorhostError) -> None:
        """Answer a message with `error`, or keep it when nobody waits for an answer."""
        self.counts.fault(error.code)
        if delivery.answer is no_answer:
            self.counts.dead += 1
            self._give_up(self.spec.name, delivery, error)
        else:
            await delivery.answer(error)

    async def _outcome(self, slot: Slot | TracedSlot, delivery: Delivery) -> bytes | ActorhostError | None:
        """Return the reply to `delivery`, or the error it ended with, None if it expired; never raises."""
        supervision, now = self.supervision, 0.0
        try:
            if supervision.until:
                await supervision.permit()
            now = clock.monotonic()
            if now - delivery.arrived >= SHORT:
                self.waits.add(now - delivery.arrived)
            if now >= delivery.deadline:
                return None
            host_call = functools.partial(self._call_out, delivery.deadline, delivery.chain)
            return await slot.call(
                delivery.operation, delivery.payload, delivery.deadline, host_call, fresh=delivery.fresh
            )
        except ActorhostError as error:
            if slot.lost and not supervision.holds():
                supervision.ended(error, counts=self._at_fault(error, delivery.deadline - now))
            error.where = error.where or f"actor {self.spec.name}"
            return error
        except Exception:  # noqa: BLE001 - a bug in one message must not end the actor's runner
            log.bug(_log, "bug while handling a message", actor=self.spec.name, operation=delivery.operation)
            return InternalError("unexpected error; see the host's log", where=f"actor {self.spec.name}")

    def _at_fault(self, error: ActorhostError, allowed: float) -> bool:
        """Whether it was the actor that ended its instance in the `allowed` seconds for a message.

        Callers in a hurry, a long wait in the mailbox and a capability that hangs are not its doing.
        """
        if isinstance(error, DeadlineExceeded):
            return not error.waiting and allowed >= _OWN_TIME * self.spec.timeout
        return True

    async def _start_call(self, binding: str, namespace: str, operation: str, payload: bytes) -> bytes:
        """Serve a capability call of a start function, which belongs to no message."""
        deadline = clock.monotonic() + self._start_timeout
        return await self._call_out(deadline, (), binding, namespace, operation, payload)

    async def _call_out(
        self,
        deadline: float,
        chain: tuple[str, ...],
        binding: str,
        namespace: str,
        operation: str,
        payload: bytes,
    ) -> bytes:
        """Serve a capability call made while handling a message with that deadline and chain."""
        caller = Caller(self.spec.name, self.grants, deadline, chain, self.spec.max_message)
        return await self._broker.call(caller, binding, namespace, operation, payload)

    def _stopped(self, *, outcome_known: bool = True) -> Closed:
        error = Closed(f"actor {self.spec.name!r} was stopped", where=f"actor {self.spec.name}")
        error.outcome_known = outcome_known
        return error

    def _expired(self) -> CallTimeout:
        self.counts.expired += 1
        error = CallTimeout(
            f"the message waited in the mailbox of actor {self.spec.name!r} until its deadline",
            hint="the actor is busy: retry later, or give it more instances",
            where=f"actor {self.spec.name}",
        )
        error.outcome_known = True
        return error
