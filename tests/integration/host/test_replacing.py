"""Applications that replace others, and what is left of those that cannot start."""

from __future__ import annotations

from dataclasses import replace

import pytest

from actorhost import Host
from actorhost.errors import GuestTrapped, NoRoute, ProviderRefused
from actorhost.ids import ActorName
from actorhost.manifest import LinkSpec
from tests.integration.host.conftest import KEYVALUE, actor, application
from tests.wat import COUNTER, ECHO, guest


async def test_deploying_again_replaces(host: Host) -> None:
    await host.deploy_modules(
        application(actor("echo"), actor("gone")), {"echo": guest(ECHO), "gone": guest(ECHO)}
    )
    await host.deploy_modules(application(actor("echo")), {"echo": guest(COUNTER)})
    assert await host.ask("echo", "Op") == (1).to_bytes(4, "little")
    with pytest.raises(NoRoute):
        await host.ask("gone", "Op")
    assert host.engine_statistics().instances == 1


async def test_an_application_that_does_not_start_leaves_the_old_one_running(host: Host) -> None:
    await host.deploy_modules(application(actor("echo")), {"echo": guest(ECHO)})
    broken = guest(ECHO, "(func $begin unreachable) (start $begin)")
    with pytest.raises(GuestTrapped):
        await host.deploy_modules(application(actor("echo")), {"echo": broken})
    assert await host.ask("echo", "Op", b"still here") == b"still here"
    assert host.engine_statistics().modules == 1


async def test_what_providers_refuse_of_an_application_stops_nothing(host: Host) -> None:
    linked = LinkSpec(target=ActorName("store"), namespace=KEYVALUE)
    good = application(actor("counter", contracts=(KEYVALUE,), links=(linked,)), store=True)
    await host.deploy_modules(good, {"counter": guest(COUNTER)})
    assert await host.ask("counter", "Op") == (1).to_bytes(4, "little")
    wrong = LinkSpec(target=ActorName("store"), namespace=KEYVALUE, config={"buckett": "x"})
    bad_link = application(actor("counter", contracts=(KEYVALUE,), links=(wrong,)), store=True)
    bad_store = replace(good, providers=(replace(good.providers[0], config={"max-kees": 1}),))
    for bad in (bad_link, bad_store):
        with pytest.raises(ProviderRefused, match="unknown key"):
            await host.deploy_modules(bad, {"counter": guest(COUNTER)})
    assert await host.ask("counter", "Op") == (2).to_bytes(4, "little"), "it has run on"
    assert host.engine_statistics().modules == 1


async def test_a_start_that_fails_leaves_nothing_behind(host: Host) -> None:
    broken = guest(ECHO, "(func $begin unreachable) (start $begin)")
    modules = {"echo": guest(ECHO), "broken": broken}
    with pytest.raises(GuestTrapped):
        await host.deploy_modules(application(actor("echo"), actor("broken"), store=True), modules)
    assert host.deployments == {}
    assert host.engine_statistics().instances == 0
    with pytest.raises(NoRoute):
        await host.ask("echo", "Op")
