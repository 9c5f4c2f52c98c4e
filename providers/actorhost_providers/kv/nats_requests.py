"""Requests to JetStream for the key-value backend, and what is known when one fails.

Owned by the provider: a connection of its own, which replaces itself when it breaks. Each request ends
at the time-out or when the connection breaks. While that is away requests are refused, and what waited
to be sent is dropped: nothing is done late.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from actorhost.errors import (
    ActorhostError,
    CallTimeout,
    InvalidInput,
    NoRoute,
    OutcomeUnknown,
    ProviderFailed,
    ProviderRefused,
    Unavailable,
)
from actorhost.limits import Limits
from actorhost.transport.nats import NatsTransport

_NAME: Final = "actorhost-keyvalue"


class NoStream(ProviderFailed):
    """Nobody takes what was sent: there is no such stream, or no JetStream."""


def check_address(url: str) -> None:
    """Raise :class:`ProviderRefused` for what is no address of NATS servers; none at all is fine."""
    if url:
        Requests(url, timeout=1.0)


class Requests:
    """A connection to the server at `url`, or one of several; a request takes at most `timeout` seconds."""

    def __init__(self, url: str, *, timeout: float) -> None:
        """Raise :class:`ProviderRefused` for what is no address; connects to nothing yet."""
        self._timeout = timeout
        limits = Limits(connect_timeout=timeout, bus_timeout=timeout)
        try:
            self._transport = NatsTransport(url, name=_NAME, limits=limits)
        except InvalidInput as error:
            raise ProviderRefused(error.message, hint=error.hint) from None

    async def open(self) -> None:
        """Connect; raises :class:`ProviderFailed` as soon as every server has refused, or at the time-out."""
        try:
            await self._transport.start()
        except Unavailable as error:
            raise _failed(error) from None

    async def close(self) -> None:
        """Disconnect."""
        await self._transport.close()

    async def ask(
        self, subject: str, data: bytes, headers: Mapping[str, str] | None = None, *, writes: bool
    ) -> dict[str, Any]:
        """Return the JSON object that the server answers.

        Raises :class:`ProviderFailed` when nothing was done, :class:`OutcomeUnknown` when no answer
        came to something that `writes`, and :class:`~actorhost.errors.TooLarge`.
        """
        try:
            answer = _decoded(await self._transport.request(subject, data, self._timeout, headers=headers))
        except NoRoute:
            raise NoStream(
                "nobody takes what was sent: JetStream or the bucket's stream is not there",
                hint="enable JetStream on the NATS server (the embedded one has it); streams are made again",
            ) from None
        except (CallTimeout, OutcomeUnknown) as error:
            raise (_unknown(error) if writes else _failed(error)) from None
        except Unavailable as error:
            raise _failed(error) from None
        if answer is None:
            raise _nonsense(writes=writes)
        return answer

    async def tell(self, subject: str, data: bytes, headers: Mapping[str, str]) -> None:
        """Send something that has no answer of its own; it comes before whatever is sent later."""
        try:
            await self._transport.publish(subject, data, headers=headers)
        except Unavailable as error:
            raise _failed(error) from None


def _failed(error: ActorhostError) -> ProviderFailed:
    failed = ProviderFailed(f"nothing was done: {_reason(error)}", hint=error.hint)
    failed.retryable = True
    return failed


def _unknown(error: ActorhostError) -> OutcomeUnknown:
    return OutcomeUnknown(
        f"a write has no answer: {_reason(error)}",
        hint="it may have been done; look before writing again, or write with a condition",
    )


def _nonsense(*, writes: bool) -> ProviderFailed:
    failed = ProviderFailed("an answer of JetStream is no JSON object", hint="look at what runs there")
    failed.outcome_known = not writes
    return failed


def _reason(error: ActorhostError) -> str:
    # A subject holds the key, which may be long.
    return "the NATS server did not answer in time" if isinstance(error, CallTimeout) else str(error)


def _decoded(data: bytes) -> dict[str, Any] | None:
    try:
        answer = msgspec.json.decode(data)
    except (msgspec.DecodeError, ValueError):
        return None
    return answer if isinstance(answer, dict) else None
