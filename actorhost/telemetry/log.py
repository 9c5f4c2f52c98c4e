"""Structured logs: one line an event, as text for people or as JSON for programs, to one stream.

:func:`configure` is called once by a program that owns its process, as the command line does; a
program that embeds a host configures structlog itself, or logging. Lines of the standard library's logging
(asyncio's, say) go the same way. Values that look like secrets are blotted out before a line is made.
"""

from __future__ import annotations

import contextlib
import functools
import logging
import os
import re
import traceback
from collections.abc import Mapping, MutableMapping
from datetime import UTC, datetime
from typing import Any, Final, TextIO

import structlog
from structlog.typing import EventDict, Processor

from actorhost import clock
from actorhost.errors import InvalidInput
from actorhost.telemetry.addresses import BLOT, without_users

LEVELS: Final[Mapping[str, int]] = {
    "debug": logging.DEBUG,
    "info": logging.INFO,
    "warning": logging.WARNING,
    "error": logging.ERROR,
    "critical": logging.CRITICAL,
}
FORMATS: Final = ("text", "json")
LEVEL_VARIABLE: Final = "ACTORHOST_LOG"

_SECRET_KEY: Final = re.compile(
    r"pass(word|wd|phrase)|secret|token|credential|authorization|api_?key|cookie|seed", re.IGNORECASE
)


def configure(stream: TextIO, *, level: str = "info", style: str = "") -> None:
    """Log to `stream` what is at least as grave as `level`, for the whole process.

    `style` is ``text`` or ``json``; empty is text on a terminal and JSON elsewhere. Raises
    :class:`InvalidInput` for a level or style that there is not.
    """
    if level.lower() not in LEVELS:
        raise InvalidInput(f"{level!r} is no log level", hint=f"use one of {', '.join(LEVELS)}")
    if style and style not in FORMATS:
        raise InvalidInput(f"{style!r} is no log format", hint=f"use one of {', '.join(FORMATS)}")
    number = LEVELS[level.lower()]
    structlog.configure(
        processors=_processors(style or ("text" if stream.isatty() else "json"), stream),
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=lambda *names: _Logger(stream, str(names[0]) if names else ""),
        cache_logger_on_first_use=True,
    )
    logging.basicConfig(handlers=[_Forward()], level=max(number, logging.WARNING), force=True)


def bug(logger: Log, event: str, **values: Any) -> None:
    """Log the exception being handled, which is a bug of ours, as text without anybody's data.

    structlog's own way with exceptions shows the local variables of every frame where nothing else
    was configured: payloads and secrets among them.
    """
    logger.error(event, traceback=traceback.format_exc(), **values)


class Log:
    """A logger of this package: structlog's if the program configured that, else the standard library's.

    Unconfigured, structlog prints everything to standard output, where a program that embeds a host
    may be writing its own.
    """

    __slots__ = ("_plain", "_structured")

    def __init__(self, name: str) -> None:
        self._structured = structlog.get_logger(name)
        self._plain = logging.getLogger(name)

    def debug(self, event: str, **values: Any) -> None:
        """Log what only somebody who looks for a fault wants to know."""
        self._log("debug", event, values)

    def info(self, event: str, **values: Any) -> None:
        """Log what an operator wants to know."""
        self._log("info", event, values)

    def warning(self, event: str, **values: Any) -> None:
        """Log what may need somebody."""
        self._log("warning", event, values)

    def error(self, event: str, **values: Any) -> None:
        """Log what needs somebody."""
        self._log("error", event, values)

    def critical(self, event: str, **values: Any) -> None:
        """Log what an actor calls critical; nothing of ours is worse than an error."""
        self._log("critical", event, values)

    def _log(self, method: str, event: str, values: dict[str, Any]) -> None:
        if structlog.is_configured():
            getattr(self._structured, method)(event, **values)
        elif self._plain.isEnabledFor(LEVELS[method]):
            told = " ".join(f"{name}={value!r}" for name, value in blot(None, method, values).items())
            self._plain.log(LEVELS[method], "%s %s", event, told)


class _Logger:
    """Writes finished lines to `stream`; one that nobody reads any more ends nothing but the line."""

    def __init__(self, stream: TextIO, name: str) -> None:
        self._stream = stream
        self.name = name

    def msg(self, line: str) -> None:
        """Write one line."""
        with contextlib.suppress(OSError, ValueError):  # gone, or closed
            self._stream.write(line + "\n")
            self._stream.flush()

    debug = info = warning = error = exception = critical = msg


class _Forward(logging.Handler):
    """Passes records of the standard library's logging on to structlog."""

    def emit(self, record: logging.LogRecord) -> None:
        logger = structlog.get_logger(record.name)
        logger.log(record.levelno, record.getMessage(), exc_info=record.exc_info or None)


def _processors(style: str, stream: TextIO) -> list[Processor]:
    first: list[Processor] = [
        structlog.stdlib.add_logger_name,
        structlog.processors.add_log_level,
        _add_time,
    ]
    if style == "json":
        return [*first, _join_tracebacks, blot, structlog.processors.JSONRenderer()]
    colours = stream.isatty() and not os.environ.get("NO_COLOR")
    renderer = structlog.dev.ConsoleRenderer(
        colors=colours, exception_formatter=structlog.dev.plain_traceback
    )
    return [*first, _join_tracebacks, blot, renderer]


def _join_tracebacks(logger: Any, method: str, event: EventDict) -> EventDict:
    """Put a traceback under ``exception``, whether it comes as text or is to be made."""
    event = structlog.processors.format_exc_info(logger, method, event)
    if "traceback" in event:
        event["exception"] = event.pop("traceback")
    return event


def _add_time(_logger: Any, _method: str, event: EventDict) -> EventDict:
    moment = datetime.fromtimestamp(clock.wall_ns() / 1e9, UTC)
    event["timestamp"] = moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return event


def blot(_logger: Any, _method: str, event: EventDict) -> EventDict:
    """Blot out values whose key names a secret, and the user part of URLs in any text."""
    return _blotted(event)


@functools.lru_cache(maxsize=1024)
def _names_secret(key: str) -> bool:
    return _SECRET_KEY.search(key) is not None


def _blotted(values: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    for key, value in values.items():
        if _names_secret(key):
            values[key] = BLOT
        elif isinstance(value, str):
            values[key] = without_users(value)
        elif isinstance(value, dict):
            values[key] = _blotted(dict(value))
        elif isinstance(value, list):
            values[key] = [without_users(item) if isinstance(item, str) else item for item in value]
    return values
