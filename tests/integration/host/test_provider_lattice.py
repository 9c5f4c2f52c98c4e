"""A provider that was started elsewhere in the lattice: found by name, lost, and met again with its links."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

import pytest

from actorhost import Host
from actorhost.errors import CallTimeout, Denied, InternalError, Overloaded, ProviderRefused, Unavailable
from actorhost.host.provider import lattice, untied
from actorhost.host.provider import process as served
from actorhost.host.provider.messages import Begin, Introduction
from actorhost.host.provider.untied import UntiedProvider
from actorhost.ids import ActorName, HostId
from actorhost.limits import Limits
from actorhost.manifest import Application, LinkSpec, Place, ProviderSpec
from actorhost.transport import NatsServer
from tests.integration.host.calling import call, odd_application, remote
from tests.integration.host.conftest import KEYVALUE, until
from tests.integration.host.test_linked_providers import COUNTING
from tests.wat import guest

ROOT = Path(__file__).resolve().parents[3]
ODD: Final = "tests.integration.host.odd_stores:OddStore"
MODULE: Final = guest(COUNTING)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lattice, "_BEAT", 0.05)
    monkeypatch.setattr(untied, "FORGOTTEN", 0.4)


def application(told: Path, provider: str = ODD, link: LinkSpec | None = None) -> Application:
    wanted = odd_application(told, place=Place.LATTICE, link=link)
    store = ProviderSpec(name=ActorName("store"), provider=provider, contract=KEYVALUE, place=Place.LATTICE)
    return Application(name=wanted.name, actors=wanted.actors, providers=(store,))


def elsewhere(server: NatsServer, told: Path) -> UntiedProvider:
    """Return a provider as `actorhost provider run` has it, to be entered."""
    begin = Begin(
        name="store", provider=ODD, contract=KEYVALUE, config={"told": str(told)}, hidden=(),
        nats=server.url, lattice="default", instance=str(HostId.new()), limits=Limits(),
    )  # fmt: skip
    return UntiedProvider(begin)


@asynccontextmanager
async def run_by_hand(server: NatsServer, config: Path) -> AsyncIterator[asyncio.subprocess.Process]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "actorhost", "provider", "run", "store", "--provider", "keyvalue-sqlite",
        "--config", str(config), "--nats", server.url, "--json",
        cwd=ROOT, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    try:
        assert process.stdout is not None
        assert json.loads(await process.stdout.readline())["event"] == "ready"
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def test_one_run_by_hand_serves_a_host_and_stops_when_told(server: NatsServer, tmp_path: Path) -> None:
    config = tmp_path / "store.yaml"
    config.write_text(f"path: {tmp_path / 'store.db'}\n")
    async with Host(nats=server.url) as host, run_by_hand(server, config) as process:
        await host.deploy_modules(application(tmp_path, "keyvalue-sqlite"), {"a": MODULE})
        assert (remote(host).pid, remote(host).state) == (process.pid, "running")
        assert await call(host, "increment", key="n", delta=5) == 5
        with pytest.raises(ProviderRefused, match="already"):
            await elsewhere(server, tmp_path / "told").__aenter__()
        process.send_signal(signal.SIGTERM)
        assert await process.wait() == 0
        await until(lambda: remote(host).state == "away")
        with pytest.raises(Unavailable, match="nobody in lattice") as refused:
            await call(host, "increment", key="n", delta=1)
        assert refused.value.retryable
        async with run_by_hand(server, config):
            await until(lambda: remote(host).state == "running")
            assert await call(host, "increment", key="n", delta=1) == 6


async def test_another_run_is_told_of_links_and_calls_actors_through_their_host(
    server: NatsServer, tmp_path: Path
) -> None:
    told = tmp_path / "told"
    async with Host(nats=server.url) as host:
        async with elsewhere(server, told):
            await host.deploy_modules(application(told), {"a": MODULE})
            assert await call(host, "exists", key="k") is True
        await until(lambda: remote(host).state == "away")
        async with elsewhere(server, told):
            await until(lambda: remote(host).state == "running")
            assert await call(host, "exists", key="k") is True
            await host.undeploy("app")
    words = [line.split()[0] for line in lines(told)]
    life = ["started", "linked", "counted"]
    assert words == [*life, "stopped", *life, "unlinked", "stopped"]


async def test_more_calls_than_it_may_have_in_hand_are_refused(
    server: NatsServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(served, "MAX_CALLS", 2)
    async with elsewhere(server, tmp_path / "told"), Host(nats=server.url) as host:
        await host.deploy_modules(application(tmp_path / "told"), {"a": MODULE})
        calls = (call(host, "get", timeout=0.3, key="hang") for _ in range(5))
        ended = await asyncio.gather(*calls, return_exceptions=True)
        assert Counter(map(type, ended)) == {CallTimeout: 2, Overloaded: 3}
        await asyncio.sleep(0.05)  # its own deadlines begin when a call arrives
        assert await call(host, "get", key="k") is None


async def test_links_of_a_host_that_has_gone_are_dropped(server: NatsServer, tmp_path: Path) -> None:
    told = tmp_path / "told"
    async with elsewhere(server, told), Host(nats=server.url) as host:
        await host.deploy_modules(application(told), {"a": MODULE})
        stand = remote(host)
        stand._task.cancel()  # type: ignore[attr-defined]  # it asks no more, as if it had been killed
        await until(lambda: "unlinked a" in lines(told))
        with pytest.raises(Denied):
            await call(host, "get", key="k")
        stand._task = asyncio.create_task(stand._run())  # type: ignore[attr-defined]  # noqa: TID251 - its own
        await until(lambda: lines(told).count("linked a {}") == 2)
        await until(lambda: remote(host).state == "running")
        assert await call(host, "get", key="k") is None
        await host.undeploy("app")
        assert lines(told).count("unlinked a") == 2


async def test_a_host_stays_with_the_one_it_has_while_two_of_a_name_answer(
    server: NatsServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # As when one that stood still, and was taken for gone, comes back beside the one in its place.
    monkeypatch.setattr(UntiedProvider, "_refuse_second", nothing)
    told = tmp_path / "told"
    async with (
        elsewhere(server, told) as one,
        elsewhere(server, told) as other,
        Host(nats=server.url) as host,
    ):
        await host.deploy_modules(application(told), {"a": MODULE})
        first = remote(host)._instance
        for _ in range(8):
            await asyncio.sleep(0.06)
            assert (remote(host)._instance, remote(host).restarts) == (first, 0)
        met, left = (one, other) if one._begin.instance == first else (other, one)
        await met.__aexit__()
        await until(lambda: remote(host)._instance == left._begin.instance)
        assert await call(host, "get", key="k") is None


async def nothing(*_: object) -> None:
    """Do nothing, in the place of what would."""


async def test_a_bug_in_one_answer_to_a_host_ends_nothing_else(
    server: NatsServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with elsewhere(server, tmp_path / "told"), Host(nats=server.url) as host:
        with monkeypatch.context() as broken:
            broken.setattr(Introduction, "link", lambda introduction: introduction.bug)
            with pytest.raises(InternalError):
                await host.deploy_modules(application(tmp_path / "told"), {"a": MODULE})
        await host.deploy_modules(application(tmp_path / "told"), {"a": MODULE})
        assert await call(host, "get", key="k") is None


async def test_what_is_not_there_or_something_else_is_refused(
    server: NatsServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = tmp_path / "told"
    monkeypatch.setenv("BUCKET_SECRET", "hunter2-of-the-link")
    async with Host(nats=server.url) as host:
        with pytest.raises(Unavailable, match="nobody in lattice") as refused:
            await host.deploy_modules(application(told), {"a": MODULE})
        assert "actorhost provider run store" in refused.value.hint
        async with elsewhere(server, told):
            with pytest.raises(ProviderRefused, match="the manifest says keyvalue-memory"):
                await host.deploy_modules(application(told, "keyvalue-memory"), {"a": MODULE})
            config = {"bucket": "env:BUCKET_SECRET"}
            link = LinkSpec(target=ActorName("store"), namespace=KEYVALUE, config=config)
            with pytest.raises(ProviderRefused, match="told over NATS"):
                await host.deploy_modules(application(told, link=link), {"a": MODULE})
            bad = replace_config(link, {"bad": True})
            with pytest.raises(ProviderRefused, match="a bad link"):
                await host.deploy_modules(application(told, link=bad), {"a": MODULE})


def replace_config(link: LinkSpec, config: dict[str, object]) -> LinkSpec:
    return LinkSpec(target=link.target, namespace=link.namespace, config=config)


def lines(told: Path) -> list[str]:
    return told.read_text().splitlines()
