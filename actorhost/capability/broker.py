"""The way of one capability call: identify, authorise, bound, dispatch, record.

One broker serves all actors of a host, which owns it; it keeps counts and nothing else, also of the calls
that providers make to actors over the same links. A call runs on the caller's task and ends with it: at a
reply, a refusal, the deadline or a cancellation.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import Final

import msgspec

from actorhost.capability.dispatch import serve
from actorhost.capability.grants import DEFAULT_LINK, ActorGrant, BoundOperation, Caller, ProviderGrant
from actorhost.clock import monotonic
from actorhost.contracts.provider import Link
from actorhost.errors import ActorhostError, BadRequest, CallTimeout, TooLarge
from actorhost.ids import ActorName
from actorhost.telemetry.histogram import Durations

CallActor = Callable[[Caller, ActorName, str, bytes], Awaitable[bytes]]
"""How the host delivers a call from one actor to another: caller, target, operation, payload."""

UNKNOWN: Final = "?"
"""Stands in the statistics for names that a guest made up: they must not grow the table."""


Counted = tuple[str, str, str, str]
"""What is counted apart: the actor, the contract or actor it is linked to, the link's name, the operation."""


class Tally(msgspec.Struct, gc=False):
    """Calls of one operation over one link, either way: how many were answered, and how the others ended.

    `ended` counts by fault code; ``cancelled`` is a caller that went away. `took` is how long the
    answered ones took.
    """

    answered: int = 0
    ended: dict[str, int] = {}
    took: Durations = msgspec.field(default_factory=Durations)


class Broker:
    """Takes guests' calls to the provider or actor their links name."""

    def __init__(self, call_actor: CallActor) -> None:
        """Deliver calls to actors through `call_actor`."""
        self._call_actor = call_actor
        self._tallies: dict[Counted, Tally] = {}

    async def call(
        self, caller: Caller, binding: str, namespace: str, operation: str, payload: bytes
    ) -> bytes:
        """Return the reply to one call; suspends only if the provider or actor does.

        Must run inside a task. Raises :class:`~actorhost.errors.Denied` without a link,
        :class:`BadRequest`, :class:`TooLarge` and :class:`CallTimeout` for a call out of bounds,
        and what :func:`~actorhost.capability.dispatch.serve` or the called actor raises.
        """
        link = binding or DEFAULT_LINK
        seen = (caller.actor, UNKNOWN, UNKNOWN, UNKNOWN)
        began = monotonic()
        try:
            grant = caller.grants.find(binding, namespace)
            seen = (caller.actor, namespace, link, UNKNOWN)
            _check_bounds(caller, link, namespace, payload, began)
            if isinstance(grant, ActorGrant):
                if grant.operations is not None:
                    if operation not in grant.operations:
                        raise _unknown_operation(caller, link, namespace, operation, grant.operations)
                    seen = (caller.actor, namespace, link, operation)
                reply = await self._call_actor(caller, grant.actor, operation, payload)
            else:
                bound = _operation(caller, grant, operation)
                seen = (caller.actor, namespace, link, operation)
                if grant.elsewhere is None:
                    reply = await serve(caller, grant, bound, payload)
                else:
                    reply = await grant.elsewhere.forward(caller, grant, bound.operation, payload)
        except ActorhostError as error:
            self._ended(seen, error.code)
            raise
        except asyncio.CancelledError:
            self._ended(seen, "cancelled")
            raise
        self._answered(seen, began)
        return reply

    async def count(self, link: Link, operation: str, call: Awaitable[bytes]) -> bytes:
        """Return the reply to `call`, which a provider makes to the actor of `link`; raises what it does.

        `operation` is of a contract or of the link's configuration, never what a client made up.
        """
        seen = (link.actor, link.contract, link.name, operation)
        began = monotonic()
        try:
            reply = await call
        except ActorhostError as error:
            self._ended(seen, error.code)
            raise
        except asyncio.CancelledError:
            self._ended(seen, "cancelled")
            raise
        self._answered(seen, began)
        return reply

    def statistics(self) -> dict[Counted, Tally]:
        """Return the tallies so far."""
        return dict(self._tallies)

    def forget(self, actor: ActorName) -> None:
        """Drop the tallies of an actor that is no longer deployed."""
        for key in [key for key in self._tallies if key[0] == actor]:
            del self._tallies[key]

    def _tally(self, seen: Counted) -> Tally:
        tally = self._tallies.get(seen)
        if tally is None:
            tally = self._tallies[seen] = Tally()
        return tally

    def _answered(self, seen: Counted, began: float) -> None:
        tally = self._tallies.get(seen) or self._tally(seen)
        tally.answered += 1
        tally.took.add(monotonic() - began)

    def _ended(self, seen: Counted, how: str) -> None:
        ended = self._tally(seen).ended
        ended[how] = ended.get(how, 0) + 1


def _check_bounds(caller: Caller, binding: str, namespace: str, payload: bytes, now: float) -> None:
    if len(payload) > caller.max_message:
        raise TooLarge(
            f"actor {caller.actor!r} called {namespace!r} over link {binding!r} with {len(payload)} bytes,"
            f" over its limit of {caller.max_message}",
            hint=f"send less, or raise max-message of actor {caller.actor!r}",
        )
    if now >= caller.deadline:
        error = CallTimeout(
            f"actor {caller.actor!r} called {namespace!r} over link {binding!r} after its deadline;"
            " nothing was done",
            hint=f"raise the timeout of actor {caller.actor!r}, or of its caller",
        )
        error.outcome_known = True
        raise error


def _operation(caller: Caller, grant: ProviderGrant, name: str) -> BoundOperation:
    found = grant.operations.get(name)
    if found is None:
        link = grant.link
        raise _unknown_operation(caller, link.name, link.contract, name, grant.operations)
    return found


def _unknown_operation(
    caller: Caller, link: str, contract: str, name: str, operations: Iterable[str]
) -> BadRequest:
    listed = ", ".join(operations)
    hint = f"its operations are {listed}" if listed else "an actor calls nothing over it, it is called"
    return BadRequest(
        f"actor {caller.actor!r} called {name[:80]!r} over link {link!r}, which contract {contract!r}"
        " does not have",
        hint=hint,
    )
