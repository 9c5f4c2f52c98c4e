"""The conformance suite of ``actorhost:http``'s client: the rules every backend must keep.

Backend-neutral: real sockets on loopback, an origin that does as it is told, and no look inside.
"""

from __future__ import annotations

from typing import Final

from actorhost.testing.conformance import http_client_bounds, http_client_messages, http_client_redirects
from actorhost.testing.conformance.http_client_case import HttpClientCase
from actorhost.testing.conformance.rule import Rule

RULES: Final[tuple[Rule[HttpClientCase], ...]] = (
    *http_client_messages.SUITE,
    *http_client_bounds.SUITE,
    *http_client_redirects.SUITE,
)
"""All rules; put each to a backend with :func:`actorhost.testing.conformance.rule.put`."""
