"""Keeps what a configuration says out of errors: describes foreign ones without its texts.

Pure. What foreign code put into an exception is blunt on purpose: nothing says which text of a
configuration is the password, so none of them is repeated. Our own words and those of providers may
name a bucket or a path, so only the values of references, known to be secrets, are blotted out there.
"""

from __future__ import annotations

import json
import re
import traceback
from collections.abc import Iterable, Mapping
from pathlib import PurePath
from typing import Final
from urllib.parse import quote, quote_plus

from actorhost.errors import ActorhostError, ConfigRefused

_LEAST: Final = 4
"""Shorter texts are no secrets, and hiding them would garble the rest of a message."""
_HIDDEN: Final = "***"
_WITHHELD: Final = "the message is withheld, as a secret in it could not be blotted out"
_BETWEEN_URL_PARTS: Final = re.compile(r"[:/@?&=]+")


def secrets_of(config: object) -> tuple[str, ...]:
    """Return the texts in `config`, and the parts of the URLs among them, longest first."""
    found: set[str] = set()
    pending: list[object] = [config]
    while pending:
        value = pending.pop()
        if isinstance(value, str):
            found.update((value, *_BETWEEN_URL_PARTS.split(value)))
        elif isinstance(value, Mapping):
            pending.extend(value.values())
        elif isinstance(value, list | tuple):
            pending.extend(value)
    return _ordered(text for text in found if len(text) >= _LEAST)


def spellings_of(values: Iterable[str]) -> tuple[str, ...]:
    """Return the secrets `values` as they may come up in a text, longest first.

    That is as they are, as Python and JSON write them, as they stand in a URL, and line by line.
    """
    found: set[str] = set()
    for value in values:
        found.update((value, repr(value)[1:-1], json.dumps(value)[1:-1], quote(value, safe="")))
        found.update((quote(value), quote_plus(value)))
        found.update(line for line in map(str.strip, value.splitlines()) if len(line) >= _LEAST)
    return _ordered(found)


def blotted(text: str, secrets: Iterable[str]) -> str:
    """Return `text` with each of `secrets`, longest first, hidden.

    Nothing of it is left if one is too short to be hidden alone, or escaped in a way of its own.
    """
    for secret in secrets:
        if len(secret) >= _LEAST:
            text = text.replace(secret, _HIDDEN)
    # An exception that quotes an exception that quotes a text escapes it twice, and so on.
    bare = text.replace("\\", "")
    return _WITHHELD if any(secret.replace("\\", "") in bare for secret in secrets) else text


def blot(error: ActorhostError, secrets: tuple[str, ...]) -> None:
    """Hide each of `secrets` in `error`, which a provider raised.

    What led to it is cut off, as a traceback would print that too.
    """
    if not secrets:
        return
    error.message = blotted(error.message, secrets)
    error.hint = blotted(error.hint, secrets)
    error.where = blotted(error.where, secrets)
    error.args = (error.message,)
    if isinstance(error, ConfigRefused):
        error.faults = ()
    error.__cause__ = error.__context__ = None
    if notes := getattr(error, "__notes__", None):
        error.__notes__ = [blotted(str(note), secrets) for note in notes]


def describe(error: BaseException, secrets: tuple[str, ...]) -> str:
    """Return class, message and place of a foreign exception, with each of `secrets` hidden.

    Stands in for the traceback, which could repeat a secret in any log it reaches.
    """
    text = f"{type(error).__name__}: {blotted(str(error), secrets)}"
    frames = list(traceback.walk_tb(error.__traceback__))
    if not frames:
        return text
    frame, line = frames[-1]
    return f"{text} ({PurePath(frame.f_code.co_filename).name}:{line})"


def _ordered(texts: Iterable[str]) -> tuple[str, ...]:
    """Longest first: a part must not be hidden before the whole, or the rest of it would be left."""
    return tuple(sorted(set(texts), key=len, reverse=True))
