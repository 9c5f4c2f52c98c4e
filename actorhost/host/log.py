"""What an actor has written: its last lines, kept in memory and passed on to the host's log.

One :class:`ActorLog` for each actor, owned by it. Lines are bounded in length and number; guests'
control characters are escaped, so a line cannot pretend to be another. While somebody watches, each
new line is handed on as well.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Annotated, Final

from msgspec import Meta, Struct

from actorhost import clock
from actorhost.telemetry.log import Log

KEPT_LINES: Final = 1000
LONGEST_LINE: Final = 2000

_logger: Final = Log("actorhost.actor")


class Line(Struct, frozen=True, gc=False):
    """One line: `time_ns` since the Unix epoch, where it came from, and its text.

    `number` tells it from the others of its actor and host: one more than that of the line before.
    Those of an actor that was deployed again are higher, with a gap between.
    """

    time_ns: Annotated[int, Meta(ge=0, le=2**63 - 1)]
    source: str
    text: str
    number: int = 0


class ActorLog:
    """The last lines of actor `name`; `watch`, if there is one, takes each new line and never raises."""

    __slots__ = ("_lines", "_name", "last", "watch")

    def __init__(self, name: str) -> None:
        self._name = name
        self.last = clock.monotonic_ns()
        """Number of the last line. It starts at the clock, so a successor's numbers are higher."""
        self.watch: Callable[[Line], None] | None = None
        self._lines: deque[Line] = deque(maxlen=KEPT_LINES)

    def write(self, source: str, text: str) -> None:
        """Keep each line of `text`, which came from `source`."""
        for part in text.splitlines():
            self.last += 1
            line = Line(clock.wall_ns(), source, printable(part[:LONGEST_LINE]), self.last)
            self._lines.append(line)
            if self.watch is not None:
                self.watch(line)
            _logger.debug(line.text, actor=self._name, source=source)

    def tail(self, count: int) -> list[Line]:
        """Return the last `count` lines, oldest first."""
        return list(self._lines)[-count:] if count > 0 else []


def printable(text: str) -> str:
    """Return `text` on one line, with an escape for each character that a terminal might obey."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)
