"""Carries messages within one event loop, with the promises of any other transport.

A :class:`MemoryBus` stands for the server; transports on the same bus reach each other. Owned by
whoever calls :meth:`MemoryTransport.start`; nothing survives the process. Delivery is asynchronous
as on a network: a handler never runs inside the publish that caused it.
"""

from __future__ import annotations

import asyncio
import functools
import itertools
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from actorhost.errors import Closed, TooLarge
from actorhost.limits import MIB
from actorhost.transport.base import Handler, Subscription, TransportStatistics
from actorhost.transport.ending import EndingSubscription
from actorhost.transport.subjects import matches, require_pattern, require_queue, require_subject
from actorhost.transport.tally import Tally
from actorhost.transport.waiting import Result, WaitingRequests

_MAX_QUEUED: Final = 8192
"""Deliveries on their way; a publisher that finds more lets them happen first."""


@dataclass(frozen=True, slots=True, eq=False)
class Interest:
    """One subscription on a bus: `deliver` is called for what is published to `pattern`."""

    pattern: str
    queue: str
    deliver: Handler


class MemoryBus:
    """Takes messages to whoever subscribes, in order; `max_payload` is in bytes.

    Has no life of its own: it holds what its transports have open.
    """

    def __init__(self, *, max_payload: int = MIB) -> None:
        self.max_payload = max_payload
        self._interests: dict[Interest, None] = {}
        self._queued: deque[Callable[[], None]] = deque()
        self._turns = itertools.count()

    def join(self, interest: Interest) -> None:
        """Deliver to `interest` what is published from now on."""
        self._interests[interest] = None

    def leave(self, interest: Interest) -> None:
        """Deliver to `interest` only what is already on its way."""
        self._interests.pop(interest, None)

    def send(self, subject: str, reply: str, data: bytes) -> bool:
        """Queue one message for everybody who gets it; false when that is nobody."""
        chosen = self._choose(subject)
        for interest in chosen:
            self._enqueue(functools.partial(interest.deliver, subject, reply, data))
        return bool(chosen)

    def is_full(self) -> bool:
        """Whether a publisher should let deliveries happen first."""
        return len(self._queued) >= _MAX_QUEUED

    async def room(self) -> None:
        """Return when the queue can take more."""
        if self.is_full():
            await self.confirm()

    async def confirm(self) -> None:
        """Return when everything queued before has been delivered."""
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._enqueue(functools.partial(_finish, done))
        await done

    def _choose(self, subject: str) -> list[Interest]:
        """Return all who get a message on `subject`: of each queue group one, in turn."""
        chosen: list[Interest] = []
        groups: dict[str, list[Interest]] = {}
        for interest in self._interests:
            if matches(interest.pattern, subject):
                (groups.setdefault(interest.queue, []) if interest.queue else chosen).append(interest)
        return chosen + [members[next(self._turns) % len(members)] for members in groups.values()]

    def _enqueue(self, delivery: Callable[[], None]) -> None:
        if not self._queued:
            asyncio.get_running_loop().call_soon(self._deliver)
        self._queued.append(delivery)

    def _deliver(self) -> None:
        for _ in range(len(self._queued)):
            # Taken off only afterwards: an empty queue means that nothing is scheduled.
            self._queued[0]()
            self._queued.popleft()
        if self._queued:
            asyncio.get_running_loop().call_soon(self._deliver)


class MemoryTransport:
    """A connection to `bus`."""

    def __init__(self, bus: MemoryBus) -> None:
        self._bus = bus
        self._open = False
        self._closed = False
        self._requests = WaitingRequests()
        self._tally = Tally()
        self._interests: set[Interest] = set()
        self._inbox = Interest(f"{self._requests.inbox}*", "", self._on_inbox)

    @property
    def max_payload(self) -> int:
        """Bytes that one message may carry."""
        return self._bus.max_payload

    @property
    def connected(self) -> bool:
        """Whether it has joined the bus."""
        return self._open

    async def start(self) -> None:
        """Join the bus."""
        if self._open or self._closed:
            raise Closed(f"this transport was {'closed' if self._closed else 'started'} before")
        self._open = True
        self._bus.join(self._inbox)

    async def close(self) -> None:
        """Deliver what is on its way and leave the bus for good."""
        self._closed = True
        if not self._open:
            return
        self._open = False
        for interest in (self._inbox, *self._interests):
            self._bus.leave(interest)
        self._interests.clear()
        self._tally.subscriptions = 0
        try:
            await self._bus.confirm()
        finally:
            self._requests.fail_all(_closed)

    def send_now(self, subject: str, data: bytes) -> bool:
        """Send `data` without waiting; false, with nothing sent, when it would have to wait or raise."""
        if not self._open or len(data) > self.max_payload or self._bus.is_full():
            return False
        self._bus.send(subject, "", data)
        self._tally.published += 1
        self._tally.published_bytes += len(data)
        return True

    async def publish(self, subject: str, data: bytes, reply: str = "") -> None:
        """Send `data`; see :meth:`Transport.publish <actorhost.transport.base.Transport.publish>`."""
        if reply:
            require_subject(reply)
        await self._send(subject, data, reply)

    def write_now(self) -> None:
        """Do nothing: deliveries wait for nobody."""

    async def request(self, subject: str, data: bytes, timeout: float) -> bytes:
        """Send `data` and return the first answer; `timeout` is in seconds."""

        async def send(reply: str) -> None:
            if not await self._send(subject, data, reply):
                self._requests.refuse(self._token(reply))

        return await self._requests.ask(send, timeout, subject)

    async def request_all(self, messages: Sequence[tuple[str, bytes]], timeout: float) -> list[Result]:
        """Send all `messages` and return the answer to each, or why there is none."""

        async def send(index: int, reply: str) -> None:
            subject, data = messages[index]
            if not await self._send(subject, data, reply):
                self._requests.refuse(self._token(reply))

        return await self._requests.ask_all(send, [subject for subject, _ in messages], timeout)

    async def subscribe(self, subject: str, handler: Handler, queue: str = "") -> Subscription:
        """Call `handler` for each message on `subject`, or for its share within `queue`."""
        require_pattern(subject)
        require_queue(queue)
        self._require_open()
        interest = Interest(subject, queue, functools.partial(self._tally.deliver, handler))
        self._bus.join(interest)
        self._interests.add(interest)
        self._tally.subscriptions += 1
        return EndingSubscription(functools.partial(self._unsubscribe, interest))

    async def flush(self, timeout: float) -> None:  # noqa: ARG002 - a bus in memory is never slow
        """Return when everything published before has been delivered."""
        self._require_open()
        await self._bus.confirm()

    def statistics(self) -> TransportStatistics:
        """Return the counts now."""
        return self._tally.statistics(connected=self._open, waiting=len(self._requests), unsent_bytes=0)

    async def _send(self, subject: str, data: bytes, reply: str) -> bool:
        require_subject(subject)
        self._require_open()
        if len(data) > self.max_payload:
            raise TooLarge(
                f"a message of {len(data)} bytes to {subject} does not fit the bus's limit of"
                f" {self.max_payload} bytes",
                hint="send it in parts",
            )
        await self._bus.room()
        self._tally.published += 1
        self._tally.published_bytes += len(data)
        return self._bus.send(subject, reply, data)

    async def _unsubscribe(self, interest: Interest) -> None:
        if interest in self._interests:
            self._interests.discard(interest)
            self._tally.subscriptions -= 1
            self._bus.leave(interest)
            await self._bus.confirm()

    def _on_inbox(self, subject: str, _reply: str, data: bytes) -> None:
        self._requests.answer(self._token(subject), data)

    def _token(self, subject: str) -> str:
        return subject[len(self._requests.inbox) :]

    def _require_open(self) -> None:
        if not self._open:
            raise _closed()


def _closed() -> Closed:
    return Closed("this transport is not open", hint="start it first; a closed one stays closed")


def _finish(done: asyncio.Future[None]) -> None:
    if not done.done():
        done.set_result(None)
