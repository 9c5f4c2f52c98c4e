"""The logging backend that writes actors' lines to the host's own log.

Lines go to the logger ``actorhost.actor`` (:class:`actorhost.telemetry.log.Log`); each is marked
with the actor and the link, and guest text cannot add lines, colours or fields of ours.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from actorhost.contracts.logging import Level, Logging, WriteParams
from actorhost.contracts.provider import Config, Link
from actorhost.telemetry.log import Log

_RANK: Final = {level: rank for rank, level in enumerate(Level)}
# Loggers have no trace level: the line keeps its own name in the field guest_level.
_METHOD: Final = {level: level.value for level in Level} | {Level.TRACE: "debug", Level.WARN: "warning"}


class LoggingConfig(Config, frozen=True):
    """Configuration of the provider and of a link: the least level that is written."""

    level: Level = Level.TRACE


class HostLogging(Logging):
    """Lines in the host's log; see the module."""

    def __init__(self, config: Mapping[str, object], logger: Any = None) -> None:
        """Take the least level from `config`; `logger` stands in for the host's."""
        super().__init__(config)
        self._level = LoggingConfig.read(config, "provider logging").level
        self._logger = Log("actorhost.actor") if logger is None else logger

    def check_link(self, link: Link) -> None:
        """Refuse a link with an unknown level or key."""
        _level_of(link)

    async def write(self, link: Link, params: WriteParams) -> None:
        """Write one line, unless its level is below that of the provider or the link."""
        least = _level_of(link) if link.config else Level.TRACE
        if _RANK[params.level] < max(_RANK[least], _RANK[self._level]):
            return
        extra: dict[str, object] = {}
        if params.fields:
            extra["fields"] = {printable(name): printable(text) for name, text in params.fields}
        if params.level is Level.TRACE:
            extra["guest_level"] = params.level.value
        log = getattr(self._logger, _METHOD[params.level])
        log(printable(params.message), actor=str(link.actor), link=str(link.name), **extra)


def printable(text: str) -> str:
    r"""Return `text` with every character that could break or colour a line as ``\x1b`` or ``\u2028``."""
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)


def _level_of(link: Link) -> Level:
    owner = f"the link {link.name!r} of actor {link.actor!r} to {link.contract}"
    return LoggingConfig.read(link.config, owner).level
