"""What a redirect makes of a request, as RFC 9110 (15.4) has it: the next method, target and headers.

Pure. Whether the next target may be reached is not decided here.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from yarl import URL

from actorhost.contracts.http import Headers
from actorhost.errors import ProviderFailed
from actorhost_providers.http.target import Target, target_of

STATUSES: Final = frozenset([301, 302, 303, 307, 308])
_FOR_ONE_ORIGIN: Final = frozenset(["authorization", "cookie", "proxy-authorization"])
_OF_A_BODY: Final = "content-"


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A request as it leaves; `asked` is the one that the actor made, None for that itself.

    Once it has been led to another origin it is `abroad`, even if it is led back.
    """

    method: str
    target: Target
    headers: Headers
    body: bytes | None
    asked: Outgoing | None = None
    abroad: bool = False

    @property
    def first(self) -> Outgoing:
        """The request that the actor made."""
        return self.asked or self


def redirected(request: Outgoing, status: int, location: str) -> Outgoing:
    """Return the request that `location` leads to.

    Raises :class:`~actorhost.errors.BadRequest` for one that cannot be, :class:`ProviderFailed` for one
    that is no URL.
    """
    try:
        joined = request.target.url.join(URL(location))
    except ValueError:
        raise ProviderFailed("the server's redirect leads to no URL", hint="ask its operator") from None
    following = replace(request, target=target_of(str(joined)), asked=request.first)
    if following.target.origin != request.target.origin:
        kept = [(name, value) for name, value in request.headers if name.lower() not in _FOR_ONE_ORIGIN]
        following = replace(following, headers=kept, abroad=True)
    if status == 303 or (status in (301, 302) and request.method == "POST"):
        method = request.method if request.method == "HEAD" else "GET"
        kept = [pair for pair in following.headers if not pair[0].lower().startswith(_OF_A_BODY)]
        following = replace(following, method=method, headers=kept, body=None)
    return following
