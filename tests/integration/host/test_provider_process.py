"""A provider in a process of its own: what it is told, what its end and its faults become."""

from __future__ import annotations

import asyncio
import functools
import os
import signal
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from msgspec import msgpack

from actorhost import Client, Host, clock
from actorhost.errors import (
    ActorhostError,
    BadRequest,
    CallTimeout,
    Denied,
    OutcomeUnknown,
    ProviderFailed,
    ProviderRefused,
    TooLarge,
    Unavailable,
)
from actorhost.host import metrics
from actorhost.host.provider import child
from actorhost.ids import ActorName, new_call_id
from actorhost.lifecycle import RestartPolicy
from actorhost.limits import Limits
from actorhost.manifest import InstancePolicy, LinkSpec
from actorhost.transport import NatsServer, NatsTransport
from actorhost.wire.codec import decode, encode
from actorhost.wire.envelope import VERSION, Envelope, Kind
from actorhost.wire.subject import ProviderBranch, provider_subject
from tests.integration.host.calling import MODULE, ODD, call, odd_application, raw_call, remote
from tests.integration.host.conftest import KEYVALUE, until
from tests.integration.host.test_linked_providers import COUNTING
from tests.servers import RestartableNats
from tests.wat import guest

BACK = 2.0
"""Seconds after which a provider that was killed must serve again."""


@pytest.fixture
def told(tmp_path: Path) -> Path:
    return tmp_path / "told"


@pytest.fixture
async def host(server: NatsServer) -> AsyncIterator[Host]:
    async with Host(nats=server.url, providers=ODD) as running:
        yield running


def lines(told: Path) -> list[str]:
    """Return what the store was told."""
    return told.read_text().splitlines()


def runs(pid: int) -> bool:
    return psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE


def kill(host: Host) -> None:
    os.kill(remote(host).pid, signal.SIGKILL)


async def test_it_serves_there_with_the_same_answers_and_errors(host: Host, told: Path) -> None:
    await host.deploy_modules(odd_application(told), {"a": MODULE})
    assert await call(host, "set", key="k", value=b"v") == {"stored": True, "revision": 1}
    assert await call(host, "get", key="k") == {"value": b"v", "revision": 1}
    pid = int((await call(host, "get", key="pid"))["value"])
    assert pid == remote(host).pid != os.getpid()
    with pytest.raises(BadRequest, match="no number") as refused:
        await call(host, "increment", key="k", delta=1)
    assert refused.value.where == "provider store, in its own process"
    with pytest.raises(BadRequest, match="'get' of actorhost:keyvalue called by 'a' over link 'default'"):
        await call(host, "get", key="")
    measured = "".join(metrics.lines(host))
    labels = 'actor="a",target="actorhost:keyvalue",link="default",operation="set"'
    assert f'actorhost_capability_calls_total{{{labels},outcome="answered"}} 1\n' in measured
    assert f"actorhost_capability_seconds_count{{{labels}}} 1\n" in measured
    assert 'actorhost_provider_restarts_total{provider="store",application="app"} 0\n' in measured
    await host.undeploy("app")
    assert not psutil.pid_exists(pid)
    assert lines(told) == [f"started {pid}", "linked a {}", "unlinked a", "stopped"]


async def test_a_reply_over_the_actors_limit_is_too_large_and_the_process_stays(
    host: Host, told: Path
) -> None:
    await host.deploy_modules(odd_application(told), {"a": MODULE})
    pairs: list[dict[str, Any]] = [{"key": f"k{n}", "value": bytes(300_000)} for n in range(2)]
    for pair in pairs * 2:
        await call(host, "set", **pair)
    many = msgpack.encode({"keys": ["k0", "k1"] * 2})
    with pytest.raises(TooLarge) as refused:
        await raw_call(host, "get-many", many)
    assert refused.value.where == "provider store, in its own process"
    assert remote(host).restarts == 0


async def test_killed_under_load_every_call_ends_in_time_and_it_is_soon_back(
    host: Host, server: NatsServer, told: Path
) -> None:
    await _killed(host, server, told, times=3)


@pytest.mark.soak
async def test_killed_twenty_times_under_load(host: Host, server: NatsServer, told: Path) -> None:
    await _killed(host, server, told, times=20)


async def _killed(host: Host, server: NatsServer, told: Path, times: int) -> None:
    await host.deploy_modules(odd_application(told), {"a": MODULE})
    calls: list[tuple[float, float, str]] = []
    honest: list[bool] = []
    over = asyncio.Event()

    async def keep_calling(operation: str, **params: object) -> None:
        while not over.is_set():
            began, end = clock.monotonic(), ""
            try:
                await call(host, operation, timeout=1.0, **params)
            except ActorhostError as error:
                end = str(error.code)
                honest.append(error.retryable or not error.outcome_known)
            calls.append((began, clock.monotonic(), end))
            await asyncio.sleep(0.002)

    def served_since(at: float) -> bool:
        return any(not end and began > at for began, _, end in calls)

    kinds: list[str] = []
    async with Client(server.url) as client, client.events("provider-*") as events:
        async with asyncio.TaskGroup() as tasks:
            for _ in range(4):
                tasks.create_task(keep_calling("get", key="k"))
                tasks.create_task(keep_calling("increment", key="n", delta=1))
            for number in range(times):
                await asyncio.sleep(0.1)
                killed = clock.monotonic()
                kill(host)
                await until(functools.partial(served_since, killed))
                assert clock.monotonic() - killed < BACK, number
            over.set()
        while len(kinds) < 2:
            kinds.append((await anext(events)).kind)
    ends = Counter(end for _, _, end in calls)
    assert set(ends) <= {"", "unavailable", "unknown_outcome"}
    assert ends["unavailable"] > 0
    assert all(honest)
    assert max(end - began for began, end, _ in calls) < 1.05
    assert remote(host).restarts == times
    assert lines(told).count("linked a {}") == times + 1
    assert kinds == ["provider-ended", "provider-restarted"]


async def test_one_that_stands_still_or_is_busy_is_replaced_and_callers_keep_their_deadlines(
    host: Host, told: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(child, "_BEAT", 0.05)
    monkeypatch.setattr(child, "_PATIENCE", 0.3)
    await host.deploy_modules(odd_application(told), {"a": MODULE})
    os.kill(remote(host).pid, signal.SIGSTOP)
    began = clock.monotonic()
    with pytest.raises(OutcomeUnknown) as refused:
        await call(host, "increment", timeout=0.2, key="n", delta=1)
    assert clock.monotonic() - began < 0.4
    assert not refused.value.outcome_known
    assert refused.value.where == "provider store, in its own process"
    await until(lambda: remote(host).restarts == 1 and remote(host).state == "running")
    with pytest.raises(Unavailable, match=r"did not answer|ended") as lost:
        await call(host, "get", timeout=5.0, key="block")
    assert lost.value.outcome_known
    await until(lambda: remote(host).state == "running")
    assert await call(host, "get", key="k") is None
    assert remote(host).restarts == 2


async def test_one_that_takes_its_time_to_stop_is_asked_on_and_answers(
    host: Host, told: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(child, "_BEAT", 0.02)
    await host.deploy_modules(odd_application(told, stopping=0.3), {"a": MODULE})
    await host.undeploy("app")
    assert lines(told)[-1] == "stopped"
    assert not capfd.readouterr().err


async def test_its_end_is_seen_and_whole_also_when_it_has_forked(host: Host, told: Path) -> None:
    await host.deploy_modules(odd_application(told), {"a": MODULE})
    forked = int((await call(host, "get", key="fork"))["value"])
    began = clock.monotonic()
    kill(host)
    await until(lambda: remote(host)._instance == "")
    assert clock.monotonic() - began < 0.5
    await until(lambda: remote(host).restarts == 1 and remote(host).state == "running")
    await until(lambda: not runs(forked))


async def test_an_answer_that_is_none_is_a_fault_and_the_process_is_replaced(host: Host, told: Path) -> None:
    await host.deploy_modules(odd_application(told), {"a": MODULE})
    await call(host, "get", key="garbage")
    with pytest.raises(ProviderFailed, match="malformed") as refused:
        await call(host, "set", key="k", value=b"v")
    assert not refused.value.outcome_known
    await until(lambda: remote(host).restarts == 1 and remote(host).state == "running")
    assert await call(host, "get", key="k") is None


async def test_one_that_ends_too_often_has_failed_and_says_why(host: Host, told: Path) -> None:
    wanted = odd_application(told, restarts=RestartPolicy(intensity=0, attempts=0))
    await host.deploy_modules(wanted, {"a": MODULE})
    kill(host)
    await until(lambda: remote(host).state == "failed")
    with pytest.raises(Unavailable, match="its process ended: SIGKILL") as refused:
        await call(host, "get", key="k")
    assert not refused.value.retryable


async def test_what_does_not_start_there_is_refused_and_leaves_nothing(host: Host, told: Path) -> None:
    with pytest.raises(ProviderFailed, match="cannot log in"):
        await host.deploy_modules(odd_application(told, fails="now"), {"a": MODULE})
    with pytest.raises(ProviderFailed, match="'store' did not start: its process ended: exit code 3"):
        await host.deploy_modules(odd_application(told, exits=True), {"a": MODULE})
    assert not host.router.actors
    bad = LinkSpec(target=ActorName("store"), namespace=KEYVALUE, config={"bad": True})
    with pytest.raises(ProviderRefused, match="a bad link"):
        await host.deploy_modules(odd_application(told, link=bad), {"a": MODULE})
    with pytest.raises(ProviderRefused, match="handed to another process"):
        await host.deploy_modules(odd_application(told, thing=object()), {"a": MODULE})
    assert not psutil.Process().children(recursive=True) or all(
        "provider" not in child.cmdline() for child in psutil.Process().children()
    )


async def test_a_call_that_is_given_up_ends_there_and_no_other_does(
    host: Host, server: NatsServer, told: Path
) -> None:
    await host.deploy_modules(odd_application(told), {"a": MODULE})
    stranger = NatsTransport(server.url, name="stranger")
    await stranger.start()
    sent: list[bytes] = []
    calls = provider_subject("default", ProviderBranch.CALLS, "store", remote(host)._instance, "get")
    await stranger.subscribe(calls, lambda _subject, _reply, data: sent.append(data))
    try:
        async with asyncio.TaskGroup() as tasks:
            given_up, waiting = (tasks.create_task(call(host, "get", timeout=5.0, key="hang")) for _ in "12")
            await until(lambda: lines(told).count("hangs") == 2)
            number = decode(sent[0]).id
            for key in ("", "0" * 32):
                await stranger.publish(calls, encode(Envelope(VERSION, Kind.CANCEL, number, b"", key=key)))
            await stranger.publish(calls, b"\xc1 no envelope")
            await stranger.flush(1.0)
            assert await call(host, "get", key="k") is None
            assert "ended" not in lines(told)
            given_up.cancel()
            await until(lambda: lines(told).count("ended") == 1)
            assert not waiting.done()
            waiting.cancel()
        await until(lambda: lines(told).count("ended") == 2)
    finally:
        await stranger.close()


async def test_the_limits_of_a_host_are_those_of_its_processes(
    server: NatsServer, told: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ACTORHOST_START_TIMEOUT", "0.1")
    async with Host(nats=server.url, providers=ODD, limits=Limits()) as host:
        await host.deploy_modules(odd_application(told, starting=0.2), {"a": MODULE})


async def test_a_deployment_that_is_given_up_does_not_wait_for_its_start(host: Host, told: Path) -> None:
    deploying = asyncio.gather(host.deploy_modules(odd_application(told, starting=4), {"a": MODULE}))
    await until(told.exists)
    began = clock.monotonic()
    deploying.cancel()
    with pytest.raises(asyncio.CancelledError):
        await deploying
    assert clock.monotonic() - began < 2.0
    assert not runs(int(lines(told)[0].split()[1]))


async def test_without_a_server_there_is_no_process(told: Path) -> None:
    async with Host(providers=ODD) as alone:
        with pytest.raises(ProviderRefused, match="no NATS server"):
            await alone.deploy_modules(odd_application(told), {"a": MODULE})


async def test_it_calls_actors_through_its_host_in_the_sandbox_the_link_wants(host: Host, told: Path) -> None:
    fresh = LinkSpec(target=ActorName("store"), namespace=KEYVALUE, policy=InstancePolicy.PER_CALL)
    await host.deploy_modules(odd_application(told, link=fresh), {"a": guest(COUNTING)})
    for _ in range(2):
        assert await call(host, "exists", key="k") is True
    assert lines(told).count("counted 1") == 2


async def test_secrets_are_in_no_argument_variable_message_or_error(
    server: NatsServer, host: Host, told: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STORE_PASSWORD", "hunter2-of-the-store")
    link = LinkSpec(target=ActorName("store"), namespace=KEYVALUE, config={"bucket": "env:STORE_PASSWORD"})
    spy = NatsTransport(server.url, name="spy")
    await spy.start()
    seen: list[bytes] = []
    await spy.subscribe(">", lambda _subject, _reply, data: seen.append(data))
    try:
        wanted = odd_application(told, link=link, password="env:STORE_PASSWORD")  # noqa: S106 - a reference
        await host.deploy_modules(wanted, {"a": MODULE})
        found = await call(host, "get", key="config")
        assert b"hunter2" in found["value"], "the provider has it"
        seen.clear()
        with pytest.raises(ProviderFailed) as refused:
            await call(host, "get", key="secret")
        process = psutil.Process(remote(host).pid)
        assert "hunter2" not in str(process.cmdline())
        assert "hunter2" not in str(process.environ())
        kill(host)
        await until(lambda: remote(host).restarts == 1 and remote(host).state == "running")
        await spy.flush(1.0)
    finally:
        await spy.close()
    assert "hunter2" not in f"{refused.value} {refused.value.hint}"
    assert seen
    assert not [data for data in seen if b"hunter2" in data]


async def test_a_stranger_on_its_subject_reaches_nothing(host: Host, server: NatsServer, told: Path) -> None:
    await host.deploy_modules(odd_application(told), {"a": MODULE})
    instance = remote(host)._instance
    stranger = NatsTransport(server.url, name="stranger")
    await stranger.start()
    try:
        subject = provider_subject("default", ProviderBranch.CALLS, "store", instance, "set")
        payload = msgpack.encode({"key": "k", "value": b"forged"})
        for key in ("", "0" * 32, remote(host)._source):
            request = Envelope(VERSION, Kind.ASK, new_call_id(), payload, "a", 1000, ("a",), key=key)
            answer = decode(await stranger.request(subject, encode(request), 1.0))
            assert answer.fault is not None
            assert answer.fault.code == Denied.code
        for junk in (b"", b"\xc1", payload):
            answer = decode(await stranger.request(subject, junk, 1.0))
            assert answer.fault is not None
            assert answer.fault.code == BadRequest.code
    finally:
        await stranger.close()
    assert await call(host, "get", key="k") is None


async def test_a_lost_nats_server_costs_no_process(tmp_path: Path, told: Path) -> None:
    server = RestartableNats(tmp_path / "restartable")
    await server.start()
    try:
        async with Host(nats=server.url, providers=ODD) as host:
            await host.deploy_modules(odd_application(told), {"a": MODULE})
            await call(host, "set", key="k", value=b"kept")
            before = remote(host).pid
            hanging = asyncio.gather(call(host, "get", timeout=5.0, key="hang"), return_exceptions=True)
            await asyncio.sleep(0.05)
            await server.kill()
            await until(lambda: not host.transport.connected)
            with pytest.raises(Unavailable, match="nothing was sent"):
                await call(host, "get", key="k")
            assert [type(end) for end in await hanging] == [Unavailable]
            await server.start()
            async with asyncio.timeout(5.0):
                while (found := await answered(host)) is None:  # noqa: ASYNC110 - nobody tells
                    await asyncio.sleep(0.02)
            assert (found["value"], remote(host).pid) == (b"kept", before)
    finally:
        await server.kill()


async def answered(host: Host) -> dict[str, bytes] | None:
    """Return the entry under ``k``, None while it cannot be had."""
    try:
        found: dict[str, bytes] = await call(host, "get", timeout=0.3, key="k")
    except (CallTimeout, Unavailable):
        return None
    return found
