"""nats-py's parser, made to end a connection as soon as what comes can no longer make sense.

Theirs raises whatever a broken word leads to, which ends the read loop and leaves a connection that
looks alive; and it waits without bound for the end of a word or message that will never come. Held by
one :class:`~actorhost.transport.nats.connection.Connection`, which replaces itself after an error.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from nats.errors import ProtocolError
from nats.protocol.parser import AWAITING_CONTROL_LINE, Parser

from actorhost.limits import KIB, MIB

MAX_LINE: Final = 64 * KIB
"""Bytes of a line, at most: of a server's INFO in a large cluster."""
MAX_MESSAGE: Final = 64 * MIB
"""Bytes of a message, at most: no server can be configured to carry more."""


class StrictParser(Parser):
    """Feeds `connection`.

    `heard` is called when bytes came, `parsed` when all of them have been delivered, and `failed` before
    an error is raised.
    """

    def __init__(
        self,
        connection: Any,
        heard: Callable[[], None],
        parsed: Callable[[], None],
        failed: Callable[[Exception], None],
    ) -> None:
        super().__init__(connection)
        self._heard = heard
        self._parsed = parsed
        self._failed = failed

    async def parse(self, data: bytes = b"") -> None:
        """Parse and dispatch; raises only nats-py's :class:`ProtocolError` and :class:`OSError`."""
        if data:
            self._heard()
        try:
            await super().parse(data)
            self._check_rest()
            self._parsed()
        except OSError:
            raise
        except ProtocolError as error:
            self._failed(error)
            raise
        except Exception as error:
            broken = ProtocolError(f"nats: what the server sent makes no sense: {error!r}")
            self._failed(broken)
            raise broken from error

    def _check_rest(self) -> None:
        """Refuse to wait for the rest of what was read when it cannot come."""
        if self.state == AWAITING_CONTROL_LINE:
            if len(self.buf) > MAX_LINE or b"\r\n" in self.buf:
                raise ProtocolError("nats: unknown protocol")
        elif not self.header_needed <= self.needed <= MAX_MESSAGE:
            raise ProtocolError(f"nats: a message of {self.needed} bytes")
