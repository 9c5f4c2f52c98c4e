"""What a client of the HTTP server gets when no actor's response does: a status and a short text.

Pure. Why a call failed is for the operator (access log, `actorhost ps`), not for whoever asks from
outside: an answer tells nothing but what to do next.
"""

from __future__ import annotations

from collections.abc import Iterable
from http import HTTPStatus
from typing import Final

from aiohttp import web

from actorhost.errors import ActorhostError, FaultCode, ProtocolError

RETRY_AFTER: Final = "1"
"""Seconds, as text: overload and redeployments are over in about that time."""
SERVER: Final = "actorhost"

_STATUS: Final = {
    FaultCode.OVERLOADED: HTTPStatus.SERVICE_UNAVAILABLE,
    FaultCode.UNAVAILABLE: HTTPStatus.SERVICE_UNAVAILABLE,
    FaultCode.NO_ROUTE: HTTPStatus.SERVICE_UNAVAILABLE,
    FaultCode.TIMEOUT: HTTPStatus.GATEWAY_TIMEOUT,
    FaultCode.DEADLINE: HTTPStatus.GATEWAY_TIMEOUT,
    FaultCode.MISBEHAVED: HTTPStatus.BAD_GATEWAY,
}
_TEXT: Final = {
    HTTPStatus.BAD_REQUEST: "this request cannot be understood",
    HTTPStatus.NOT_FOUND: "nothing is served here",
    HTTPStatus.METHOD_NOT_ALLOWED: "this method is not served here",
    HTTPStatus.REQUEST_TIMEOUT: "the request took too long to come",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "the body is too large",
    HTTPStatus.EXPECTATION_FAILED: "this expectation cannot be met",
    HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE: "the head of the request is too large",
    HTTPStatus.INTERNAL_SERVER_ERROR: "the service failed",
    HTTPStatus.BAD_GATEWAY: "the service gave no valid answer",
    HTTPStatus.SERVICE_UNAVAILABLE: "the service is not available now, try again",
    HTTPStatus.GATEWAY_TIMEOUT: "the service did not answer in time",
}


class Refused(Exception):
    """A request that ends here with `status`; after a `close` one the connection ends, too."""

    def __init__(self, status: HTTPStatus, *, allow: Iterable[str] = (), close: bool = False) -> None:
        super().__init__(status)
        self.status = status
        self.allow = sorted(allow)
        self.close = close


def refusal(refused: Refused) -> web.Response:
    """Return the answer to a refused request."""
    response = short(refused.status)
    if refused.allow:
        response.headers["Allow"] = ", ".join(refused.allow)
    if refused.close:
        response.force_close()
    return response


def fault(error: ActorhostError, *, with_body: bool) -> web.Response:
    """Return the answer when a call ended with `error`; `with_body` says whether the request had one."""
    if isinstance(error, ProtocolError):
        return short(HTTPStatus.BAD_GATEWAY)
    if error.code is FaultCode.TOO_LARGE:
        # Request or reply; without a body it can hardly have been the request.
        return short(HTTPStatus.REQUEST_ENTITY_TOO_LARGE if with_body else HTTPStatus.BAD_GATEWAY)
    return short(_STATUS.get(error.code, HTTPStatus.INTERNAL_SERVER_ERROR))


def short(status: HTTPStatus) -> web.Response:
    """Return an answer of one line."""
    response = web.Response(status=status, text=_TEXT[status] + "\n", headers={"Server": SERVER})
    if status is HTTPStatus.SERVICE_UNAVAILABLE:
        response.headers["Retry-After"] = RETRY_AFTER
    return response
