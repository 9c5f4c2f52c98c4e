"""Puts the rules of the HTTP server to the real one, and to servers that break them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import pytest

from actorhost.limits import Limits
from actorhost.manifest import Place
from actorhost.testing import own_process
from actorhost.testing.conformance.http_server import RULES
from actorhost.testing.conformance.http_server_case import HttpServerCase
from actorhost.testing.conformance.rule import Rule, RuleBroken, put
from actorhost.transport import NatsServer
from actorhost_providers.http.server import AiohttpServer
from tests.contract.broken_http_server import BROKEN
from tests.contract.places import started
from tests.table import Table

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


async def test_the_server_in_a_process_of_its_own_keeps_every_rule(
    tmp_path: Path, table: Table, unused_tcp_port_factory: Callable[[], int]
) -> None:
    async with NatsServer(tmp_path / "nats", limits=Limits()) as nats:

        @asynccontextmanager
        async def case() -> AsyncIterator[HttpServerCase]:
            port = unused_tcp_port_factory()
            model = AiohttpServer({"port": port, "max-body": MOST, "access-log": False})
            made = HttpServerCase(model, lambda: f"http://127.0.0.1:{port}", most=MOST)
            async with own_process(model, nats.url, surroundings=model.surroundings) as made.server:
                yield made

        for rule in RULES:
            await put(rule, case)
    table.note("actorhost:http", "server", kept=len(RULES), of=len(RULES), place=Place.PROCESS)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
async def test_suite_catches_the_server_that_breaks(rule: Rule[HttpServerCase]) -> None:
    with pytest.raises(RuleBroken, match=f"^{rule.id}: ") as caught:
        await put(rule, cases(BROKEN[rule.id]))
    assert rule.sentence in str(caught.value)


def test_every_rule_has_a_server_that_breaks_it() -> None:
    assert {rule.id for rule in RULES} == set(BROKEN)
