"""Payloads from outside made into what actors take: JSON and MessagePack checked, JSON translated.

Pure. Any bytes end as a payload or as an error that says what is wrong with them and holds nothing
of them. What is looked into is bounded in size and depth, as it is decoded between two messages.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import chain
from typing import Any, Final

import msgspec

from actorhost.errors import BadRequest, TooLarge
from actorhost.limits import KIB
from actorhost.manifest import PayloadFormat

MAX_LOOKED_INTO: Final = 64 * KIB
"""Bytes of JSON or MessagePack: the worst of them hold the event loop for less than 25 ms."""
MAX_DEPTH: Final = 32
"""Lists and maps around any value; a guest decodes them on a small stack."""

_NAMES: Final[Mapping[PayloadFormat, str]] = {
    PayloadFormat.JSON: "JSON",
    PayloadFormat.MESSAGEPACK: "MessagePack",
}
_DECODE: Final[Mapping[PayloadFormat, Callable[[bytes], Any]]] = {
    PayloadFormat.JSON: msgspec.json.Decoder().decode,
    PayloadFormat.MESSAGEPACK: msgspec.msgpack.Decoder().decode,
}
_encode: Final = msgspec.msgpack.Encoder().encode
_CONTAINERS: Final = frozenset((dict, list, tuple))
_OTHERS: Final[Mapping[PayloadFormat, bytes]] = {
    PayloadFormat.JSON: bytes({*range(256)} - {*b"[{"}),
    PayloadFormat.MESSAGEPACK: bytes({*range(256)} - {*range(0x80, 0xA0), *range(0xDC, 0xE0)}),
}
"""Bytes that begin no list or map."""
_SUBJECT_KEY: Final = b"\x82" + _encode("subject")
_PAYLOAD_KEY: Final = _encode("payload")


def convert(form: PayloadFormat, data: bytes) -> bytes:
    """Return `data`, which is of that `form`, as an actor takes it: JSON becomes MessagePack.

    Of keys that come twice in a JSON object the last one counts; numbers that JSON does not have
    (NaN, infinities) and integers of more than 64 bits are refused. MessagePack and raw bytes stay
    as they are. Raises :class:`BadRequest` and :class:`TooLarge`.
    """
    if form is PayloadFormat.RAW:
        return data
    if len(data) > MAX_LOOKED_INTO:
        raise TooLarge(
            f"{len(data)} bytes of {_NAMES[form]} are over {MAX_LOOKED_INTO}",
            hint="send less at a time, or take it as raw",
        )
    try:
        value = _DECODE[form](data)
        # Nearly every message has too few lists and maps to be too deep, and need not be walked.
        few = len(data.translate(None, _OTHERS[form])) <= MAX_DEPTH
        deep = not few and nested_deeper(value, MAX_DEPTH)
        result = _encode(value) if form is PayloadFormat.JSON and not deep else data
    except RecursionError:
        deep, result = True, b""
    except (msgspec.MsgspecError, UnicodeDecodeError, OverflowError, ValueError) as error:
        raise BadRequest(
            f"the payload is not {_NAMES[form]}: {_reason(error)}",
            hint="correct the sender, or the payload property of the ingest trait",
        ) from None
    if deep:
        raise BadRequest(
            f"the payload has values more than {MAX_DEPTH} lists and maps deep", hint="send a flatter one"
        )
    return result


def with_subject(form: PayloadFormat, subject: str, payload: bytes) -> bytes:
    """Return the map of `subject` and `payload`, which :func:`convert` has returned; raw becomes bin."""
    value = _encode(payload) if form is PayloadFormat.RAW else payload
    return b"".join((_SUBJECT_KEY, _encode(subject), _PAYLOAD_KEY, value))


def nested_deeper(value: object, depth: int) -> bool:
    """Whether any value in `value` has more than `depth` lists and maps around it."""
    level: list[Any] = [value] if type(value) in _CONTAINERS and value else []
    for _ in range(depth):
        inner = chain.from_iterable((*each, *each.values()) if type(each) is dict else each for each in level)
        level = [each for each in inner if type(each) in _CONTAINERS and each]
        if not level:
            return False
    return bool(level)


def _reason(error: Exception) -> str:
    """Return what a decoder says; text that is not UTF-8 would be repeated in its message."""
    return "a text in it is not UTF-8" if isinstance(error, UnicodeDecodeError) else str(error)
