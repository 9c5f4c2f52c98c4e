"""How a request of an actor ends without an answer: whose doing, and whether it may have been carried out.

Pure. Nothing here repeats a query, a header's value or bytes of an answer: they may be secrets.
"""

from __future__ import annotations

from typing import Final

import aiohttp

from actorhost.contracts.http import IDEMPOTENT
from actorhost.errors import ActorhostError, CallTimeout, Denied, ProviderFailed
from actorhost_providers.http.outlet import PrivateAddress, Sent
from actorhost_providers.http.redirect import Outgoing
from actorhost_providers.http.target import Target

_KINDS: Final[tuple[tuple[type[Exception], str], ...]] = (
    (aiohttp.ServerDisconnectedError, "the server hung up before it answered"),
    (aiohttp.ClientPayloadError, "the body of the answer ended early, or is not framed as its head says"),
    (aiohttp.ClientConnectorCertificateError, "the server's certificate is not valid for it"),
)


class NoResponse(Exception):
    """An answer that is none by this contract; its text says which rule it breaks, and where."""


def failed(error: Exception, outgoing: Outgoing, sent: Sent) -> ActorhostError:
    """Return what a request ended with that the network or the server broke."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, PrivateAddress):
            return Denied(
                f"{shown(outgoing.target)} is at a private address",
                hint="set allow-private on the link if that is meant",
            )
        cause = cause.__cause__ or getattr(cause, "os_error", None)
    ended = ProviderFailed(
        f"{outgoing.method} {shown(outgoing.target)} failed: {_why(error)}",
        hint="look at the server and the network between",
    )
    return marked(ended, outgoing, sent)


def timed_out(outgoing: Outgoing, seconds: float, sent: Sent) -> ActorhostError:
    """Return what a request ended with that had no answer in time."""
    error = CallTimeout(
        f"{outgoing.method} {shown(outgoing.target)} had no answer within {seconds:g} s",
        hint="look at the server, or raise the timeout of the link",
    )
    return marked(error, outgoing, sent)


def marked(error: ActorhostError, outgoing: Outgoing, sent: Sent) -> ActorhostError:
    """Return `error`, marked with whether the request may have been carried out, and whether to try again."""
    repeatable = not sent.is_sent or outgoing.first.method in IDEMPOTENT
    error.outcome_known = error.retryable = repeatable
    return error


def shown(target: Target) -> str:
    """Return a URL without its query, which may hold a secret."""
    return str(target.url.with_query(None))


def _why(error: Exception) -> str:
    if isinstance(error, NoResponse):
        return f"its answer is no response: {error}"
    if isinstance(error, aiohttp.ClientResponseError):
        # The parser's words come first; what it stumbled over, behind the colon, is the server's.
        return f"its answer is not HTTP: {error.message.partition(':')[0].lower()}"
    for kind, text in _KINDS:
        if isinstance(error, kind):
            return text
    # Only the kind: messages of others repeat what was sent.
    return str(getattr(error, "strerror", None) or type(error).__name__)
