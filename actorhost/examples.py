"""Where the example guests and manifests are: in a clone of the project, or inside the package.

The wheel carries the few files that ``actorhost demo`` and ``actorhost bench`` need, laid out like
the clone.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from actorhost.errors import InvalidInput

_HERE: Final = Path(__file__).resolve().parent
_ROOTS: Final = (_HERE.parent, _HERE / "bundle")


def example(name: str) -> Path:
    """Return the file `name`, such as ``actors/echo/echo.wasm``; raises :class:`InvalidInput`."""
    for root in _ROOTS:
        if (root / name).is_file():
            return root / name
    raise InvalidInput(f"the example {name} is not here", hint="run this in a clone of the project")
