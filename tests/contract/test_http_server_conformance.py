"""Puts the rules of the HTTP server to the real one, and to servers that break them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import pytest

from actorhost.testing.conformance.http_server import RULES
from actorhost.testing.conformance.http_server_case import HttpServerCase
from actorhost.testing.conformance.rule import Rule, RuleBroken, put
from actorhost_providers.http.server import AiohttpServer
from tests.contract.broken_http_server import BROKEN
from tests.contract.conftest import Table
from tests.contract.places import started

MOST = 1000


def cases(kind: type[AiohttpServer]) -> Callable[[], AbstractAsyncContextManager[HttpServerCase]]:
    """Return a factory of cases of servers of this kind."""

    @asynccontextmanager
    async def case() -> AsyncIterator[HttpServerCase]:
        server = kind({"port": 0, "max-body": MOST, "access-log": False})
        made = HttpServerCase(server, lambda: server.url, most=MOST)
        async with started(server):
            yield made

    return case


async def test_the_server_keeps_every_rule(table: Table) -> None:
    for rule in RULES:
        await put(rule, cases(AiohttpServer))
    table.note("actorhost:http", "server", kept=len(RULES), of=len(RULES))


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
async def test_suite_catches_the_server_that_breaks(rule: Rule[HttpServerCase]) -> None:
    with pytest.raises(RuleBroken, match=f"^{rule.id}: ") as caught:
        await put(rule, cases(BROKEN[rule.id]))
    assert rule.sentence in str(caught.value)


def test_every_rule_has_a_server_that_breaks_it() -> None:
    assert {rule.id for rule in RULES} == set(BROKEN)
