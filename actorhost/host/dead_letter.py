"""Dead letters: what no actor could take or handle, as it is kept, listed, shown and dropped.

A letter is a message of the lattice's dead-letter stream, a MessagePack map. The stream belongs to
the NATS server and outlives every host; what a full one refuses is counted by the host.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import Final

import msgspec
from msgspec import Struct

from actorhost.errors import InvalidInput, ProtocolError
from actorhost.ids import LatticeName
from actorhost.limits import MIB
from actorhost.transport.base import Transport
from actorhost.transport.stream import Kept, Stream, StreamLimits
from actorhost.wire.subject import dead_subject

LIMITS: Final = StreamLimits(count=100_000, size=256 * MIB)
"""What one lattice keeps; a full stream refuses what is new."""


class DeadLetter(Struct, frozen=True, kw_only=True):
    """One message that was not handled, and why: `code`, `reason` and `hint` of the fault.

    `source` is who sent it or the subject it came from, `host` who gave it up, `at_ns` when, since
    the Unix epoch.
    """

    actor: str
    operation: str
    payload: bytes
    code: str
    reason: str
    hint: str
    source: str
    host: str
    at_ns: int


_encoder: Final = msgspec.msgpack.Encoder()
_decoder: Final = msgspec.msgpack.Decoder(DeadLetter)


class DeadLetterBox:
    """The dead letters of `lattice`, through `transport`; `timeout` bounds each request in seconds."""

    def __init__(self, transport: Transport, lattice: LatticeName, *, timeout: float) -> None:
        self._lattice = lattice
        self._stream = Stream(transport, f"AH_DEAD_{lattice}", dead_subject(lattice, "*"), timeout=timeout)

    async def open(self) -> None:
        """Make sure that there is a stream; raises :class:`Unavailable` where none can be."""
        await self._stream.create(LIMITS)

    async def put_all(self, letters: Sequence[DeadLetter]) -> list[Kept]:
        """Keep `letters` and return the number of each; see :meth:`Stream.append_all`."""
        return await self._stream.append_all(
            [(dead_subject(self._lattice, letter.actor), _encoder.encode(letter)) for letter in letters]
        )

    async def list(self, actor: str = "*", *, after: int = 0) -> AsyncIterator[tuple[int, DeadLetter]]:
        """Yield the letters of `actor`, or of all, with their numbers, oldest first."""
        subject = dead_subject(self._lattice, actor)
        while (record := await self._stream.next(after + 1, subject)) is not None:
            after = record.sequence
            yield after, _decode(after, record.data)

    async def get(self, number: int) -> DeadLetter:
        """Return letter `number`; raises :class:`InvalidInput` when there is none."""
        record = await self._stream.get(number)
        if record is None:
            raise _none(number)
        return _decode(number, record.data)

    async def drop(self, number: int) -> None:
        """Forget letter `number`; raises :class:`InvalidInput` when there is none."""
        if not await self._stream.delete(number):
            raise _none(number)


def _decode(number: int, data: bytes) -> DeadLetter:
    try:
        return _decoder.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ProtocolError(
            f"dead letter {number} cannot be read: {error}",
            hint="was it kept by another version of actorhost?",
        ) from None


def _none(number: int) -> InvalidInput:
    return InvalidInput(f"there is no dead letter {number}", hint="`actorhost dead list` shows them")
