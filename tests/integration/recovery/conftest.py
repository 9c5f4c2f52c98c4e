"""A lattice behind bad networks: a real server, a host and a client each behind a proxy, and a load."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from actorhost import Client, Host, clock
from actorhost.errors import ActorhostError, ProtocolError
from actorhost.ids import ActorName
from actorhost.limits import Limits
from actorhost.manifest import ActorSpec, Application
from actorhost.testing import FaultProxy
from actorhost.transport import NatsServer
from tests.transports import started
from tests.wat import ECHO, guest

GRACE = 0.25
"""Seconds past its deadline at which a caller is told at the latest."""
SLACK = 0.25
"""Seconds that a busy machine may add."""
BACK = 2.0
"""Seconds from a good network to a good answer."""


@dataclass
class Load:
    """Callers that ask without end, each call with the same time-out; what came of them."""

    client: Client
    timeout: float = 1.0
    payload: bytes = b"hello"
    slowest: float = 0.0
    outcomes: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)

    async def run(self) -> None:
        """Ask until cancelled."""
        while True:
            await self.ask_once()

    async def ask_once(self) -> None:
        """Ask, and note how it ended and after how long."""
        began = clock.monotonic()
        try:
            reply = await self.client.ask("echo", "Echo", self.payload, timeout=self.timeout)
            self.outcomes["answered" if reply == self.payload else "garbled"] += 1
        except ProtocolError:
            self.outcomes["protocol"] += 1
        except ActorhostError as error:
            self.outcomes[error.code] += 1
            if error.code in {"unavailable", "no_route"}:
                # Told at once that it makes no sense now: a caller would not try again at once.
                await asyncio.sleep(0.01)
                return
        except Exception as error:  # noqa: BLE001 - this is what must not happen
            self.wrong.append(repr(error))
        self.slowest = max(self.slowest, clock.monotonic() - began)

    def check(self) -> None:
        """Fail if a call ended late, or with what is no error of ours."""
        assert not self.wrong
        assert self.slowest <= self.timeout + GRACE + SLACK, dict(self.outcomes)


async def served(client: Client) -> float:
    """Return how long it takes until a call is answered; fail after `BACK`."""
    began = clock.monotonic()
    error: ActorhostError | None = None
    while clock.monotonic() - began < BACK:
        try:
            assert await client.ask("echo", "Echo", b"back", timeout=0.5) == b"back"
        except ActorhostError as failure:
            error = failure
            await asyncio.sleep(0.02)
        else:
            return clock.monotonic() - began
    raise AssertionError(f"not served within {BACK} s: {error!r}")


@dataclass
class Lattice:
    """The parts of one test."""

    server: NatsServer
    host: Host
    client: Client
    host_side: FaultProxy
    client_side: FaultProxy

    @asynccontextmanager
    async def load(
        self, callers: int = 16, *, timeout: float = 1.0, payload: bytes = b"hello"
    ) -> AsyncIterator[Load]:
        """Ask while the body runs; afterwards nothing was late and nothing waits."""
        load = Load(self.client, timeout, payload)
        tasks = [started(load.run()) for _ in range(callers)]
        try:
            yield load
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        load.check()

    async def recover(self, *, reset: bool = True) -> float:
        """Make both networks good; return how long it takes until a call is answered."""
        await self.host_side.restore(reset=reset)
        await self.client_side.restore(reset=reset)
        return await served(self.client)


@pytest.fixture
async def server(tmp_path: Path, unused_tcp_port: int) -> AsyncIterator[NatsServer]:
    async with NatsServer(tmp_path / "nats", port=unused_tcp_port, limits=Limits()) as running:
        yield running


@pytest.fixture
async def lattice(server: NatsServer) -> AsyncIterator[Lattice]:
    """A host with an echo actor and a client; both are as they were when the test ends."""
    async with (
        FaultProxy(server.url, seed=1) as host_side,
        FaultProxy(server.url, seed=2) as client_side,
        Host(nats=host_side.url) as host,
        Client(client_side.url) as client,
    ):
        spec = ActorSpec(name=ActorName("echo"), module="echo")
        application = Application(name=ActorName("app"), actors=(spec,), providers=())
        await host.deploy_modules(application, {"echo": guest(ECHO, pages=8)})
        assert await client.ask("echo", "Echo", b"hello") == b"hello"
        subscriptions = host.transport.statistics().subscriptions
        yield Lattice(server, host, client, host_side, client_side)
        assert host.transport.statistics().subscriptions == subscriptions
        assert client.transport.statistics().subscriptions == 0
        assert client.transport.statistics().waiting == 0
        for transport in (host.transport, client.transport):
            assert transport.statistics().handler_errors == 0
