"""The Python face of ``actorhost:logging``: lines for the log of the host.

``wit/logging.wit`` is the specification. Pure: no I/O, no state.
"""

from __future__ import annotations

from abc import abstractmethod
from enum import StrEnum
from typing import Annotated, ClassVar, Final

from msgspec import Meta

from actorhost.contracts.base import Contract, Effect, Operation, Params
from actorhost.contracts.provider import Link, Provider
from actorhost.errors import BadRequest, TooLarge

MAX_MESSAGE: Final = 16 * 1024
"""Longest message, in bytes of UTF-8."""
MAX_FIELDS: Final = 64
"""Most fields beside a message."""
MAX_FIELD_NAME: Final = 64
"""Longest name of a field, in bytes of UTF-8."""
MAX_FIELD_TEXT: Final = 4 * 1024
"""Longest text of a field, in bytes of UTF-8."""


class Level(StrEnum):
    """How much a line matters, least first."""

    TRACE = "trace"
    DEBUG = "debug"
    INFO = "info"
    WARN = "warn"
    ERROR = "error"
    CRITICAL = "critical"


Fields = Annotated[list[tuple[str, str]], Meta(max_length=MAX_FIELDS)]
"""Names and texts kept beside a message."""


class WriteParams(Params, frozen=True):
    """Parameters of ``write``."""

    level: Level
    message: str
    fields: Fields | None = None

    def __post_init__(self) -> None:
        """Refuse text that is too long, and a field without a name."""
        _check(self.message, "message", MAX_MESSAGE)
        for name, text in self.fields or ():
            if not name:
                raise BadRequest(
                    "a field without a name", hint=f"a name has 1 to {MAX_FIELD_NAME} bytes of UTF-8"
                )
            _check(name, "field name", MAX_FIELD_NAME)
            _check(text, "field text", MAX_FIELD_TEXT)


def _check(text: str, what: str, most: int) -> None:
    # A character is at most four bytes: most texts need no encoding to be known to be in bounds.
    if len(text) > most // 4 and len(text.encode()) > most:
        raise TooLarge(
            f"a {what} of {len(text.encode())} bytes", hint=f"a {what} has {most} bytes of UTF-8 at most"
        )


CONTRACT: Final = Contract.of(
    "actorhost:logging",
    "0.1.0",
    Operation("write", Effect.WRITE, idempotent=False, params=WriteParams, result=None),
)


class Logging(Provider):
    """A backend of ``actorhost:logging``."""

    contract: ClassVar[Contract] = CONTRACT

    @abstractmethod
    async def write(self, link: Link, params: WriteParams) -> None:
        """Write one line, unless its level is below the link's."""
