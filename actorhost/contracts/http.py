"""The Python face of ``actorhost:http``: requests an actor sends, and requests it answers.

``wit/http.wit`` is the specification. Two contracts of one id, as an actor imports the one interface
and exports the other: a client's provider serves :data:`CLIENT`, a server's calls :data:`SERVER`.
Pure: no I/O, no state.
"""

from __future__ import annotations

import re
from abc import abstractmethod
from collections.abc import Container
from typing import Annotated, ClassVar, Final

from msgspec import Meta

from actorhost.contracts.base import U64, Contract, Effect, Operation, Params, Record
from actorhost.contracts.provider import Link, Provider
from actorhost.errors import ProtocolError

MAX_URL: Final = 8192
"""Longest URL, in bytes."""
MAX_HEADERS: Final = 100
"""Most headers of one message."""
MAX_HEADER_BYTES: Final = 8190
"""Longest name or value of a header, in bytes."""
MAX_TIMEOUT_MS: Final = 3_600_000
"""Longest time-out of a request, in milliseconds: one hour."""

CONNECTION_HEADERS: Final = frozenset(
    ["connection", "keep-alive", "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade"]
)
"""Headers that belong to one connection (RFC 9110, 7.6.1) and never to a message."""
IDEMPOTENT: Final = frozenset(["GET", "HEAD", "OPTIONS", "PUT", "DELETE"])
"""Methods that may be repeated without harm (RFC 9110, 9.2.2)."""
FRAMING_HEADERS: Final = CONNECTION_HEADERS | {"content-length", "expect"}
"""Headers that say how a message is sent, which is up to whoever sends it."""
_FORBIDDEN: Final = FRAMING_HEADERS | {"host"}
_REFUSED: Final = ("CONNECT", "TRACE")

_TOKEN: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,256}").fullmatch
_VALUE: Final = re.compile(r"[^\x00-\x08\x0a-\x1f\x7f]*").fullmatch

Status = Annotated[int, Meta(ge=200, le=599, extra={"wit": "u16"})]
"""What an answer says came of the request."""
TimeoutMs = Annotated[int, Meta(ge=1, le=MAX_TIMEOUT_MS, extra={"wit": "u64"})]
"""Milliseconds until a request is given up."""
Headers = list[tuple[str, str]]
"""Names and values in order; names repeat."""


def is_token(text: str) -> bool:
    """Return whether `text` may be a method or a header's name."""
    return _TOKEN(text) is not None


def check_header(name: str, value: str) -> None:
    """Refuse what cannot be a header, or would end one, with :class:`ProtocolError`."""
    check_header_name(name)
    check_header_value(value, name)


def check_header_name(name: str) -> None:
    """Refuse what cannot be the name of a header, with :class:`ProtocolError`."""
    if not is_token(name):
        raise ProtocolError(f"{name[:80]!r} is no name of a header", hint="letters, digits and hyphens")


def check_header_value(value: str, name: str = "") -> None:
    """Refuse what cannot be the value of a header, or would end it, with :class:`ProtocolError`."""
    # The value may be a secret.
    whose = f"the value of header {name!r}" if name else "the value"
    if len(value) > MAX_HEADER_BYTES:
        raise ProtocolError(f"{whose} has {len(value)} characters", hint=f"at most {MAX_HEADER_BYTES}")
    if not _VALUE(value):
        raise ProtocolError(f"{whose} has control characters", hint="no line ends, no NUL; tabs may be")


def check_settable(name: str, others: Container[str]) -> None:
    """Refuse a header that is among those of `others`, with :class:`ProtocolError`."""
    if name.lower() in others:
        raise ProtocolError(f"header {name!r} is set by the client itself", hint="leave it out")


def _check_headers(headers: Headers) -> None:
    if len(headers) > MAX_HEADERS:
        raise ProtocolError(f"{len(headers)} headers", hint=f"at most {MAX_HEADERS}")
    for name, value in headers:
        check_header(name, value)


class Response(Record, frozen=True):
    """An answer; what cannot be one raises :class:`ProtocolError`."""

    status: Status
    headers: Headers
    body: bytes

    def __post_init__(self) -> None:
        """Refuse headers out of bounds, and whatever would split the response."""
        _check_headers(self.headers)


class RequestParams(Params, frozen=True):
    """Parameters of ``request``."""

    method: str
    url: str
    headers: Headers | None = None
    body: bytes | None = None
    timeout_ms: TimeoutMs | None = None
    max_body: U64 | None = None

    def __post_init__(self) -> None:
        """Refuse what no client may send."""
        if not is_token(self.method) or self.method.upper() in _REFUSED:
            raise ProtocolError(
                f"{self.method[:40]!r} is no method that may be sent",
                hint=f"a word in ASCII, and neither {' nor '.join(_REFUSED)}",
            )
        if len(self.url) > MAX_URL:
            raise ProtocolError(f"a URL of {len(self.url)} characters", hint=f"at most {MAX_URL}")
        _check_headers(self.headers or [])
        for name, _ in self.headers or []:
            check_settable(name, _FORBIDDEN)


class HandleParams(Params, frozen=True):
    """Parameters of ``handle``."""

    method: str
    scheme: str
    authority: str
    path: str
    query: str | None
    headers: Headers
    body: bytes
    parameters: list[tuple[str, str]]
    peer: str


HANDLE: Final = Operation("handle", Effect.EXTERNAL, idempotent=False, params=HandleParams, result=Response)
"""What a server calls; a link may give it another name."""

CLIENT: Final = Contract.of(
    "actorhost:http",
    "0.1.0",
    Operation("request", Effect.EXTERNAL, idempotent=False, params=RequestParams, result=Response),
)
SERVER: Final = Contract.of("actorhost:http", "0.1.0", exports=(HANDLE,))


class HttpClient(Provider):
    """A backend of the interface ``client``."""

    contract: ClassVar[Contract] = CLIENT

    @abstractmethod
    async def request(self, link: Link, params: RequestParams) -> Response:
        """Send one request and return its answer.

        Raises :class:`~actorhost.errors.BadRequest` for a URL that cannot be,
        :class:`~actorhost.errors.Denied` for one that may not be reached,
        :class:`~actorhost.errors.TooLarge` for an answer over the bound,
        :class:`~actorhost.errors.CallTimeout` and :class:`~actorhost.errors.ProviderFailed`, with
        `outcome_known` false when the request may have been carried out and may not be repeated.
        """


class HttpServer(Provider):
    """A backend of the interface ``server``: it calls ``handle`` of the actors it is linked to."""

    contract: ClassVar[Contract] = SERVER
