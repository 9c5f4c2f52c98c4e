"""Keeps each actor's place in its queue groups, and gives it up while another host can take over.

Owned by the host; an actor is subscribed from :meth:`Intake.attach` to :meth:`Intake.detach`. One
that refuses messages leaves its queue group if another host of the lattice says that it has room,
so that callers are served there; with nobody to take over it stays, as a refusal says more than
silence. It comes back when it has room again, or when nobody else has. The question is a message
to all on the actor's room subject, which a host answers only if it would take messages itself.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import anyio

from actorhost import clock
from actorhost.errors import ActorhostError
from actorhost.host.actor import Actor
from actorhost.host.events import Events
from actorhost.ids import LatticeName
from actorhost.mailbox import Budget
from actorhost.telemetry.event import EventKind
from actorhost.telemetry.log import Log
from actorhost.transport import Subscription, Transport
from actorhost.transport.base import Handler
from actorhost.wire.subject import actor_of_room, room_subject, rpc_wildcard

_PATIENCE: Final = 0.25
"""Seconds in which a host that has room says so."""
_LOOK: Final = 0.5
"""Seconds between looks at actors that have no room."""
_KNOWN_FOR: Final = 1.0
"""Seconds for which an answer holds."""
_FULL: Final = 0.95
"""Share of the host's budget from which on it is as good as full."""

_log: Final = Log("actorhost.host")


@dataclass(frozen=True, slots=True)
class Interest:
    """A subject whose messages go to `handler`, shared with other hosts in the group `queue`."""

    subject: str
    queue: str
    handler: Handler


class _Place:
    """One actor's place in its queue groups; there are no `subscriptions` while it was given up.

    `overloaded` is whether that was told, and `left` whether that it was given up; `refused` counts up
    to the last time it had room.
    """

    __slots__ = (
        "actor", "asked_at", "covered", "interests", "left", "moving", "overloaded", "refused",
        "subscriptions",
    )  # fmt: skip

    def __init__(self, actor: Actor, interests: tuple[Interest, ...]) -> None:
        self.actor = actor
        self.interests = interests
        self.subscriptions: list[Subscription] = []
        self.moving = anyio.Lock()
        self.covered = False
        self.asked_at = -_KNOWN_FOR
        self.refused = 0
        self.overloaded = self.left = False

    async def close(self) -> None:
        """End all subscriptions; those left when this is cancelled are still listed."""
        while self.subscriptions:
            await self.subscriptions[-1].close()
            self.subscriptions.pop()


class Intake:
    """The subscriptions of the actors of this host; `budget` is what their mailboxes share.

    Who is overloaded is told to `events`.
    """

    def __init__(self, transport: Transport, lattice: LatticeName, budget: Budget, events: Events) -> None:
        self._transport = transport
        self._lattice = lattice
        self._budget = budget
        self._events = events
        self._places: dict[str, _Place] = {}
        self._troubled: dict[str, _Place] = {}
        self._trouble = anyio.Event()

    async def attach(self, actor: Actor, handler: Handler, *others: Interest) -> None:
        """Call `handler` for each message to `actor` that this host gets its share of.

        `others` are subjects that feed the actor, too.
        """
        name = actor.spec.name
        own = Interest(rpc_wildcard(self._lattice, name), name, handler)
        place = self._places[name] = _Place(actor, (own, *others))
        try:
            await self._join(place)
        except BaseException:
            self._places.pop(name, None)
            raise

    async def detach(self, names: Iterable[str]) -> None:
        """Take no more messages for these actors; what was on its way is still delivered."""
        for name in names:
            place = self._places.pop(name, None)
            self._troubled.pop(name, None)
            if place is not None:
                await self._leave(place)

    def trouble(self, name: str) -> None:
        """Note that an actor refuses messages, or soon will."""
        place = self._places.get(name)
        if place is not None and name not in self._troubled:
            self._troubled[name] = place
            self._trouble.set()

    def covered(self, name: str) -> bool:
        """Whether another host said lately that it has room for the actor; if unknown, it is asked."""
        place = self._places.get(name)
        if place is None:
            return False
        self.trouble(name)
        return place.covered and clock.monotonic() - place.asked_at < _KNOWN_FOR

    def away(self, name: str) -> bool:
        """Whether the actor has given up its place for now."""
        place = self._places.get(name)
        return place is not None and not place.subscriptions

    async def run(self) -> None:
        """Answer other hosts, and look after actors without room, until cancelled."""
        asked = await self._transport.subscribe(room_subject(self._lattice, "*"), self._on_question)
        try:
            while True:
                await self._trouble.wait()
                self._trouble = anyio.Event()
                while self._troubled:
                    async with anyio.create_task_group() as tasks:
                        for place in list(self._troubled.values()):
                            tasks.start_soon(self._look_after, place)
                    await anyio.sleep(_LOOK)
        finally:
            with anyio.CancelScope(shield=True):
                await asked.close()

    async def _look_after(self, place: _Place) -> None:
        name = place.actor.spec.name
        self._tell_overloaded(place)
        try:
            if self._has_room(place.actor):
                await self._join(place)
                self._troubled.pop(name, None)
                self._tell_accepting(place)
                return
            await self._ask(place)
            if place.covered and self._refuses(place.actor):
                await self._leave(place)
            elif not place.covered:
                await self._join(place)
        except ActorhostError as error:
            # The connection is away; when it is back the next look finds out what is true then.
            _log.debug("cannot look for another host", actor=name, reason=error.message)

    def _tell_overloaded(self, place: _Place) -> None:
        """Tell once that an actor is, and once that its messages go elsewhere.

        One that supervision holds back refuses as well, and that has been told.
        """
        actor, left = place.actor, not place.subscriptions
        refused = actor.mailbox_statistics().refused - place.refused
        new = not place.overloaded and (refused > 0 or self._refuses(actor))
        if actor.supervision.holds() or not (new or (place.overloaded and left and not place.left)):
            return
        place.overloaded, place.left = True, left
        full = "host" if self._budget.fuller_than(_FULL) else "mailbox"
        told = {"full": full, "refused": refused, "left": left}
        self._events.emit(EventKind.ACTOR_OVERLOADED, actor.spec.name, told)

    def _tell_accepting(self, place: _Place) -> None:
        refused = place.actor.mailbox_statistics().refused
        if place.overloaded:
            told = {"refused": refused - place.refused}
            self._events.emit(EventKind.ACTOR_ACCEPTING, place.actor.spec.name, told)
        place.overloaded, place.left, place.refused = False, False, refused

    async def _ask(self, place: _Place) -> None:
        subject = room_subject(self._lattice, place.actor.spec.name)
        try:
            await self._transport.request(subject, b"", _PATIENCE)
        except ActorhostError:
            place.covered = False
        else:
            place.covered = True
        place.asked_at = clock.monotonic()

    def _on_question(self, subject: str, reply_to: str, _data: bytes) -> None:
        place = self._places.get(actor_of_room(subject))
        if reply_to and place is not None and place.subscriptions and self._has_room(place.actor):
            self._transport.send_now(reply_to, b"")

    def _has_room(self, actor: Actor) -> bool:
        return actor.has_room() and not self._budget.fuller_than(0.5)

    def _refuses(self, actor: Actor) -> bool:
        return actor.refuses() or self._budget.fuller_than(_FULL)

    async def _join(self, place: _Place) -> None:
        # One at a time: messages come, and may be refused, from the first subscription on.
        async with place.moving:
            if place.subscriptions or self._places.get(place.actor.spec.name) is not place:
                return
            try:
                for each in place.interests:
                    subscription = await self._transport.subscribe(each.subject, each.handler, each.queue)
                    place.subscriptions.append(subscription)
            except BaseException:
                with anyio.CancelScope(shield=True):
                    await place.close()
                raise

    async def _leave(self, place: _Place) -> None:
        async with place.moving:
            await place.close()
