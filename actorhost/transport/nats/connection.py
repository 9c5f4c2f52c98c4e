"""nats-py's client with some of its inner steps replaced, each for a reason that was measured.

``_process_msg``: hands a message straight to its receiver. nats-py puts it in a queue that a task per
subscription reads: slower, silently lossy once the queue is full, and a subject that is not UTF-8 ends
its read loop for good. Most messages do not come this way, but are taken off the socket before
(:mod:`~actorhost.transport.nats.tap`, :mod:`~actorhost.transport.nats.parser`).

``_process_err``: reports what the server complains about. nats-py closes for good on most of these; a
server that means it hangs up, and that leads to a reconnection.

``_attempt_reconnect``: reports a lost connection at once and aborts the socket. nats-py first waits for
a polite close, which a frozen server never grants. Requests that wait to be sent are dropped: their
callers are told now, and nobody wants them done later.

``_connect_to_server``: drops what is left of an attempt that failed. nats-py forgets the open socket,
and the tasks that read and write it would meddle with the next one. It also joins what is written at
once: several releases of CPython 3.12 and 3.13 do not tell a writer of many pieces to wait
(CVE-2024-12254), nor bound them. And it shields the wait for the socket's end: the reconnection and a
close share one future, and cancelling the first would look like cancelling the other.

``_process_connect_init``: makes any nonsense in a server's greeting an error after which the next
attempt is made. nats-py ends its attempts for ever on some of it, and takes a connection that the server
did not confirm for a good one, though nothing is ever sent on it.

``_send_ping``: does not count a ping as missed that is still on its way because the link is slow. nats-py
gives such a connection up, with everything that waits to be sent.

Subscriptions are made anew a second after a reconnection, as they may have been altered on their way.

Owned by one :class:`~actorhost.transport.nats.transport.NatsTransport`. These are private names of
the client: a test proves that the installed version has them and calls them.
"""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Final

from nats.aio.client import Client, Srv
from nats.aio.subscription import Subscription
from nats.aio.transport import Transport
from nats.errors import Error

from actorhost.transport.nats.guard import Guard
from actorhost.transport.nats.parser import LONGEST_RUN, Reading, Receiver, StrictParser
from actorhost.transport.nats.progress import Progress
from actorhost.transport.nats.tap import tap

_SETTLED: Final = 1.0
"""Seconds after which a connection that came back is not likely to be altered any more."""


@dataclass(frozen=True, slots=True)
class Events:
    """What a connection reports: it broke, it is back, and an error that did neither."""

    lost: Callable[[], None]
    restored: Callable[[], Awaitable[None]]
    error: Callable[[Exception], None]


class Connection(Client):
    """A NATS client that delivers synchronously; `events` are called from its own tasks.

    `guard`, if there is one, is given each socket that this client opens, until it gives the socket up.
    """

    def __init__(self, events: Events, guard: Guard | None = None) -> None:
        super().__init__()
        self.events = events
        self._guard = guard
        self._receivers: dict[int, Receiver] = {}
        self._run = 0
        self._inbox = b""
        self._renewal: asyncio.TimerHandle | None = None
        self._progress = Progress(self._writer)
        self._ps = self._parser = StrictParser(
            self, self._receivers, Reading(self._heard, self.write_now, events.error)
        )

    @property
    def unsent_bytes(self) -> int:
        """Bytes that the operating system has not taken yet."""
        writer = self._writer()
        return self.pending_data_size + (writer.transport.get_write_buffer_size() if writer else 0)

    def expect_answers(self, inbox: str) -> None:
        """Take what is sent with a reply subject under `inbox` for a request."""
        self._inbox = f" {inbox}".encode()

    async def listen(self, subject: str, queue: str, receiver: Receiver) -> Subscription:
        """Subscribe; `receiver` is called by the read loop for each message until :meth:`forget`."""
        sid = self._sid + 1
        # Known before the server knows: the first message may arrive while subscribe() waits.
        self._receivers[sid] = receiver
        # With a future, nats-py starts neither queue reader nor iterator; it is never set.
        never: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        try:
            return await self.subscribe(subject, queue=queue, future=never)
        except BaseException:
            self._receivers.pop(sid, None)
            raise

    def has_room(self, size: int, limit: int) -> bool:
        """Whether `size` bytes can be posted now, with what waits not more than `limit`."""
        return (
            self._status == Client.CONNECTED
            and size <= self._max_payload
            and self._pending_data_size + size <= limit
        )

    def post(self, subject: str, data: bytes, reply: str) -> None:
        """Queue one message for the connected server: publish() less the checks the transport makes.

        It is on the way of every reply, and costs a third of publish().
        """
        tokens = f"PUB {subject} {reply} {len(data)}\r\n" if reply else f"PUB {subject} {len(data)}\r\n"
        self._send(b"".join((tokens.encode(), data, b"\r\n")))

    async def leave(self, subscription: Subscription) -> None:
        """Tell the server to send nothing more; what it has sent is still delivered."""
        await subscription.unsubscribe()
        if self.is_reconnecting:
            # nats-py leaves this out, but its SUB may be among what waits to be sent.
            await self._send_unsubscribe(subscription._id)  # noqa: SLF001

    def forget(self, subscription: Subscription) -> None:
        """Deliver nothing more to the receiver of `subscription`."""
        self._receivers.pop(subscription._id, None)  # noqa: SLF001

    def renew_later(self) -> None:
        """Subscribe anew in a second, to everything but the inbox, which is proved in another way.

        A network that has just come back may have altered a subscription on its way; nobody would notice.
        """
        self._renewal = asyncio.get_running_loop().call_later(_SETTLED, self._renew)

    def _renew(self) -> None:
        if not self.is_connected:
            return
        for old, subscription in list(self._subs.items()):
            subject, queue = subscription.subject, subscription.queue
            if f" {subject}".encode().startswith(self._inbox) or old not in self._receivers:
                continue
            self._sid += 1
            self._subs[self._sid] = self._subs.pop(old)
            # What is on its way under the old number is still delivered.
            self._receivers[self._sid] = self._receivers[old]
            subscription._id = self._sid  # noqa: SLF001 - it has no public name
            commands = [f"SUB {subject} {queue} {self._sid}\r\n", f"UNSUB {old}\r\n"]
            if not queue:
                # Of a queue one member gets each message; others would get it twice.
                commands.reverse()
            self._send("".join(commands).encode())

    async def written(self) -> None:
        """Return when what waited to be sent has been written, which may be never."""
        # What nats-py does to force a flush, without the part that swallows cancellation.
        assert self._flush_queue is not None, "made by connect()"  # noqa: S101
        future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        await self._flush_queue.put(future)
        await future

    async def replace(self, reason: str) -> None:
        """Give the connection up for `reason`, as if it had broken."""
        error = Error(f"nats: {reason}")
        self.events.error(error)
        await self._process_op_err(error)

    async def shut(self) -> None:
        """Drop the socket with whatever still waits to be sent, and end every task of this client."""
        self._receivers.clear()
        self._end_renewal()
        self._pending.clear()
        self._pending_data_size = 0
        self._abort()
        await self.close()

    def write_now(self) -> None:
        """Write what waits to be sent: what was answered while reading need not wait until guests have run.

        What the system does not take at once is the flusher's, which waits for it.
        """
        writer, transport = self._writer(), self._transport
        if not self._pending or not self.is_connected or writer is None or transport is None:
            return
        if not (writer.transport.is_closing() or writer.transport.get_write_buffer_size()):
            pending, self._pending, self._pending_data_size = self._pending, [], 0
            transport.writelines(pending)

    def _send(self, command: bytes) -> None:
        if not self._pending:
            asyncio.get_running_loop().call_soon(self._write_soon)
        self._pending.append(command)
        self._pending_data_size += len(command)

    def _write_soon(self) -> None:
        self.write_now()
        queue = self._flush_queue
        assert queue is not None, "made by connect()"  # noqa: S101
        if self._pending and queue.empty():
            queue.put_nowait(asyncio.get_running_loop().create_future())

    def _heard(self) -> None:
        # Whatever a server says, it is there: on a slow link a pong may queue behind a lot.
        self._pings_outstanding = 0

    def _drop_requests(self) -> None:
        kept = [command for command in self._pending if not self._is_request(command)]
        self._pending = kept
        self._pending_data_size = sum(map(len, kept))

    def _end_renewal(self) -> None:
        if self._renewal is not None:
            self._renewal.cancel()

    def _release(self) -> None:
        """Wake whoever waits in :meth:`written`: nothing is written to this socket any more."""
        queue = self._flush_queue
        while queue is not None and not queue.empty():
            waiting = queue.get_nowait()
            if not waiting.done():
                waiting.set_result(None)

    def _is_request(self, command: bytes) -> bool:
        return bool(self._inbox) and self._inbox in command.partition(b"\r\n")[0]

    def _abort(self) -> None:
        if self._guard is not None:
            self._guard.release()
        writer = self._writer()
        if writer is not None:
            writer.transport.abort()

    def _writer(self) -> asyncio.StreamWriter | None:
        return getattr(self._transport, "_io_writer", None)

    async def _process_msg(
        self, sid: int, subject: bytes, reply: bytes, data: bytes, headers: bytes | None
    ) -> None:
        receiver = self._receivers.get(sid)
        if receiver is not None:
            receiver(subject, reply, data, headers)
        self._run += 1
        if self._run >= LONGEST_RUN:
            self._run = 0
            await asyncio.sleep(0)

    async def _process_err(self, err_msg: str) -> None:
        self.events.error(Error(f"nats: {err_msg}"))

    async def _attempt_reconnect(self) -> None:
        self.events.lost()
        self._end_renewal()
        self._drop_requests()
        self._release()
        self._abort()
        await super()._attempt_reconnect()

    async def _process_connect_init(self) -> None:
        try:
            await super()._process_connect_init()
        except (OSError, Error):
            raise
        except Exception as error:
            raise Error(f"nats: the server's greeting makes no sense: {error!r}") from error
        if not self.is_connected:
            raise Error("nats: the server did not confirm the connection")

    async def _send_ping(self, future: asyncio.Future[Any] | None = None) -> None:
        if self._progress.crawls():
            self._heard()
        self._parser.pinged()
        await super()._send_ping(future)
        self._progress.mark()

    async def _connect_to_server(self, s: Srv) -> None:
        for task in (self._reading_task, self._ping_interval_task, self._flusher_task):
            if task is not None:
                task.cancel()
        self._abort()
        self._parser.reset()
        for sid in self._receivers.keys() - self._subs.keys():
            del self._receivers[sid]
        await super()._connect_to_server(s)
        transport, writer = self._transport, self._writer()
        assert transport is not None, "made by the call above"  # noqa: S101
        assert writer is not None, "made by the call above"  # noqa: S101
        if self._guard is not None:
            self._guard.hold(writer.get_extra_info("socket").fileno())
        self._progress = Progress(self._writer)
        tap(transport, self._parser.take)
        replaced: Any = transport
        replaced.write = functools.partial(_write, transport, self._progress)
        replaced.writelines = lambda payload: transport.write(b"".join(payload))
        # Of the writer that there is then: TLS brings another one.
        replaced.wait_closed = lambda: asyncio.shield(replaced._io_writer.wait_closed())  # noqa: SLF001


def _write(transport: Transport, progress: Progress, payload: bytes) -> None:
    progress.wrote(len(payload))
    # The class's own: that of the object is this one.
    type(transport).write(transport, payload)
