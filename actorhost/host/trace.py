"""Follows the messages of one actor while somebody watches: how each ended, and what it called.

A :class:`Tracer` is put into the actor by :mod:`actorhost.host.watch` and taken out when the last
watcher has gone; an actor without one pays a single look for each message. Nothing here waits for a
watcher, and a fault in here is logged, never the message's. Messages that did not get into the
mailbox are not followed: the host counts them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, Final

from actorhost import clock
from actorhost.engine import HostCall
from actorhost.errors import ActorhostError, FaultCode
from actorhost.host.delivery import Delivery
from actorhost.host.log import printable
from actorhost.host.slot import Slot
from actorhost.host.watch_messages import LONGEST_NAME, SHOWN_CALLS, SHOWN_PAYLOAD, CapabilityCall, Handled
from actorhost.telemetry import log
from actorhost.telemetry.log import Log

_CANCELLED: Final = "cancelled"
_SHOWN_CALLERS: Final = 16

_log: Final = Log("actorhost.host")

Outcome = bytes | ActorhostError | None
"""The reply, the error, or None for a message that waited past its deadline."""


class Tracer:
    """Hands each message of an actor to `put` when it has ended; with its payload if `payloads`."""

    __slots__ = ("_put", "payloads")

    def __init__(self, put: Callable[[Handled], None]) -> None:
        self._put = put
        self.payloads = False

    async def follow(
        self,
        handle: Callable[[TracedSlot, Delivery], Awaitable[Outcome]],
        slot: Slot,
        delivery: Delivery,
    ) -> Outcome:
        """Return what `handle` does, which delivers the message to the slot it is given."""
        traced = TracedSlot(slot)
        try:
            result = await handle(traced, delivery)
        except asyncio.CancelledError:
            self._tell(traced, delivery, _CANCELLED, 0)
            raise
        if isinstance(result, bytes):
            self._tell(traced, delivery, "reply", len(result))
        else:
            self._tell(traced, delivery, FaultCode.TIMEOUT if result is None else result.code, 0)
        return result

    def _tell(self, traced: TracedSlot, delivery: Delivery, outcome: str, reply_size: int) -> None:
        try:
            self._put(self._handled(traced, delivery, outcome, reply_size))
        except Exception:  # noqa: BLE001 - a bug in here must not become the message's
            log.bug(_log, "bug while tracing", operation=delivery.operation)

    def _handled(self, traced: TracedSlot, delivery: Delivery, outcome: str, reply_size: int) -> Handled:
        now = clock.monotonic()
        began = traced.began or now
        return Handled(
            time_ns=clock.wall_ns(),
            operation=_name(delivery.operation),
            size=len(delivery.payload),
            outcome=str(outcome),
            reply_size=reply_size,
            waited_ms=_milliseconds(began - delivery.arrived),
            handled_ms=_milliseconds(now - began),
            callers=tuple(map(_name, delivery.chain[-_SHOWN_CALLERS:])),
            calls=tuple(traced.calls),
            more_calls=traced.more_calls,
            payload=delivery.payload[:SHOWN_PAYLOAD] if self.payloads else None,
        )


class TracedSlot:
    """Stands before `slot` for one message, and notes when it began and what the guest called.

    `began` is in seconds of the monotonic clock, 0 until then.
    """

    __slots__ = ("_slot", "began", "calls", "more_calls")

    def __init__(self, slot: Slot) -> None:
        self._slot = slot
        self.began = 0.0
        self.calls: list[CapabilityCall] = []
        self.more_calls = 0

    @property
    def lost(self) -> bool:
        """Whether the instance that should be alive is not."""
        return self._slot.lost

    def call(
        self, operation: str, payload: bytes, deadline: float, host_call: HostCall, *, fresh: bool
    ) -> Coroutine[Any, Any, bytes]:
        """Deliver the message, as :meth:`Slot.call` does."""

        async def noted(binding: str, namespace: str, operation: str, payload: bytes) -> bytes:
            began, outcome = clock.monotonic(), _CANCELLED
            try:
                reply = await host_call(binding, namespace, operation, payload)
                outcome = "reply"
            except ActorhostError as error:
                outcome = str(error.code)
                raise
            finally:
                self._note(namespace, operation, clock.monotonic() - began, outcome)
            return reply

        self.began = clock.monotonic()
        return self._slot.call(operation, payload, deadline, noted, fresh=fresh)

    def _note(self, target: str, operation: str, seconds: float, outcome: str) -> None:
        if len(self.calls) < SHOWN_CALLS:
            call = CapabilityCall(_name(target), _name(operation), _milliseconds(seconds), outcome)
            self.calls.append(call)
        else:
            self.more_calls += 1


def _name(text: str) -> str:
    return printable(text[:LONGEST_NAME])


def _milliseconds(seconds: float) -> float:
    return round(max(0.0, seconds) * 1000, 3)
