"""Words for findings: short, printable and free of surprises, whatever the manifest holds.

Pure functions; nothing is kept.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection, Iterable
from typing import Final

from actorhost.limits import KIB, MIB

_MAX_SHOWN: Final = 60
_MAX_CANDIDATES: Final = 500
_PLAIN_KEY: Final = re.compile(r"[A-Za-z0-9_-]{1,60}")
_SIZE_UNITS: Final = ((1024 * MIB, "GiB"), (MIB, "MiB"), (KIB, "KiB"))


def shown(text: str) -> str:
    """Return `text` in quotes, shortened, with everything unprintable escaped."""
    return repr(text if len(text) <= _MAX_SHOWN else text[: _MAX_SHOWN - 3] + "...")


def step(key: str) -> str:
    """Return how `key` is written in a key path."""
    return key if _PLAIN_KEY.fullmatch(key) else shown(key)


def listed(words: Iterable[str]) -> str:
    """Return `words` separated by commas."""
    return ", ".join(words)


def nearest(word: str, candidates: Collection[str]) -> str:
    """Return the candidate that `word` was probably meant to be, or ``""``.

    Gives up on long words and many candidates: comparing costs their product.
    """
    if len(word) > _MAX_SHOWN or len(candidates) > _MAX_CANDIDATES:
        return ""
    found = difflib.get_close_matches(word, candidates, n=1, cutoff=0.6)
    return found[0] if found else ""


def suggestion(word: str, candidates: Collection[str], what: str) -> str:
    """Return the hint for a `word` that is none of the candidates, which are all `what`."""
    guess = nearest(word, candidates)
    if guess:
        return f"did you mean {guess}?"
    if not candidates:
        return f"there are no {what}"
    few = sorted(candidates)[:20]
    return f"{what} are {listed(few)}" + (", ..." if len(candidates) > len(few) else "")


def size(count: int) -> str:
    """Return `count` bytes the way a manifest writes them."""
    for unit, name in _SIZE_UNITS:
        if count >= unit and count % unit == 0:
            return f"{count // unit}{name}"
    return str(count)


def duration(seconds: float) -> str:
    """Return `seconds` the way a manifest writes them."""
    return f"{seconds:g}s" if seconds >= 1 else f"{seconds * 1000:g}ms"
