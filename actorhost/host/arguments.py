"""What callers of the public face may give, checked before anything is sent.

Pure functions; a wrong value ends as :class:`~actorhost.errors.InvalidInput` at the caller instead
of as somebody else's exception further down.
"""

from __future__ import annotations

from typing import Final

from actorhost import clock
from actorhost.errors import InvalidInput, InvalidLimit
from actorhost.limits import Limits

MAX_TIMEOUT: Final = 3600.0
"""Seconds a call may take at most: what an envelope can say."""


def deadline_after(timeout: object, limits: Limits) -> float:
    """Return the monotonic time `timeout` seconds from now, or after the default when it is None.

    Raises :class:`InvalidLimit` for what is no time to wait: zero, less, not a number, over an hour.
    """
    if timeout is None:
        return clock.monotonic() + limits.call_timeout
    if not isinstance(timeout, int | float) or not 0 < timeout <= MAX_TIMEOUT:
        raise InvalidLimit(
            f"a timeout of {timeout!r} is out of range",
            hint=f"give seconds, more than 0 and at most {MAX_TIMEOUT:g}; leave it out for the default",
        )
    return clock.monotonic() + timeout


def payload_bytes(payload: object) -> bytes:
    """Return `payload` as bytes, or raise :class:`InvalidInput` when it is not bytes-like."""
    if isinstance(payload, bytes):
        return payload
    if isinstance(payload, bytearray | memoryview):
        return bytes(payload)
    raise InvalidInput(
        f"a payload is bytes, not {type(payload).__name__}",
        hint="encode it first: msgspec.msgpack.encode(value), or text.encode()",
    )
