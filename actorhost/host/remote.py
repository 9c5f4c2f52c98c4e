"""Calls to actors over a transport: an envelope out, a reply or a fault back.

Used by clients and, for actors that do not live here, by hosts. Holds no state but the transport.
"""

from __future__ import annotations

from typing import Final

from actorhost import clock
from actorhost.errors import CallTimeout, NoRoute, ProtocolError
from actorhost.ids import LatticeName, new_call_id
from actorhost.transport import Transport
from actorhost.wire.codec import decode, encode
from actorhost.wire.envelope import MAX_REMAINING_MS, VERSION, Envelope, Kind
from actorhost.wire.fault import error_of
from actorhost.wire.subject import operation_of, rpc_subject

GRACE: Final = 0.25
"""Seconds a caller waits past the deadline, so that the receiver's own word on it can arrive."""


class Remote:
    """Reaches the actors of `lattice` through `transport`; `source` names the caller."""

    def __init__(self, transport: Transport, lattice: LatticeName, source: str) -> None:
        self._transport = transport
        self._lattice = lattice
        self._source = source

    async def ask(
        self, actor: str, operation: str, payload: bytes, deadline: float, chain: tuple[str, ...] = ()
    ) -> bytes:
        """Return the reply; raises the error the fault describes, or the transport's own."""
        subject = rpc_subject(self._lattice, actor, operation)
        return await self.request(subject, payload, deadline, chain, whom=f"actor {actor!r}")

    async def request(
        self, subject: str, payload: bytes, deadline: float, chain: tuple[str, ...] = (), *, whom: str
    ) -> bytes:
        """Return what `whom` answers at `subject`, as :meth:`ask` does."""
        request = self.envelope(Kind.ASK, payload, deadline, chain)
        timeout = max(0.0, deadline - clock.monotonic()) + GRACE
        try:
            answer = decode(await self._transport.request(subject, encode(request), timeout))
        except CallTimeout:
            raise CallTimeout(
                f"{whom} did not answer {operation_of(subject)!r} within {timeout:.3g} s",
                hint="it may still be working on it; raise the timeout, or look at `actorhost ps`",
            ) from None
        except NoRoute:
            raise NoRoute(
                f"nobody in lattice {self._lattice!r} answers as {whom}",
                hint="`actorhost ps` shows what runs; is it deployed, spelled like this, and its host up?",
            ) from None
        if answer.fault is not None:
            raise error_of(answer.fault)
        if answer.kind is not Kind.REPLY or answer.id != request.id:
            raise ProtocolError(f"the answer from {whom} does not belong to the request")
        return answer.payload

    async def tell(self, actor: str, operation: str, payload: bytes) -> None:
        """Send a message that gets no answer; returning means it left this process.

        Nobody waits, so the actor's own time-out is its only deadline.
        """
        request = Envelope(VERSION, Kind.TELL, new_call_id(), payload, source=self._source)
        await self._transport.publish(rpc_subject(self._lattice, actor, operation), encode(request))

    def envelope(self, kind: Kind, payload: bytes, deadline: float, chain: tuple[str, ...] = ()) -> Envelope:
        """Return a new message from this caller, with the time it still has."""
        remaining = round((deadline - clock.monotonic()) * 1000)
        return Envelope(
            VERSION,
            kind,
            new_call_id(),
            payload,
            source=self._source,
            remaining_ms=min(max(remaining, 1), MAX_REMAINING_MS),
            chain=chain,
        )
