"""Names of a bucket's stream and subjects: any text as one token of a subject, and back.

Pure. A token is the percent-encoding of the text, the longest 3 KiB, which fits a server's control
line. Streams may be called less than that, so their names have ``=`` for ``%``, and a long one is a hash.
"""

from __future__ import annotations

import hashlib
import re
from typing import Final
from urllib.parse import quote, unquote_to_bytes

_LONGEST_NAME: Final = 120
_MARK: Final = "expires"
_LEFT: Final = re.compile(r"[.~]")
"""What :func:`quote` leaves as it is, and is not wanted in a token."""


class Subjects:
    """The subjects of bucket `name`; ``patterns`` are all of them, as a stream's configuration has it."""

    def __init__(self, name: str) -> None:
        token = _token(name)
        if len(token) > _LONGEST_NAME:
            # No token of a shorter name begins with a percent sign that no two hex digits follow.
            token = f"%long-{hashlib.sha256(name.encode()).hexdigest()}"
        self.stream: Final = f"AHKV_{token}".replace("%", "=")
        self._prefix: Final = f"ahkv.{token}."
        self.all: Final = f"{self._prefix}>"
        self.patterns: Final = (f"{self._prefix}*", f"{self._prefix}*.{_MARK}")

    def of(self, key: str) -> str:
        """Return the subject of the entry under `key`."""
        return self._prefix + _token(key)

    def mark(self, key: str) -> str:
        """Return the subject that marks `key` as one that may expire."""
        return f"{self._prefix}{_token(key)}.{_MARK}"

    def parse(self, subject: str) -> tuple[bytes, bool]:
        """Return the key of `subject`, and whether it is that of the key's mark."""
        token, _, mark = subject[len(self._prefix) :].partition(".")
        return unquote_to_bytes(token), bool(mark)


def _token(text: str) -> str:
    """Return `text` as one token of a subject."""
    return _LEFT.sub(lambda found: f"%{ord(found[0]):02X}", quote(text, safe=""))
