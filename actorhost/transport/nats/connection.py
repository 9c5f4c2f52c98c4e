"""nats-py's client with three of its inner steps replaced, each for a reason that was measured.

``_process_msg``      hands a message straight to its receiver. nats-py puts it in a queue that a task
                      per subscription reads: slower, silently lossy once the queue is full, and a
                      subject that is not UTF-8 ends its read loop for good.
``_process_op_err``   reports a lost connection at once and aborts the socket. nats-py first waits for
                      a polite close, which a frozen server never grants.
``_process_err``      reports what the server complains about. nats-py closes for good on most of
                      these; a server that means it hangs up, and that leads to a reconnection.

Owned by one :class:`~actorhost.transport.nats.transport.NatsTransport`. These are private names of
the client: a test proves that the installed version has them and calls them.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from nats.aio.client import Client
from nats.aio.subscription import Subscription
from nats.errors import Error

_LONGEST_RUN: Final = 64
"""Messages delivered before the event loop gets its turn: a full socket buffer holds thousands."""

Receiver = Callable[[bytes, bytes, bytes, "bytes | None"], None]
"""Takes subject, reply subject, data and raw headers of one message; must not raise."""


@dataclass(frozen=True, slots=True)
class Events:
    """What a connection reports: it broke, it is back, and an error that did neither."""

    lost: Callable[[], None]
    restored: Callable[[], None]
    error: Callable[[Exception], None]


class Connection(Client):
    """A NATS client that delivers synchronously; `events` are called from its own tasks."""

    def __init__(self, events: Events) -> None:
        super().__init__()
        self._events = events
        self._receivers: dict[int, Receiver] = {}
        self._run = 0

    @property
    def unsent_bytes(self) -> int:
        """Bytes that the operating system has not taken yet."""
        writer = self._writer()
        return self.pending_data_size + (writer.transport.get_write_buffer_size() if writer else 0)

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

    async def leave(self, subscription: Subscription) -> None:
        """Tell the server to send nothing more; what it has sent is still delivered."""
        await subscription.unsubscribe()
        if self.is_reconnecting:
            # nats-py leaves this out, but its SUB may be among what waits to be sent.
            await self._send_unsubscribe(subscription._id)  # noqa: SLF001

    def forget(self, subscription: Subscription) -> None:
        """Deliver nothing more to the receiver of `subscription`."""
        self._receivers.pop(subscription._id, None)  # noqa: SLF001

    async def written(self) -> None:
        """Return when what waited to be sent has been written, which may be never."""
        # What nats-py does to force a flush, without the part that swallows cancellation.
        assert self._flush_queue is not None, "made by connect()"  # noqa: S101
        future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        await self._flush_queue.put(future)
        await future

    async def shut(self) -> None:
        """Drop the socket with whatever it still holds, and end every task of this client."""
        self._receivers.clear()
        self._abort()
        # What could not be written any more is what abort() dropped.
        with contextlib.suppress(OSError):
            await self.close()

    def _abort(self) -> None:
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
        if self._run >= _LONGEST_RUN:
            self._run = 0
            await asyncio.sleep(0)

    async def _process_op_err(self, e: Exception) -> None:
        if not (self.is_closed or self.is_reconnecting):
            self._abort()
            self._events.lost()
        await super()._process_op_err(e)

    async def _process_err(self, err_msg: str) -> None:
        self._events.error(Error(f"nats: {err_msg}"))
