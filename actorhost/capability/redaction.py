"""Keeps what a configuration says out of errors: the texts in it, and hiding them.

Pure. Applied to what foreign code put into an exception, never to our own words. Blunt on
purpose: nothing says which text is the password, so none of them is repeated.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
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


def redact(text: str, secrets: tuple[str, ...]) -> str:
    """Return `text` with each of `secrets` hidden."""
    for secret in secrets:
        text = text.replace(secret, _HIDDEN)
    return text
