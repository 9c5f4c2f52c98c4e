"""Providers that call the actors they are linked to, and what they are told when."""

from __future__ import annotations

import asyncio

import pytest

from actorhost import Host
from actorhost.contracts.provider import Link
from actorhost.errors import NoRoute, Overloaded, ProviderRefused
from actorhost.ids import ActorName
from actorhost.manifest import Application, InstancePolicy, LinkSpec, ProviderSpec
from actorhost_providers.kv.memory import MemoryKeyValue
from tests.integration.host.conftest import KEYVALUE, actor
from tests.wat import ECHO, guest

COUNTING = """(i32.store (i32.const 64) (i32.add (i32.load (i32.const 64)) (i32.const 1)))
  (call $respond (i32.const 64) (i32.const 4)) (i32.const 1)"""


class Calling(MemoryKeyValue):
    """Keeps its links, as a server of its own would."""

    links: list[Link]
    told: list[str]

    def check_link(self, link: Link) -> None:
        """Take any configuration."""

    async def start(self) -> None:
        self.links, self.told = [], self.surroundings.shared.setdefault("told", [])
        await super().start()

    async def linked(self, link: Link) -> None:
        self.told.append(f"linked {link.actor}")
        if link.config.get("refused"):
            raise ProviderRefused("taken")
        self.links.append(link)
        self.surroundings.shared["provider"] = self

    async def unlinked(self, link: Link) -> None:
        self.told.append(f"unlinked {link.actor}")

    async def stop(self) -> None:
        self.told.append("stopped")
        await super().stop()


def _link(policy: InstancePolicy | None = None, **config: object) -> LinkSpec:
    return LinkSpec(target=ActorName("store"), namespace=KEYVALUE, policy=policy, config=config)


STORE = ProviderSpec(name=ActorName("store"), provider="calling", contract=KEYVALUE)


async def _deploy(host: Host, link: LinkSpec, module: bytes = b"", **options: object) -> Calling:
    spec = actor("counter", contracts=(KEYVALUE,), links=(link,), **options)
    wanted = Application(name=ActorName("app"), actors=(spec,), providers=(STORE,))
    await host.deploy_modules(wanted, {"counter": module or guest(COUNTING)})
    provider: Calling = host._services.shared["provider"]
    return provider


@pytest.fixture
async def host() -> Host:
    return Host(providers={"calling": Calling})


async def test_a_provider_calls_the_actor_from_linked_to_unlinked(host: Host) -> None:
    async with host:
        provider = await _deploy(host, _link())
        (link,) = provider.links
        for n in (1, 2):
            reply = await provider.surroundings.call(link, "Count", b"", timeout=1.0)
            assert reply == n.to_bytes(4, "little")
        await host.undeploy("app")
        with pytest.raises(NoRoute):
            await provider.surroundings.call(link, "Count", b"", timeout=1.0)
    assert provider.told == ["linked counter", "unlinked counter", "stopped"]


async def test_a_link_may_want_a_fresh_sandbox_for_each_call_and_none_is_left(host: Host) -> None:
    async with host:
        provider = await _deploy(host, _link(InstancePolicy.PER_CALL), instances=8, mailbox_count=1000)
        (link,) = provider.links
        calls = (provider.surroundings.call(link, "Count", b"", timeout=20.0) for _ in range(1000))
        assert set(await asyncio.gather(*calls)) == {(1).to_bytes(4, "little")}
        assert await host.ask("counter", "Count") == (1).to_bytes(4, "little"), "others get the usual one"
        assert host.router.actors["counter"].instances_made == 1008
        assert host.engine_statistics().instances == 8


async def test_a_full_mailbox_refuses_providers_too(host: Host) -> None:
    async with host:
        provider = await _deploy(host, _link(), guest(ECHO), mailbox_count=1)
        (link,) = provider.links
        calls = [provider.surroundings.call(link, "Echo", b"x", timeout=1.0) for _ in range(5)]
        ended = await asyncio.gather(*calls, return_exceptions=True)
    assert {type(end) for end in ended} == {bytes, Overloaded}


async def test_a_link_that_a_provider_refuses_ends_the_deployment(host: Host) -> None:
    async with host:
        with pytest.raises(ProviderRefused, match="taken"):
            await _deploy(host, _link(refused=True))
        assert not host.router.actors
        told = host._services.shared["told"]
        assert told == ["linked counter", "unlinked counter", "stopped"]
