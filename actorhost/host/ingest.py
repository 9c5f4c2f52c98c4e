"""Messages from a NATS subject to an operation of an actor: from devices that know no envelopes.

One :class:`Ingest` for each ingest trait of an actor of this host, owned by the actor's place in
:mod:`actorhost.host.intake`, which subscribes in a queue group: of several hosts one gets each message.
The handler never waits. What is malformed or finds no room is counted and becomes a dead letter, so
nothing that came is lost in silence; what comes while no host is subscribed is not known here.
"""

from __future__ import annotations

from typing import Final, Protocol

from actorhost.errors import ActorhostError, TooLarge
from actorhost.host.actor import Actor
from actorhost.host.delivery import Answer, no_answer
from actorhost.host.payload import convert, with_subject
from actorhost.manifest import IngestSpec

_PLAIN: Final = ""
"""No call id: the caller sent no envelope, and gets the reply without one."""


class Reception(Protocol):
    """What ingest needs of the router."""

    def offer(self, actor: Actor, operation: str, payload: bytes, answer: Answer) -> ActorhostError | None:
        """Put a message into the mailbox of `actor`, or return why it is refused, which is counted."""

    def keep(self, actor: Actor, operation: str, payload: bytes, error: ActorhostError, source: str) -> None:
        """Keep a message that `actor` did not take as a dead letter."""

    def refuse(self, reply_to: str, call_id: str, error: ActorhostError, where: str) -> None:
        """Answer with a fault."""

    def answering_plainly(self, reply_to: str) -> Answer:
        """Return what sends an answer: the reply as it is, an error as a fault."""


class Ingest:
    """Takes messages as `spec` says for `actor`, through `reception`."""

    __slots__ = ("_actor", "_reception", "spec")

    def __init__(self, actor: Actor, spec: IngestSpec, reception: Reception) -> None:
        self.spec = spec
        self._actor = actor
        self._reception = reception

    def on_message(self, subject: str, reply_to: str, data: bytes) -> None:
        """Make one message into a delivery, or turn it away; called by the transport."""
        if not self.spec.answer:
            reply_to = ""
        try:
            payload = self._payload(subject, data)
        except ActorhostError as error:
            self._actor.counts.malformed += 1
            self._reception.keep(self._actor, self.spec.operation, data, error, subject)
            if reply_to:
                self._refuse(reply_to, error)
            return
        answer = self._reception.answering_plainly(reply_to) if reply_to else no_answer
        refusal = self._reception.offer(self._actor, self.spec.operation, payload, answer)
        if refusal is None:
            self._actor.counts.ingested += 1
        elif reply_to:
            self._refuse(reply_to, refusal)
        else:
            # As it would have been delivered, so that sending it again needs no ingest.
            self._reception.keep(self._actor, self.spec.operation, payload, refusal, subject)

    def _payload(self, subject: str, data: bytes) -> bytes:
        """Return what the actor gets, or raise :class:`BadRequest` or :class:`TooLarge`."""
        self._check_size(len(data))  # before anything is decoded
        payload = convert(self.spec.payload, data)
        if self.spec.with_subject:
            payload = with_subject(self.spec.payload, subject, payload)
        self._check_size(len(payload))
        return payload

    def _check_size(self, size: int) -> None:
        if size > self._actor.spec.max_message:
            raise TooLarge(
                f"the payload makes {size} bytes, over the actor's limit of {self._actor.spec.max_message}",
                hint=f"send less, or raise max-message of actor {self._actor.spec.name!r}",
            )

    def _refuse(self, reply_to: str, error: ActorhostError) -> None:
        self._reception.refuse(reply_to, _PLAIN, error, f"actor {self._actor.spec.name}")
