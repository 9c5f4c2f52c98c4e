"""The access log: a line for each request, written in batches while requests are not waiting for it.

Owned by a listener, whose task empties it. What is noted waits in a bounded queue; what does not fit is
dropped, counted and told. Neither query nor headers nor bodies are in it.
"""

from __future__ import annotations

import asyncio
from typing import Final, NamedTuple

from actorhost.telemetry.log import Log

MOST: Final = 20_000
"""Lines that wait at most; they are written several times a second."""
UNKNOWN: Final = "-"
"""Method and path of what was turned away before it was a request."""
_BATCH: Final = 20
"""Lines between two looks of the event loop at requests: about half a millisecond."""
_SHOWN: Final = 300
"""Characters of a path that are shown."""

_log: Final = Log("actorhost.http")


class Line(NamedTuple):
    """One request: `sent` are bytes of the answer's body, `seconds` until the answer was ready.

    `fault` is the code that the call ended with, empty for a response; `reason` is what was wrong with an
    answer of the actor that is no response.
    """

    method: str
    path: str
    status: int
    sent: int
    seconds: float
    actor: str
    fault: str
    reason: str = ""


class AccessLog:
    """Lines that wait to be written."""

    def __init__(self) -> None:
        self._lines: list[Line] = []
        self._dropped = 0

    def note(self, line: Line) -> None:
        """Take one line, unless too many wait."""
        if len(self._lines) < MOST:
            self._lines.append(line)
        else:
            self._dropped += 1

    async def write(self) -> None:
        """Write what waits now."""
        lines, self._lines = self._lines, []
        dropped, self._dropped = self._dropped, 0
        for number, line in enumerate(lines, 1):
            _write(line)
            if number % _BATCH == 0:
                await asyncio.sleep(0)
        if dropped:
            _log.warning("access log lines dropped", lines=dropped)


def _write(line: Line) -> None:
    values: dict[str, object] = {
        "method": line.method,
        "path": _printable(line.path[:_SHOWN]),
        "status": line.status,
        "bytes": line.sent,
        "ms": round(line.seconds * 1000, 2),
        "actor": line.actor,
    }
    if line.fault:
        values["fault"] = line.fault
    if line.reason:
        values["reason"] = line.reason
    _log.info("http request", **values)


def _printable(text: str) -> str:
    return text if text.isprintable() else text.encode("unicode_escape").decode()
