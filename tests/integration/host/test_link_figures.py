"""Figures of links: each link of an actor on its own, calls of the actor and calls to it alike."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from actorhost import Host
from actorhost.host import metrics
from actorhost.host.control_messages import LinksRequest, LinkStatus
from actorhost.host.links import links_page
from tests.integration.host.http_guests import answering, ask, route, serve
from tests.wat import TRAP, guest


@pytest.fixture
async def host() -> AsyncIterator[Host]:
    async with Host() as running:
        yield running


def figures(host: Host) -> dict[tuple[str, str], LinkStatus]:
    page = links_page(host.deployments, host.capability_statistics(), LinksRequest())
    return {(link.actor, link.name): link for link in page.links}


async def test_requests_of_each_route_count_over_its_link(host: Host) -> None:
    routes = [route("/one", name="one"), route("/two", name="two"), route("/unused", name="unused")]
    url = await serve(host, {"a": (answering(), routes), "b": (guest(TRAP), [route("/trap")])})
    for path in ("/one", "/two", "/two", "/trap", "/nothing"):
        await ask(url, path)
    shown = figures(host)
    calls = {key: (link.calls, link.failed) for key, link in shown.items()}
    assert calls == {
        ("a", "one"): (1, {}),
        ("a", "two"): (2, {}),
        ("a", "unused"): (0, {}),
        ("b", "default"): (1, {"trapped": 1}),
    }
    assert 0 < shown["a", "two"].p50_ms <= shown["a", "two"].p99_ms
    measured = "".join(metrics.lines(host))
    labels = 'actor="a",target="actorhost:http",link="two",operation="handle",outcome="answered"'
    assert f"actorhost_capability_calls_total{{{labels}}} 2\n" in measured
    await host.undeploy("app")
    assert not host.capability_statistics()
