"""Imports nats-py without the HTTP client that only its WebSockets need.

That is a tenth of a second and 10 MB for each command and host. Whoever uses nats-py's WebSockets in
the same program gets the HTTP client then.
"""

from __future__ import annotations

import importlib
import sys
from typing import Any, Final

_HTTP: Final = "aiohttp"
_USER: Final = "nats.aio.transport"


class _Later:
    """Stands for the HTTP client until something of it is wanted."""

    def __getattr__(self, name: str) -> Any:
        return getattr(importlib.import_module(_HTTP), name)


def import_client() -> None:
    """Import nats-py, unless it is there already."""
    if _HTTP in sys.modules or _USER in sys.modules:
        return
    sys.modules[_HTTP] = None  # type: ignore[assignment]  # what an import then fails for, as nats-py allows
    try:
        user: Any = importlib.import_module(_USER)
    finally:
        del sys.modules[_HTTP]
    user.aiohttp = _Later()
