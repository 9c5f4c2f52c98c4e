"""Hosts on both transports, and applications made of WAT guests."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from actorhost import Client, Host
from actorhost.ids import ActorName, ContractId
from actorhost.limits import Limits
from actorhost.manifest import ActorSpec, Application, LinkSpec, ProviderSpec
from actorhost.transport.server import NatsServer

PATIENCE = 10.0
KEYVALUE = ContractId("actorhost:keyvalue")


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[NatsServer]:
    """A nats-server of this test alone."""
    async with NatsServer(tmp_path / "nats", limits=Limits()) as running:
        yield running


@pytest.fixture(params=["memory", "nats"])
async def host(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Host]:
    """A host without and with a server."""
    if request.param == "memory":
        async with Host() as running:
            yield running
        return
    async with NatsServer(tmp_path / "nats", limits=Limits()) as server, Host(nats=server.url) as running:
        yield running


@pytest.fixture
async def nats_host(server: NatsServer) -> AsyncIterator[Host]:
    async with Host(nats=server.url) as running:
        yield running


@pytest.fixture
async def client(server: NatsServer) -> AsyncIterator[Client]:
    async with Client(server.url) as connected:
        yield connected


async def until(condition: Callable[[], bool]) -> None:
    """Wait for something that tells nobody when it happens."""
    async with asyncio.timeout(PATIENCE):
        while not condition():  # noqa: ASYNC110 - counters have no events
            await asyncio.sleep(0.005)


def actor(name: str, **options: Any) -> ActorSpec:
    """Return the spec of an actor whose module is found under its own name."""
    return ActorSpec(name=ActorName(name), module=options.pop("module", name), **options)


def link(target: str) -> LinkSpec:
    """Return a link to another actor."""
    return LinkSpec(target=ActorName(target), namespace=target, is_actor=True)


def application(*actors: ActorSpec, name: str = "app", store: bool = False) -> Application:
    """Return an application of `actors`, with a key-value store if wanted."""
    store_spec = ProviderSpec(name=ActorName("store"), provider="keyvalue-memory", contract=KEYVALUE)
    return Application(name=ActorName(name), actors=actors, providers=(store_spec,) if store else ())


@pytest.fixture
def server_url(server: NatsServer) -> str:
    return server.url
