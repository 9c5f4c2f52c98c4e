"""Follows what happens in one actor on every host that runs it, as a client of the lattice.

Lives for the block of :func:`following`: subscribed first, then asking all hosts for a lease again and
again, so that hosts that come later are followed too. What comes waits in a bounded queue; what does
not fit, because the reader is slow, is counted as missed. A connection that was lost comes back by
itself, and the next round of leases says so.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Final

import anyio
from anyio.streams.memory import MemoryObjectSendStream

from actorhost.errors import ActorhostError, NoRoute, ProtocolError, Unavailable
from actorhost.host.client import Client
from actorhost.host.control_messages import HostInfo, WatchReply
from actorhost.host.watch_messages import Batch, decode_batch
from actorhost.ids import ActorName
from actorhost.wire.subject import Watched, watch_subject

RENEW: Final = 3.0
"""Seconds between rounds: a lease survives two that fail."""
_LEAVING: Final = 1.0
"""Seconds in which the server may confirm that nothing more is wanted."""
_WAITING: Final = 256
"""Batches and rounds that wait for the reader, at most: 16 MiB."""


@dataclass(frozen=True, slots=True)
class Round:
    """How asking for leases went: what each host that runs the actor said, by its id.

    `missed` batches did not fit into the queue since the last round; `reconnected` says that the
    connection was lost since then, and `error` why nobody could be asked at all.
    """

    leases: dict[str, WatchReply] = field(default_factory=dict)
    missed: int = 0
    reconnected: bool = False
    error: ActorhostError | None = None


Item = Batch | Round


@dataclass(frozen=True, slots=True)
class Followed:
    """What is followed: the `first` round of leases, and then what comes: `items`, batches and rounds."""

    first: Round
    items: AsyncIterator[Item]


class _Following:
    def __init__(self, client: Client, actor: ActorName, what: Watched, *, payloads: bool) -> None:
        self._client = client
        self._actor = actor
        self._what = what
        self._payloads = payloads
        self._missed = 0
        self._reconnects = client.transport.statistics().reconnects
        self._send: MemoryObjectSendStream[Item]
        self._send, self.items = anyio.create_memory_object_stream[Item](_WAITING)

    def on_message(self, _subject: str, _reply: str, data: bytes) -> None:
        """Queue one batch; bytes that are none, which anybody may publish, are passed over."""
        try:
            self._send.send_nowait(decode_batch(self._what, data))
        except ProtocolError:
            return
        except (anyio.WouldBlock, anyio.BrokenResourceError, anyio.ClosedResourceError):
            self._missed += 1

    async def renew(self) -> None:
        """Ask for leases until cancelled; a reader that has stopped reading lets them end."""
        while True:
            await anyio.sleep(RENEW)
            try:
                found = self._round(await self._ask_all())
            except ActorhostError as error:
                found = Round(error=error)
            await self._send.send(found)

    async def begin(self) -> Round:
        """Return the first leases; raises as :func:`following` does when no host gives one."""
        answers = await self._ask_all()
        found = self._round(answers)
        if not answers:
            raise Unavailable(
                f"no host of lattice {self._client.lattice!r} answers on this NATS server",
                hint="start one with `actorhost up`, or name another --lattice or --nats",
            )
        if not found.leases:
            errors = [answer for answer in answers.values() if isinstance(answer, ActorhostError)]
            raise none_gives(self._actor, errors)
        return found

    def close(self) -> None:
        """End the queue on both sides."""
        self._send.close()
        self.items.close()

    def _round(self, answers: dict[str, WatchReply | ActorhostError]) -> Round:
        missed, self._missed = self._missed, 0
        before, self._reconnects = self._reconnects, self._client.transport.statistics().reconnects
        leases = {host: answer for host, answer in answers.items() if isinstance(answer, WatchReply)}
        return Round(leases, missed, self._reconnects > before)

    async def _ask_all(self) -> dict[str, WatchReply | ActorhostError]:
        answers: dict[str, WatchReply | ActorhostError] = {}

        async def ask(info: HostInfo) -> None:
            try:
                answers[info.id] = await self._client.control.watch(
                    info.id, self._actor, self._what, payloads=self._payloads
                )
            except ActorhostError as error:
                answers[info.id] = error

        hosts = await self._client.control.hosts()
        async with anyio.create_task_group() as tasks:
            for info in hosts:
                tasks.start_soon(ask, info)
        return answers


@asynccontextmanager
async def following(
    client: Client, actor: ActorName, what: Watched, *, payloads: bool = False
) -> AsyncIterator[Followed]:
    """Follow `actor` for the time of the block: batches of records, and a round every few seconds.

    With `payloads` hosts send the first KiB of each message's payload, which may hold secrets.
    Raises :class:`NoRoute` when no host runs the actor, :class:`Unavailable` when there is no host, and
    what else kept all from giving a lease.
    """
    follower = _Following(client, actor, what, payloads=payloads)
    subject = watch_subject(client.lattice, what, actor)
    subscription = await client.transport.subscribe(subject, follower.on_message)
    try:
        first = await follower.begin()
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(follower.renew)
            yield Followed(first, follower.items)
            tasks.cancel_scope.cancel()
    finally:
        # Not for long: a client that ends drops its connection, and a flood may hold up the answer.
        with anyio.move_on_after(_LEAVING, shield=True), suppress(ActorhostError):
            await subscription.close()
        follower.close()


def none_gives(actor: ActorName, errors: list[ActorhostError]) -> ActorhostError:
    """Return why no host gave what was asked of it: what stopped one, or that none runs the actor."""
    others = [error for error in errors if not isinstance(error, NoRoute)]
    if others:
        return others[0]
    return NoRoute(f"no host runs an actor {actor!r}", hint="`actorhost ps` shows what runs")
