"""Payloads as people type and read them: JSON here, MessagePack on the wire.

What JSON lacks is written as an object with one key that starts with ``$``:
``{"$bytes": BASE64}``, ``{"$map": [[KEY, VALUE], ...]}`` for keys that are not text,
``{"$ext": [CODE, BASE64]}`` and ``{"$float": "nan"}`` (or ``inf``, ``-inf``). The way there and back
gives the same bytes' meaning.
"""

from __future__ import annotations

import base64
import binascii
import json
import math
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO, Final

import msgspec

from actorhost.cli.json_text import json_text
from actorhost.errors import InvalidInput
from actorhost.limits import MIB

_LARGEST: Final = 512 * MIB
"""Bytes of a file: what the largest module may have."""
_DIGITS: Final = 21
"""More than any integer of MessagePack has, with its sign."""
_QUOTES: Final = "JSON text needs quotes: '\"hello\"'; use --raw to send the text as it is"
_INTEGERS: Final = "integers are from -2**63 to 2**64-1; send larger ones as text"
_NESTING: Final = "a few hundred levels are the most; send deeper values as bytes, with --raw or --hex"
_CHARACTERS: Final = (
    'half of a surrogate pair is no character: write the other half too, or {"$bytes": BASE64}'
)
_ENCODING: Final = "JSON is UTF-8; use --raw to send bytes as they are"
_FORMS: Final = (
    'the forms of what JSON lacks are {"$bytes": BASE64}, {"$map": [[KEY, VALUE], ...]}, '
    '{"$ext": [CODE, BASE64]}, {"$float": TEXT}'
)
_MARKS: Final = ("$bytes", "$map", "$ext", "$float")
_decoder: Final = msgspec.msgpack.Decoder()


def read(argument: str | None, *, raw: bool = False, hexadecimal: bool = False) -> bytes:
    """Return the payload `argument` stands for.

    None is no bytes; ``@FILE`` is read from a file and ``-`` from standard input. `raw` takes the
    content as it is, `hexadecimal` as hex digits, otherwise it is JSON and becomes MessagePack.
    Raises :class:`InvalidInput`.
    """
    if argument is None:
        return b""
    content = _content(argument)
    if raw:
        return content
    if hexadecimal:
        try:
            return bytes.fromhex(content.decode("ascii"))
        except ValueError:
            raise InvalidInput("the payload is not hexadecimal", hint="give pairs of digits 0-9a-f") from None
    return from_json(content)


def from_json(content: bytes) -> bytes:
    """Return the JSON in `content` as MessagePack, or raise :class:`InvalidInput`."""
    try:
        return msgspec.msgpack.encode(_to_value(json.loads(content, parse_int=_integer)))
    except (ValueError, LookupError, RecursionError, OverflowError, TypeError) as error:
        raise InvalidInput(f"the payload is not JSON that can be sent: {error}", hint=_hint(error)) from None


def _hint(error: Exception) -> str:
    """Return what to do about an error of :func:`from_json`."""
    hints = {
        json.JSONDecodeError: _QUOTES,
        RecursionError: _NESTING,
        OverflowError: _INTEGERS,
        UnicodeEncodeError: _CHARACTERS,
        UnicodeDecodeError: _ENCODING,
    }
    return next((hint for kind, hint in hints.items() if isinstance(error, kind)), _FORMS)


def _integer(digits: str) -> int:
    # Python has a limit of its own far above ours, and words it for programmers.
    if len(digits) > _DIGITS:
        raise OverflowError(f"an integer of {len(digits)} digits")
    return int(digits)


def show(payload: bytes) -> str:
    """Return `payload` for people: JSON if it is one MessagePack value, else text, else hex."""
    known, value = decoded(payload)
    if known:
        return json_text(value)
    try:
        text = payload.decode()
    except UnicodeDecodeError:
        return payload.hex(" ")
    return text if text.isprintable() else payload.hex(" ")


def decoded(payload: bytes) -> tuple[bool, Any]:
    """Return whether `payload` is one MessagePack value, and that value as JSON can hold it."""
    if not payload:
        return True, None
    try:
        return True, _to_json(_decoder.decode(payload))
    except (msgspec.DecodeError, ValueError, RecursionError, TypeError):
        return False, None


def as_json(payload: bytes) -> Any:
    """Return `payload` as a JSON value: decoded if it is MessagePack, else ``{"$bytes": ...}``."""
    known, value = decoded(payload)
    return value if known else _bytes(payload)


def _content(argument: str) -> bytes:
    if argument == "-":
        with _readable("standard input"):
            return _read(sys.stdin.buffer, "standard input")
    if argument.startswith("@"):
        return read_file(argument[1:])
    return argument.encode("utf-8", "surrogateescape")


def read_file(name: str | Path) -> bytes:
    """Return the bytes of a file, or raise :class:`InvalidInput` with the system's reason."""
    with _readable(name), Path(name).open("rb") as file:
        return _read(file, str(name))


@contextmanager
def _readable(name: str | Path) -> Iterator[None]:
    try:
        yield
    except (OSError, ValueError) as error:  # the latter for a name with a NUL in it
        reason = error.strerror if isinstance(error, OSError) else error
        raise InvalidInput(f"cannot read {name}: {reason}", hint="is the path right?") from None


def _read(file: BinaryIO, name: str) -> bytes:
    content = bytearray()
    while part := file.read(MIB):
        content += part
        if len(content) > _LARGEST:
            raise InvalidInput(f"{name} has more than {_LARGEST // MIB} MiB", hint="is it the right one?")
    return bytes(content)


def _bytes(content: bytes) -> dict[str, str]:
    return {"$bytes": base64.b64encode(content).decode("ascii")}


def _to_json(value: Any) -> Any:
    if isinstance(value, bytes):
        return _bytes(value)
    if isinstance(value, list | tuple):  # an array that is a key comes as a tuple
        return [_to_json(item) for item in value]
    if isinstance(value, dict):
        return _map_to_json(value)
    if isinstance(value, float) and not math.isfinite(value):
        return {"$float": str(value)}
    if isinstance(value, msgspec.msgpack.Ext):
        return {"$ext": [value.code, base64.b64encode(bytes(value.data)).decode("ascii")]}
    return value.isoformat() if isinstance(value, datetime) else value


def _map_to_json(value: dict[Any, Any]) -> dict[str, Any]:
    # A map whose only key looks like one of ours would read back as something else.
    if all(isinstance(key, str) for key in value) and not _is_marked(value):
        return {key: _to_json(item) for key, item in value.items()}
    return {"$map": [[_to_json(key), _to_json(item)] for key, item in value.items()]}


def _is_marked(value: dict[Any, Any]) -> bool:
    return len(value) == 1 and next(iter(value)) in _MARKS


def _to_value(value: Any) -> Any:
    if isinstance(value, list):
        return [_to_value(item) for item in value]
    if not isinstance(value, dict):
        return value
    if not _is_marked(value):
        return {key: _to_value(item) for key, item in value.items()}
    ((kind, inner),) = value.items()
    if kind == "$map":
        return {_to_key(key): _to_value(item) for key, item in inner}
    if kind == "$ext":
        return msgspec.msgpack.Ext(inner[0], _unbase64(inner[1]))
    return float(inner) if kind == "$float" else _unbase64(inner)


def _to_key(value: Any) -> Any:
    key = _to_value(value)
    return tuple(key) if isinstance(key, list) else key


def _unbase64(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error as error:
        raise ValueError(f"not base64: {error}") from None
