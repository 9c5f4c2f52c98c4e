"""What a watched actor's host publishes: batches of its lines or of the messages it handled.

Pure values, each batch a MessagePack map in one message without an envelope: nobody answers it. A
later version may only add fields with defaults.
"""

from __future__ import annotations

from typing import Annotated, Final, TypeVar

import msgspec
from msgspec import Meta, Struct

from actorhost.errors import ProtocolError
from actorhost.host.log import Line
from actorhost.ids import HostId
from actorhost.wire.subject import Watched

SHOWN_CALLS: Final = 20
"""Capability calls of one message that are told one by one; more are counted."""
SHOWN_PAYLOAD: Final = 1024
"""Bytes of a payload that are shown to who asks for payloads."""
LONGEST_NAME: Final = 128
"""Characters of a name that a guest made up."""

_HostText = Annotated[str, Meta(pattern=f"^(?:{HostId.pattern()})$")]
_Count = Annotated[int, Meta(ge=0)]
_Time = Annotated[int, Meta(ge=0, le=2**63 - 1)]
_Milliseconds = Annotated[float, Meta(ge=0, lt=1e15)]


class CapabilityCall(Struct, frozen=True, gc=False):
    """One call that a guest made: contract or actor called, how long it took, ``reply`` or fault code."""

    target: str
    operation: str
    ms: _Milliseconds
    outcome: str


class Handled(Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """One message that an actor handled, or failed to.

    `time_ns` is when it ended, since the Unix epoch; `callers` the actors that called one another up to
    here, outermost first; `size` and `reply_size` bytes; `outcome` is ``reply`` or the fault's code.
    It `waited_ms` in the mailbox and then took the guest `handled_ms`, with what it called. `payload`
    is the beginning of what was sent, None unless payloads were asked for.
    """

    time_ns: _Time
    operation: str
    size: int
    outcome: str
    reply_size: int = 0
    waited_ms: _Milliseconds = 0.0
    handled_ms: _Milliseconds = 0.0
    callers: tuple[str, ...] = ()
    calls: tuple[CapabilityCall, ...] = ()
    more_calls: int = 0
    payload: bytes | None = None


class LogBatch(Struct, frozen=True):
    """Lines in order; `dropped` others did not fit into the host's queue."""

    host: _HostText
    dropped: _Count
    records: tuple[Line, ...]


class TraceBatch(Struct, frozen=True):
    """Messages in the order in which they ended; `dropped` others did not fit into the host's queue."""

    host: _HostText
    dropped: _Count
    records: tuple[Handled, ...]


class _Encoded(Struct, frozen=True):
    """Either batch, with records that are encoded already."""

    host: str
    dropped: int
    records: list[msgspec.Raw]


Batch = LogBatch | TraceBatch
T = TypeVar("T", LogBatch, TraceBatch)

_decoders: Final[dict[Watched, msgspec.msgpack.Decoder[LogBatch] | msgspec.msgpack.Decoder[TraceBatch]]] = {
    Watched.LOGS: msgspec.msgpack.Decoder(LogBatch),
    Watched.TRACE: msgspec.msgpack.Decoder(TraceBatch),
}

encode_record: Final = msgspec.msgpack.Encoder().encode
"""Return a :class:`Line` or :class:`Handled` as MessagePack."""


def encode_batch(host: str, dropped: int, records: list[bytes]) -> bytes:
    """Return a batch of records that :func:`encode_record` made."""
    return encode_record(_Encoded(host, dropped, [msgspec.Raw(record) for record in records]))


def decode_batch(what: Watched, data: bytes) -> Batch:
    """Return the batch in `data`, or raise :class:`ProtocolError` saying what is wrong with it."""
    try:
        return _decoders[what].decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ProtocolError(
            f"{len(data)} bytes are no batch of {what}: {error}",
            hint="are all hosts of the same version of actorhost?",
        ) from None
