"""Requests to a NATS server for the key-value backend, and what is known when one fails.

Owned by the provider: one connection, which replaces itself when it breaks. Each request ends at
the time-out. While there is no connection requests are refused, so nothing is sent late.
"""

from __future__ import annotations

from typing import Any, Final

import msgspec
import nats
import nats.errors
from nats.aio.client import Client

from actorhost.errors import Closed, OutcomeUnknown, ProtocolError, ProviderFailed

_RECONNECT_WAIT: Final = 0.25
_PING_INTERVAL: Final = 2
_INBOX: Final = "_INBOX_AHKV"


class Requests:
    """A connection for requests that take at most `timeout` seconds."""

    def __init__(self, *, timeout: float) -> None:
        self._timeout = timeout
        self._client: Client | None = None

    async def open(self, url: str) -> None:
        """Connect to `url`, one server or several separated by commas.

        Raises :class:`ProviderFailed` when no server answers.
        """
        try:
            self._client = await nats.connect(
                [server.strip() for server in url.split(",")],
                name="actorhost-keyvalue",
                allow_reconnect=True,
                max_reconnect_attempts=-1,
                reconnect_time_wait=_RECONNECT_WAIT,
                connect_timeout=self._timeout,
                ping_interval=_PING_INTERVAL,
                inbox_prefix=_INBOX,
                error_cb=_quiet,
            )
        except (nats.errors.Error, OSError, TimeoutError) as error:
            raise self._failed(error) from None

    async def close(self) -> None:
        """Disconnect."""
        client, self._client = self._client, None
        if client is not None:
            await client.close()

    async def ask(
        self, subject: str, data: bytes, headers: dict[str, str], *, writes: bool
    ) -> dict[str, Any]:
        """Return the JSON object that the server answers.

        Raises :class:`ProviderFailed` when nothing was done, and :class:`OutcomeUnknown` when no
        answer came to something that `writes`.
        """
        client = self._connected()
        try:
            message = await client.request(subject, data, timeout=self._timeout, headers=headers or None)
        except nats.errors.NoRespondersError:
            raise ProviderFailed(
                "JetStream does not answer", hint="enable it on the NATS server (the embedded one has it)"
            ) from None
        except (nats.errors.Error, OSError, TimeoutError) as error:
            raise (self._unknown(error) if writes else self._failed(error)) from None
        return _decoded(message.data)

    async def tell(self, subject: str, data: bytes, headers: dict[str, str]) -> None:
        """Send something that has no answer of its own."""
        try:
            await self._connected().publish(subject, data, headers=headers)
        except (nats.errors.Error, OSError) as error:
            raise self._failed(error) from None

    def _connected(self) -> Client:
        if self._client is None:
            raise Closed("the key-value store is not open")
        if not self._client.is_connected:
            raise self._failed(ConnectionError("the connection is away; it comes back by itself"))
        return self._client

    def _failed(self, error: BaseException) -> ProviderFailed:
        failed = ProviderFailed(
            f"the NATS server did not do it: {str(error) or type(error).__name__}",
            hint="is it running, is the address right, and do the credentials fit?",
        )
        failed.retryable = True
        return failed

    def _unknown(self, error: BaseException) -> OutcomeUnknown:
        return OutcomeUnknown(
            f"the NATS server did not answer a write: {str(error) or type(error).__name__}",
            hint="it may have been done; look before writing again, or write with a condition",
        )


async def _quiet(_error: Exception) -> None:
    """Leave it to the request that meets the error."""


def _decoded(data: bytes) -> dict[str, Any]:
    # The first message of a batch is answered with nothing.
    try:
        answer = msgspec.json.decode(data) if data else {}
    except (msgspec.DecodeError, ValueError):
        answer = None
    if not isinstance(answer, dict):
        raise ProtocolError("an answer of JetStream is no JSON object")
    return answer
