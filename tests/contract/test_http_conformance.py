"""Puts the rules of the HTTP client to the real one, and to clients that break them."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import pytest
from aiohttp.abc import AbstractResolver, ResolveResult

from actorhost.manifest import Place
from actorhost.testing.conformance.http_client import RULES
from actorhost.testing.conformance.http_client_case import HttpClientCase
from actorhost.testing.conformance.http_origin import Origin
from actorhost.testing.conformance.rule import Rule, RuleBroken, put
from actorhost_providers.http.client import AiohttpClient
from tests.contract.broken_http import BROKEN
from tests.contract.places import PLACES, placed
from tests.table import Table


class Loopback(AbstractResolver):
    """Leads every name to loopback, first by a public address for those that look twice."""

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        return [ResolveResult(hostname=host, host="127.0.0.1", port=port, family=family, proto=0, flags=0)]

    async def close(self) -> None:
        """Hold nothing."""


class ToLoopback(AiohttpClient):
    """The client, which finds every name at home; also in a process of its own."""

    def __init__(self, config: Mapping[str, object]) -> None:
        super().__init__(config, Loopback())


def cases(
    client: type[AiohttpClient] = AiohttpClient,
) -> Callable[[], AbstractAsyncContextManager[HttpClientCase]]:
    """Return a factory of cases of `client`."""

    @asynccontextmanager
    async def case() -> AsyncIterator[HttpClientCase]:
        async with Origin() as origin, Origin() as other:
            made = client({}, Loopback())
            await made.start()
            try:
                yield HttpClientCase(made, origin, other)
            finally:
                await made.stop()

    return case


@pytest.mark.parametrize("place", PLACES)
async def test_the_client_keeps_every_rule(place: Place, table: Table, tmp_path: Path) -> None:
    broken = []
    async with placed(ToLoopback({}), place, tmp_path) as client:

        @asynccontextmanager
        async def case() -> AsyncIterator[HttpClientCase]:
            async with Origin() as origin, Origin() as other:
                yield HttpClientCase(client, origin, other)

        for rule in RULES:
            try:
                await put(rule, case)
            except RuleBroken as error:
                broken.append(str(error))
    table.note("actorhost:http", "client", kept=len(RULES) - len(broken), of=len(RULES), place=place)
    assert broken == []


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
async def test_suite_catches_the_client_that_breaks(rule: Rule[HttpClientCase]) -> None:
    with pytest.raises(RuleBroken, match=f"^{rule.id}: ") as caught:
        await put(rule, cases(BROKEN[rule.id]))
    assert rule.sentence in str(caught.value)


def test_every_rule_has_a_client_that_breaks_it() -> None:
    assert {rule.id for rule in RULES} == set(BROKEN)
