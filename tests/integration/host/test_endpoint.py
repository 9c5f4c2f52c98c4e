"""What a host tells monitors over HTTP: whether it lives, whether it is ready, and its figures."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest
from prometheus_client.parser import text_string_to_metric_families

from actorhost import Host
from actorhost.errors import CallFailed, ServerUnavailable
from actorhost.host import endpoint, metrics
from actorhost.host.endpoint import Endpoint
from actorhost.manifest import load_manifest
from actorhost.transport import NatsServer
from tests.wat import ECHO, TRAP, guest

MANIFEST = """apiVersion: core.oam.dev/v1beta1
kind: Application
metadata: {name: seen}
spec:
  components:
    - {name: echo, type: actor, properties: {module: echo.wasm}}
    - {name: trap, type: actor, properties: {module: trap.wasm, restarts: {intensity: 1000}}}
"""
Families = dict[str, dict[tuple[tuple[str, str], ...], float]]


@pytest.fixture
async def host() -> AsyncIterator[Host]:
    async with Host() as host:
        await host.deploy_modules(
            load_manifest(MANIFEST.encode(), "seen.yaml"),
            {"echo.wasm": guest(ECHO), "trap.wasm": guest(TRAP)},
        )
        yield host


@asynccontextmanager
async def monitored(host: Host) -> AsyncIterator[Endpoint]:
    async with Endpoint(host, "127.0.0.1", 0) as served:
        yield served


async def get(url: str, *, method: str = "GET") -> tuple[int, str]:
    async with aiohttp.ClientSession() as session, session.request(method, url) as response:
        return response.status, await response.text()


async def families(host: Host) -> Families:
    """Return the value of each sample by its name and labels, as Prometheus's own reader finds them."""
    async with monitored(host) as served:
        status, text = await get(f"{served.url}/metrics")
    assert status == 200
    found: Families = {}
    for family in text_string_to_metric_families(text):
        assert family.documentation
        for sample in family.samples:
            labelled = tuple(sorted(sample.labels.items()))
            assert labelled not in found.setdefault(sample.name, {}), "a series may appear once"
            found[sample.name][labelled] = sample.value
    return found


async def test_figures_are_those_of_what_happened(host: Host) -> None:
    for _ in range(3):
        await host.ask("echo", "Echo", b"hello")
    with pytest.raises(CallFailed):
        await host.ask("trap", "Op", b"")
    found = await families(host)
    echo = (("actor", "echo"), ("application", "seen"))
    trap = (("actor", "trap"), ("application", "seen"))
    assert found["actorhost_actor_accepted_total"] == {echo: 3, trap: 1}
    assert found["actorhost_actor_replies_total"] == {echo: 3, trap: 0}
    assert found["actorhost_actor_faults_total"] == {(*trap, ("code", "trapped")): 1}
    assert found["actorhost_actor_restarts_total"][trap] == 1
    assert found["actorhost_actor_state"][(*echo, ("state", "running"))] == 1
    assert found["actorhost_actors"] == {(): 2}
    assert found["process_resident_memory_bytes"][()] > 10_000_000
    buckets = {
        dict(labelled)["le"]: value
        for labelled, value in found["actorhost_actor_handling_seconds_bucket"].items()
        if ("actor", "echo") in labelled
    }
    assert list(buckets.values()) == sorted(buckets.values())
    assert buckets["+Inf"] == found["actorhost_actor_handling_seconds_count"][echo] == 3
    assert 0 < found["actorhost_actor_handling_seconds_sum"][echo] < 3


async def test_actors_have_series_up_to_a_bound(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(metrics, "MAX_ACTORS", 1)
    found = await families(host)
    assert [dict(labelled)["actor"] for labelled in found["actorhost_actor_accepted_total"]] == ["echo"]
    assert found["actorhost_actors_left_out"] == {(): 1}


async def test_readiness_follows_the_host_and_its_server(tmp_path: Path) -> None:
    async with NatsServer(tmp_path / "nats") as server:
        host = Host(nats=server.url)
        async with monitored(host) as served:
            ready, live = f"{served.url}/readyz", f"{served.url}/livez"
            assert await get(ready) == (503, "the host is not open\n")
            async with host:
                assert await get(ready) == (503, "applications are being deployed\n")
                served.started()
                assert await get(ready) == (200, "ok\n")
                await server.stop()
                async with asyncio.timeout(10):
                    while (await get(ready))[0] == 200:
                        pass
                assert await get(ready) == (503, "not connected to NATS\n")
                assert await get(live) == (200, "ok\n")
            assert await get(ready) == (503, "the host is stopping\n")
            assert await get(live) == (200, "ok\n")


async def test_other_requests_are_told_what_is_served(host: Host) -> None:
    known = "GET /livez, /readyz and /metrics are served\n"
    async with monitored(host) as served:
        assert await get(f"{served.url}/") == (404, known)
        assert await get(f"{served.url}/metrics", method="POST") == (405, known)
        assert await get(f"{served.url}/livez", method="HEAD") == (200, "")


async def test_a_silent_client_is_put_off_and_keeps_nobody_out(
    host: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(endpoint, "PATIENCE", 0.3)
    monkeypatch.setattr(endpoint, "MAX_CONNECTIONS", 2)
    async with monitored(host) as served, asyncio.timeout(10):
        port = int(served.url.rpartition(":")[2])
        silent = [await asyncio.open_connection("127.0.0.1", port) for _ in range(3)]
        await silent[0][0].read()  # the oldest gives way at once
        assert not silent[2][0].at_eof()
        assert await get(f"{served.url}/livez") == (200, "ok\n")
        for reader, writer in silent:
            assert await reader.read() == b""
            writer.close()
        assert await get(f"{served.url}/livez") == (200, "ok\n")


async def test_an_address_that_is_taken_is_refused_in_words(host: Host) -> None:
    async with monitored(host) as served:
        port = int(served.url.rpartition(":")[2])
        with pytest.raises(ServerUnavailable, match=f"cannot listen at 127.0.0.1:{port}"):
            async with Endpoint(host, "127.0.0.1", port):
                pass
