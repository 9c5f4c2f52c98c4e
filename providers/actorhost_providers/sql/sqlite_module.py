"""A copy of the standard library's SQLite module that gives booleans and timestamps back as such.

Declared types are only to be had through the module's converters, which are global: entered in
``sqlite3`` itself they would change the rows of every other user in the process, and its own, for
DATE and TIMESTAMP, would change ours. A second copy of the extension module has converters of its
own. Its exceptions are its own, too: catch those of :data:`sqlite`. Lives as long as the process.
"""

from __future__ import annotations

import importlib.util
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import sqlite3 as sqlite

__all__ = ["sqlite", "stored_timestamp"]


def _own_copy() -> Any:
    spec = importlib.util.find_spec("_sqlite3")
    if spec is None or spec.loader is None:
        raise ImportError("this Python was built without SQLite")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    module.register_converter("BOOLEAN", _boolean)
    module.register_converter("TIMESTAMPTZ", _timestamp)
    return module


def stored_timestamp(moment: datetime) -> str:
    """Return how a moment is stored: text of one width in UTC, so that order is that of time."""
    utc = moment.astimezone(UTC).replace(tzinfo=None)
    return f"{utc.isoformat(timespec='microseconds')}Z"


def _boolean(stored: bytes) -> object:
    """Return a field of a column declared BOOLEAN; what is neither 0 nor 1 stays what it is."""
    if stored in (b"0", b"1"):
        return stored == b"1"
    for kind in (int, float):
        try:
            return kind(stored)
        except ValueError:
            continue
    return stored.decode(errors="replace")


def _timestamp(stored: bytes) -> object:
    """Return a field of a column declared TIMESTAMPTZ; what is stored in another way stays text."""
    text = stored.decode(errors="replace")
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return text
    ours = moment.tzinfo is not None and stored_timestamp(moment) == text
    return moment.astimezone(UTC) if ours else text


if not TYPE_CHECKING:
    sqlite = _own_copy()
