"""Carries messages over a NATS server: the promises of a transport on top of nats-py.

Owned by whoever calls :meth:`NatsTransport.start`; ends with :meth:`NatsTransport.close`. A lost
connection is replaced for ever, subscriptions included; publishes wait meanwhile in a bounded
outbox, requests are refused, and those in flight end at once.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
from collections.abc import Callable, Mapping, Sequence
from typing import Final

import nats.errors
from nats.aio.subscription import Subscription as InnerSubscription

from actorhost import clock
from actorhost import limits as limits_module
from actorhost.errors import (
    CallTimeout,
    Closed,
    OutcomeUnknown,
    Overloaded,
    ServerUnavailable,
    TooLarge,
)
from actorhost.limits import MIB, Limits
from actorhost.telemetry.log import Log
from actorhost.transport.base import Handler, Subscription, TransportStatistics
from actorhost.transport.ending import EndingSubscription
from actorhost.transport.nats.connect import connect, parse_servers, without_password
from actorhost.transport.nats.connection import Connection, Events
from actorhost.transport.nats.guard import Guard
from actorhost.transport.subjects import require_pattern, require_queue, require_subject
from actorhost.transport.tally import Tally
from actorhost.transport.waiting import Result, WaitingRequests

_STATUS: Final = b"NATS/1.0 "
"""How the headers of a word from the server itself begin; a message's own go on with a line end."""
_NO_RESPONDERS: Final = b"NATS/1.0 503"

_PROOF: Final = 1.0
"""Seconds in which a connection that is back must carry a message to ourselves."""

_log: Final = Log("actorhost.transport")


class NatsTransport:
    """A connection to the NATS server at `url`, or to one of several, separated by commas.

    `name` is shown by the server's monitoring. Limits not given come from the environment. `changed`
    is called with false when the connection breaks, perhaps again and again, and with true when it is back.
    `guarded` has a process beside this one cut the connection when this one stands still for 2 s.
    """

    def __init__(
        self,
        url: str,
        *,
        name: str,
        limits: Limits | None = None,
        guarded: bool = False,
        changed: Callable[[bool], None] = lambda _connected: None,
    ) -> None:
        self._servers = parse_servers(url)
        self._shown = ", ".join(without_password(server) for server in self._servers)
        self._name = name
        self._changed = changed
        self._limits = limits or limits_module.load()
        self._guard = Guard() if guarded else None
        self._connection: Connection | None = None
        self._closed = False
        self._told_away = False
        self._requests = WaitingRequests()
        self._tally = Tally()

    @property
    def max_payload(self) -> int:
        """Bytes that one message may carry, as the server said; NATS's default before it did."""
        return MIB if self._connection is None else self._connection.max_payload

    @property
    def connected(self) -> bool:
        """Whether there is a connection now."""
        return self._connection is not None and self._connection.is_connected

    async def start(self) -> None:
        """Connect; raises :class:`ServerUnavailable` when each server refused, or it took too long."""
        if self._closed or self._connection is not None:
            raise Closed(
                f"the connection to {self._shown} was {'closed' if self._closed else 'started'} before"
            )
        if self._guard is not None:
            await self._guard.start()
        try:
            self._connection = await self._connect()
        finally:
            if self._connection is None and self._guard is not None:
                await self._guard.close()

    async def _connect(self) -> Connection:
        until = clock.monotonic() + self._limits.connect_timeout
        events = Events(self._on_lost, self._on_restored, self._on_error)
        connection = Connection(events, self._guard)
        await connect(connection, self._servers, name=self._name, timeout=self._limits.connect_timeout)
        try:
            connection.expect_answers(self._requests.inbox)
            await connection.listen(f"{self._requests.inbox}*", "", self._on_inbox)
            # Proves the whole way, out and back: permissions may close either.
            await self._confirm(connection, max(0.01, until - clock.monotonic()))
        except BaseException:
            await connection.shut()
            raise
        return connection

    async def close(self) -> None:
        """Send what is waiting, within ``limits.bus_timeout``, and disconnect for good."""
        self._closed = True
        connection, self._connection = self._connection, None
        if connection is None:
            return
        try:
            with contextlib.suppress(ServerUnavailable):
                await self._confirm(connection, self._limits.bus_timeout)
        finally:
            self._requests.fail_all(self._closed_error)
            self._tally.subscriptions = 0
            try:
                await connection.shut()
            finally:
                if self._guard is not None:
                    await self._guard.close()

    async def publish(
        self, subject: str, data: bytes, reply: str = "", *, headers: Mapping[str, str] | None = None
    ) -> None:
        """Send `data`; see :meth:`Transport.publish <actorhost.transport.base.Transport.publish>`.

        `headers` are for JetStream, which takes its instructions there: they cost more than they carry.
        """
        require_subject(subject)
        if reply:
            require_subject(reply)
        await self._send(subject, data, self._limits.bus_timeout, reply, headers)

    def send_now(self, subject: str, data: bytes) -> bool:
        """Send `data` without waiting; false, with nothing sent, when it would have to wait or raise."""
        connection, size = self._connection, len(data)
        if connection is None or not connection.has_room(size, self._limits.outbox_bytes):
            return False
        connection.post(subject, data, "")
        self._tally.published += 1
        self._tally.published_bytes += size
        return True

    def write_now(self) -> None:
        """Give the system what waits, as far as it takes it: for one message that has none to go with."""
        if self._connection is not None:
            self._connection.write_now()

    async def request(
        self, subject: str, data: bytes, timeout: float, *, headers: Mapping[str, str] | None = None
    ) -> bytes:
        """Send `data` and return the first answer; `timeout` is in seconds, `headers` as in publish()."""
        require_subject(subject)
        if not self._open().is_connected:
            raise self._not_connected()
        send = functools.partial(self._send, subject, data, timeout, headers=headers)
        return await self._requests.ask(send, timeout, subject)

    async def request_all(self, messages: Sequence[tuple[str, bytes]], timeout: float) -> list[Result]:
        """Send all `messages` and return the answer to each, or why there is none."""
        until = clock.monotonic() + timeout

        async def send(index: int, reply: str) -> None:
            subject, data = messages[index]
            require_subject(subject)
            if not self._open().is_connected:
                raise self._not_connected()
            await self._send(subject, data, max(0.0, until - clock.monotonic()), reply)

        return await self._requests.ask_all(send, [subject for subject, _ in messages], timeout)

    async def subscribe(self, subject: str, handler: Handler, queue: str = "") -> Subscription:
        """Call `handler` for each message on `subject`, or for its share within `queue`."""
        require_pattern(subject)
        require_queue(queue)
        connection = self._open()
        deliver = self._tally.deliver

        def receive(subject: bytes, reply: bytes, data: bytes, headers: bytes | None) -> None:
            if headers and headers.startswith(_STATUS):
                return
            # Anybody may publish bytes that are not UTF-8; what they become matches no operation.
            deliver(handler, subject.decode("utf-8", "replace"), reply.decode("utf-8", "replace"), data)

        inner = await connection.listen(subject, queue, receive)
        self._tally.subscriptions += 1
        subscription = EndingSubscription(functools.partial(self._unsubscribe, connection, inner))
        try:
            await self._confirm_unless_lost(connection)
        except BaseException:
            await subscription.close()
            raise
        return subscription

    async def flush(self, timeout: float) -> None:
        """Return when the server has processed everything published before."""
        await self._confirm(self._open(), timeout)

    def statistics(self) -> TransportStatistics:
        """Return the counts now."""
        connection = self._connection
        return self._tally.statistics(
            connected=connection is not None and connection.is_connected,
            waiting=len(self._requests),
            unsent_bytes=0 if connection is None else connection.unsent_bytes,
        )

    async def _send(
        self,
        subject: str,
        data: bytes,
        patience: float,
        reply: str,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        connection = self._open()
        size = len(data) + (_size_of(headers) if headers else 0)
        if size > connection.max_payload:
            raise TooLarge(
                f"a message of {size} bytes to {subject} does not fit the server's limit of"
                f" {connection.max_payload} bytes",
                hint="send it in parts, or raise max_payload of the NATS server",
            )
        if connection.pending_data_size + size > self._limits.outbox_bytes:
            await self._wait_for_room(connection, size, patience)
        if connection.is_connected and not headers:
            connection.post(subject, data, reply)
        else:
            await self._publish(connection, subject, data, reply, headers)
        self._tally.published += 1
        self._tally.published_bytes += size

    async def _publish(
        self, connection: Connection, subject: str, data: bytes, reply: str, headers: Mapping[str, str] | None
    ) -> None:
        """Send a message with headers, or keep one for a server that is away; it is sent when it is back."""
        try:
            await connection.publish(subject, data, reply, dict(headers) if headers else None)
        except nats.errors.Error as error:
            raise self._closed_error() from error

    async def _wait_for_room(self, connection: Connection, size: int, patience: float) -> None:
        """Return when the outbox can take `size` bytes; an empty one takes any message."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(patience):
                while self._is_full(connection, size) and connection.is_connected:
                    await connection.written()
        if self._is_full(connection, size):
            self._tally.refused += 1
            reason = f"took nothing for {patience:.3g} s" if connection.is_connected else "is not connected"
            raise Overloaded(
                f"the NATS server at {self._shown} {reason}, and {connection.unsent_bytes} bytes wait for it",
                hint="send slower or retry later; ACTORHOST_OUTBOX_BYTES bounds what may wait",
            )

    def _is_full(self, connection: Connection, size: int) -> bool:
        waiting = connection.pending_data_size
        return waiting > 0 and waiting + size > self._limits.outbox_bytes

    async def _confirm(self, connection: Connection, timeout: float) -> None:
        """Return when the server has processed everything sent before.

        A message to our own inbox, and not nats-py's flush(): that one's ping overtakes what is
        waiting to be sent, and once it has timed out the late pong ends the read loop for good.
        """
        if not connection.is_connected:
            raise self._not_connected()
        try:
            await self._requests.ask(connection.publish, timeout, "the NATS server")
        except (CallTimeout, OutcomeUnknown, nats.errors.Error):
            raise ServerUnavailable(
                f"the NATS server at {self._shown} did not take everything within {timeout:.3g} s"
            ) from None

    async def _confirm_unless_lost(self, connection: Connection) -> None:
        """Return when the server knows our subscriptions, or will as soon as it is back."""
        try:
            await self._confirm(connection, self._limits.bus_timeout)
        except ServerUnavailable:
            if connection.is_connected:
                raise

    async def _unsubscribe(self, connection: Connection, inner: InnerSubscription) -> None:
        if self._connection is not connection:
            return
        self._tally.subscriptions -= 1
        try:
            await connection.leave(inner)
            await self._confirm_unless_lost(connection)
        except nats.errors.Error:
            # Closed meanwhile: the subscription went with the connection.
            return
        finally:
            connection.forget(inner)

    def _on_inbox(self, subject: bytes, _reply: bytes, data: bytes, headers: bytes | None) -> None:
        token = subject.decode("utf-8", "replace")[len(self._requests.inbox) :]
        if headers and headers.startswith(_NO_RESPONDERS):
            self._requests.refuse(token)
        else:
            self._requests.answer(token, data)

    def _on_lost(self) -> None:
        _log.warning("connection to NATS lost", servers=self._shown, waiting=len(self._requests))
        self._changed(False)
        self._requests.fail_all(
            lambda: OutcomeUnknown(
                f"the connection to the NATS server at {self._shown} broke before an answer came",
                hint="the message may have been handled; look before sending it again",
            )
        )

    async def _on_restored(self) -> None:
        self._tally.reconnects += 1
        self._told_away = False
        _log.info("connection to NATS restored", servers=self._shown)
        self._changed(True)
        connection = self._connection
        if connection is None:
            return
        try:
            # A network that is not well yet may have spoilt the subscription that answers come to.
            await self._confirm(connection, _PROOF)
        except ServerUnavailable:
            if connection.is_connected:
                await connection.replace("answers do not arrive")
        else:
            connection.renew_later()

    def _on_error(self, error: Exception) -> None:
        self._tally.server_errors += 1
        away = self._connection is None or not self._connection.is_connected
        # Each attempt to reconnect ends with the same: once is enough until one succeeds.
        tell = _log.debug if away and self._told_away else _log.warning
        self._told_away = away
        tell("NATS reported an error", servers=self._shown, reason=str(error) or type(error).__name__)

    def _open(self) -> Connection:
        if self._connection is None:
            raise self._closed_error()
        return self._connection

    def _closed_error(self) -> Closed:
        state = "is closed" if self._closed else "was not started"
        return Closed(f"the connection to the NATS server at {self._shown} {state}")

    def _not_connected(self) -> ServerUnavailable:
        return ServerUnavailable(
            f"not connected to the NATS server at {self._shown}; nothing was sent",
            hint="is the server running? the connection comes back by itself",
        )


def _size_of(headers: Mapping[str, str]) -> int:
    """Return the bytes that `headers` take of a message's size, or a few more."""
    return 16 + sum(len(name) + len(value.encode()) + 4 for name, value in headers.items())
