"""Instances that end are restarted as the policy says, to the restart; their neighbours do not notice."""

from __future__ import annotations

import asyncio

import pytest

from actorhost import Client, Host, clock
from actorhost.errors import ActorFailed, CallTimeout, DeadlineExceeded, GuestTrapped, Unavailable
from actorhost.lifecycle import RestartPolicy
from tests.integration.host.conftest import actor, application
from tests.transports import ended, started
from tests.wat import ECHO, LOOP, TRAP, guest

FRAGILE = guest(f"(if (local.get $m) (then {TRAP})) {ECHO}")
POLICY = RestartPolicy(intensity=3, period=10.0, backoff=0.1, backoff_limit=0.1, attempts=2)


async def _trap(host: Host | Client, times: int) -> None:
    for _ in range(times):
        with pytest.raises(GuestTrapped):
            await host.ask("fragile", "Op", b"x")


async def test_the_intensity_is_respected_to_the_restart(nats_host: Host, client: Client) -> None:
    await nats_host.deploy_modules(
        application(actor("fragile", restarts=POLICY), actor("echo")),
        {"fragile": FRAGILE, "echo": guest(ECHO)},
    )
    fragile = nats_host.router.actors["fragile"]
    await _trap(client, 4)
    for face in (client, nats_host):
        with pytest.raises(Unavailable, match=r"started again in 0.*trapped: ") as refusal:
            await face.ask("fragile", "Op")
        assert refusal.value.retryable
        assert await face.ask("echo", "Op", b"fine") == b"fine"
    assert fragile.supervision.state == "waiting"
    await asyncio.sleep(0.11)
    assert await client.ask("fragile", "Op") == b""
    assert (fragile.supervision.state, fragile.instances_made) == ("running", 5)


async def test_an_actor_that_keeps_ending_has_failed_and_says_why(nats_host: Host, client: Client) -> None:
    await nats_host.deploy_modules(application(actor("fragile", restarts=POLICY)), {"fragile": FRAGILE})
    await _trap(client, 4)
    for _ in range(2):
        await asyncio.sleep(0.11)
        await _trap(client, 1)
    with pytest.raises(Unavailable, match=r"Last ends: trapped: [^;]* \(6 times\)$") as refusal:
        await client.ask("fragile", "Op")
    assert not refusal.value.retryable
    supervision = nats_host.router.actors["fragile"].supervision
    assert (supervision.state, supervision.restarts, len(supervision.causes)) == ("failed", 5, 6)
    await nats_host.deploy_modules(application(actor("fragile", restarts=POLICY)), {"fragile": FRAGILE})
    assert await client.ask("fragile", "Op") == b"", "deployed again, it starts with a clean record"


async def test_what_waits_in_the_mailbox_survives_a_pause(host: Host) -> None:
    await host.deploy_modules(application(actor("fragile", restarts=POLICY)), {"fragile": FRAGILE})
    outcomes = await asyncio.gather(
        *(host.ask("fragile", "Op", b"x" if n < 4 else b"") for n in range(10)), return_exceptions=True
    )
    assert [type(outcome) for outcome in outcomes] == [GuestTrapped] * 4 + [bytes] * 6


async def test_instances_that_end_together_are_one_pause(host: Host) -> None:
    policy = RestartPolicy(intensity=0, backoff=0.1, attempts=1)
    endless = guest(f"(if (local.get $m) (then (loop $l (br $l)))) {ECHO}")
    spec = actor("fragile", instances=8, restarts=policy, timeout=0.1)
    await host.deploy_modules(application(spec), {"fragile": endless})
    asks = (host.ask("fragile", "Op", b"x") for _ in range(8))
    outcomes = await asyncio.gather(*asks, return_exceptions=True)
    assert {type(outcome) for outcome in outcomes} == {DeadlineExceeded}
    assert host.router.actors["fragile"].supervision.state == "waiting"
    await asyncio.sleep(0.15)
    assert await host.ask("fragile", "Op") == b""


async def test_an_error_of_the_actors_own_is_no_end(host: Host) -> None:
    body = "(call $fail (i32.const 0) (i32.const 0)) (i32.const 0)"
    await host.deploy_modules(application(actor("fragile", restarts=POLICY)), {"fragile": guest(body)})
    for _ in range(20):
        with pytest.raises(ActorFailed):
            await host.ask("fragile", "Op")
    assert host.router.actors["fragile"].supervision.restarts == 0


@pytest.mark.alone
async def test_a_storm_ends_at_the_intensity_and_neighbours_do_not_notice(host: Host) -> None:
    modules = {"fragile": FRAGILE, "echo": guest(ECHO)}
    await host.deploy_modules(application(actor("fragile"), actor("echo")), modules)
    fragile, slowest = host.router.actors["fragile"], 0.0

    async def storm() -> None:
        for _ in range(50):
            asks = (host.ask("fragile", "Op", b"x", timeout=0.5) for _ in range(40))
            await asyncio.gather(*asks, return_exceptions=True)

    storming = asyncio.gather(storm())
    while not storming.done():
        started = clock.monotonic()
        assert await host.ask("echo", "Op", b"fine") == b"fine"
        slowest = max(slowest, clock.monotonic() - started)
        await asyncio.sleep(0.002)
    await storming
    assert fragile.instances_made <= fragile.spec.restarts.intensity + 3
    assert slowest < 0.1


async def test_the_status_says_how_an_actor_fares(nats_host: Host, client: Client) -> None:
    await nats_host.deploy_modules(application(actor("fragile", restarts=POLICY)), {"fragile": FRAGILE})
    for _ in range(20):
        await client.ask("fragile", "Op")
    await _trap(client, 4)
    (status,) = await client.control.actors(nats_host.id)
    assert (status.state, status.restarts) == ("waiting", 4)
    assert status.last_end.startswith("trapped: the guest was ended")
    assert 0 < status.p50_ms <= status.p90_ms <= status.p99_ms < 1000
    assert status.memory_used == 0, "it has no instance now"
    assert 0 < status.guest_ms < 1000
    assert 0 < status.mean_ms < status.p99_ms * 2


async def test_callers_in_a_hurry_do_not_make_an_actor_fail(nats_host: Host, client: Client) -> None:
    policy = RestartPolicy(intensity=2, period=60.0)
    slow = actor("slow", timeout=0.3, restarts=policy)
    await nats_host.deploy_modules(application(slow), {"slow": guest(LOOP)})
    supervision = nats_host.router.actors["slow"].supervision
    for ask in (nats_host.ask, client.ask) * 3:
        with pytest.raises(DeadlineExceeded):
            await ask("slow", "Op", timeout=0.05)
    assert (supervision.state, supervision.restarts) == ("running", 0)
    waiting = [started(client.ask("slow", "Op", timeout=1)) for _ in range(6)]
    assert {type(await ended(one)) for one in waiting} <= {DeadlineExceeded, CallTimeout}
    assert supervision.restarts == 1, "the first had its time, the others waited for it"
