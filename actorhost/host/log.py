"""What an actor has written: its last lines, kept in memory and passed on to the host's log.

One :class:`ActorLog` for each actor, owned by it. Lines are bounded in length and number; guests'
control characters are escaped, so a line cannot pretend to be another.
"""

from __future__ import annotations

from collections import deque
from typing import Final

from msgspec import Struct

from actorhost import clock
from actorhost.telemetry.log import Log

KEPT_LINES: Final = 1000
LONGEST_LINE: Final = 2000

_logger: Final = Log("actorhost.actor")


class Line(Struct, frozen=True, gc=False):
    """One line: `time_ns` since the Unix epoch, where it came from, and its text."""

    time_ns: int
    source: str
    text: str


class ActorLog:
    """The last lines of actor `name`."""

    __slots__ = ("_lines", "_name")

    def __init__(self, name: str) -> None:
        self._name = name
        self._lines: deque[Line] = deque(maxlen=KEPT_LINES)

    def write(self, source: str, text: str) -> None:
        """Keep each line of `text`, which came from `source`."""
        for part in text.splitlines():
            line = Line(clock.wall_ns(), source, _printable(part[:LONGEST_LINE]))
            self._lines.append(line)
            _logger.debug(line.text, actor=self._name, source=source)

    def tail(self, count: int) -> list[Line]:
        """Return the last `count` lines, oldest first."""
        return list(self._lines)[-count:] if count > 0 else []


def _printable(text: str) -> str:
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)
