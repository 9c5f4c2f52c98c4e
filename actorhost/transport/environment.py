"""The environment of our own servers and guards: what a program needs to start, and nothing else.

The host's own environment may hold secrets that are no business of theirs.
"""

from __future__ import annotations

import os
from typing import Final

_NEEDED: Final = frozenset(
    ["PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "TZ", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH"]
)


def bare_environment() -> dict[str, str]:
    """Return the few variables that any program may need."""
    return {name: value for name, value in os.environ.items() if name in _NEEDED}
