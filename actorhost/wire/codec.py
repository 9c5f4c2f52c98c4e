"""Envelopes to bytes and back: any bytes give an envelope or a :class:`ProtocolError`."""

from __future__ import annotations

from typing import Final

import msgspec

from actorhost.errors import ProtocolError
from actorhost.wire.envelope import VERSION, Envelope, Kind

_encoder: Final = msgspec.msgpack.Encoder()
_decoder: Final = msgspec.msgpack.Decoder(Envelope)
_loose: Final = msgspec.msgpack.Decoder()

encode: Final = _encoder.encode
"""Return an envelope as MessagePack."""


def decode(data: bytes) -> Envelope:
    """Return the envelope in `data`; raises :class:`ProtocolError` saying what is wrong with it."""
    try:
        envelope = _decoder.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ProtocolError(*_refusal(data, error)) from None
    if envelope.version != VERSION or (envelope.kind is Kind.FAULT) != (envelope.fault is not None):
        raise ProtocolError(*_refusal(data, None))
    return envelope


class Template:
    """What is sent for many calls, and encoded once: `envelope`, whose id is left empty."""

    __slots__ = ("_head", "_tail")

    def __init__(self, envelope: Envelope) -> None:
        data = encode(envelope)
        # An array of fewer than 16, two small numbers and the id: a byte each.
        self._head, self._tail = data[:3], data[4:]

    def encode(self, call_id: str) -> bytes:
        """Return the envelope for the call `call_id` as MessagePack."""
        return b"".join((self._head, _encoder.encode(call_id), self._tail))


def _refusal(data: bytes, error: Exception | None) -> tuple[str]:
    version = _version_of(data)
    if version is not None and version != VERSION:
        return (f"an envelope of version {version}, and this host speaks version {VERSION}",)
    reason = str(error) if error else "a fault envelope must carry a fault, and no other may"
    return (f"the body of {len(data)} bytes is not an envelope: {reason}",)


def _version_of(data: bytes) -> int | None:
    """Return the version an envelope of any version says it has."""
    try:
        values = _loose.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, ValueError):
        return None
    if isinstance(values, list) and values and isinstance(values[0], int) and not isinstance(values[0], bool):
        return values[0]
    return None
