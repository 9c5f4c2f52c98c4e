"""The envelope: one message on the wire, with what its receiver must know to handle it.

An array in MessagePack, in the order of the fields; a later version may only append. Time travels
as what remains, not as a clock time, because clocks differ.
"""

from __future__ import annotations

from enum import IntEnum
from typing import Annotated, Final

from msgspec import Meta, Struct

from actorhost.wire.fault import Fault

VERSION: Final = 1
MAX_REMAINING_MS: Final = 3_600_000
MAX_CHAIN: Final = 64

_Short = Annotated[str, Meta(max_length=255)]
_Name = Annotated[str, Meta(max_length=64)]


class Kind(IntEnum):
    """What an envelope is for."""

    ASK = 1
    TELL = 2
    REPLY = 3
    FAULT = 4
    CANCEL = 5
    """Nobody waits for the call of this id any more; never answered."""


class Envelope(Struct, frozen=True, array_like=True, gc=False):
    """One message.

    ``id`` names the call; a reply carries its request's. ``source`` is the host or actor that
    sends. ``remaining_ms`` is the time the whole call still has, in milliseconds; 0 says the
    receiver's default. ``chain`` names the actors that called one another, outermost first.
    ``attempt`` counts from 0. ``trace`` is a W3C traceparent. ``key`` is an idempotency key.
    """

    version: int
    kind: Kind
    id: _Name
    payload: bytes
    source: _Short = ""
    remaining_ms: Annotated[int, Meta(ge=0, le=MAX_REMAINING_MS)] = 0
    chain: Annotated[tuple[_Name, ...], Meta(max_length=MAX_CHAIN)] = ()
    attempt: Annotated[int, Meta(ge=0, le=1_000_000)] = 0
    trace: _Short = ""
    key: _Short = ""
    fault: Fault | None = None
