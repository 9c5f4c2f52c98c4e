"""Keeps what a configuration says out of errors: describes foreign ones without its texts.

Pure. Applied to what foreign code put into an exception, never to our own words. Blunt on
purpose: nothing says which text is the password, so none of them is repeated.
"""

from __future__ import annotations

import re
import traceback
from collections.abc import Mapping
from pathlib import PurePath
from typing import Final

_LEAST: Final = 4
"""Shorter texts are no secrets, and hiding them would garble the rest of a message."""
_HIDDEN: Final = "***"
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
    return tuple(sorted((text for text in found if len(text) >= _LEAST), key=len, reverse=True))


def describe(error: BaseException, secrets: tuple[str, ...]) -> str:
    """Return class, message and place of a foreign exception, with each of `secrets` hidden.

    Stands in for the traceback, which could repeat a secret in any log it reaches.
    """
    text = f"{type(error).__name__}: {error}"
    for secret in secrets:
        text = text.replace(secret, _HIDDEN)
    frames = list(traceback.walk_tb(error.__traceback__))
    if not frames:
        return text
    frame, line = frames[-1]
    return f"{text} ({PurePath(frame.f_code.co_filename).name}:{line})"
