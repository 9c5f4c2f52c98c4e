"""What happens in an actor is seen live by who asks, on every host that runs it; else nobody is told."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec
import pytest

from actorhost import Client, Host
from actorhost.errors import ActorFailed, GuestTrapped, NoRoute, Unavailable
from actorhost.host import follow, watch
from actorhost.host.follow import Followed, following
from actorhost.host.log_lines import LogLines
from actorhost.host.watch_messages import SHOWN_CALLS, Handled, LogBatch, TraceBatch
from actorhost.ids import ActorName
from actorhost.manifest import load_manifest
from actorhost.testing import FaultProxy
from actorhost.transport.server import NatsServer
from actorhost.wire.subject import Watched, watch_subject
from tests.integration.host.conftest import PATIENCE, actor, application, link, until
from tests.wat import CALL, ECHO, TRAP, guest

LOG = """(call $request (i32.const 0) (i32.const 1024)) (call $log (i32.const 1024) (local.get $m))
(call $respond (i32.const 0) (i32.const 0)) (i32.const 1)"""
CALL_ECHO = """(call $call (i32.const 0) (i32.const 0) (i32.const 100) (i32.const 4)
 (i32.const 104) (i32.const 4) (i32.const 0) (i32.const 0))"""
CALLS = f"(drop {CALL_ECHO}) (drop {CALL} (i32.const 0) (i32.const 0)))"
CALLER = guest(
    f"{CALLS} (call $respond (i32.const 0) (i32.const 0)) (i32.const 1)", '(data (i32.const 100) "echoEcho")'
)
CHATTY = guest(
    f"""(local $n i32) (loop $more (drop {CALL_ECHO}) (local.set $n (i32.add (local.get $n) (i32.const 1)))
 (br_if $more (i32.lt_u (local.get $n) (i32.const {SHOWN_CALLS + 5})))) {TRAP}""",
    '(data (i32.const 100) "echoEcho")',
)
COUNTER = Path(__file__).resolve().parents[3] / "manifests/counter.yaml"


async def handled(followed: Followed, count: int) -> list[Handled]:
    """Return the next `count` messages."""
    found: list[Handled] = []
    async with asyncio.timeout(PATIENCE):
        while len(found) < count:
            item = await anext(followed.items)
            if isinstance(item, TraceBatch):
                found += item.records
    return found


class Reader:
    """Follows the log of actor ``talker`` as the command does."""

    def __init__(self, client: Client, followed: Followed) -> None:
        self.followed = followed
        self.lines = LogLines(lambda host, count: client.control.log(host, "talker", count))
        self.texts: list[str] = []

    async def until(self, text: str) -> list[str]:
        """Return all lines so far, once `text` is among them."""
        async with asyncio.timeout(PATIENCE):
            while text not in self.texts:
                item = await anext(self.followed.items)
                assert not isinstance(item, TraceBatch)
                self.texts += [line.text for _, line in await self.lines.take(item)]
        return self.texts


@asynccontextmanager
async def reading(client: Client) -> AsyncIterator[Reader]:
    async with following(client, ActorName("talker"), Watched.LOGS) as followed:
        reader = Reader(client, followed)
        reader.texts = [line.text for _, line in await reader.lines.begin(followed.first, 100)]
        yield reader


async def talk(host: Host | Client, *texts: str) -> None:
    for text in texts:
        await host.ask("talker", "Log", text.encode())


@pytest.fixture
async def talker(nats_host: Host) -> Host:
    await nats_host.deploy_modules(application(actor("talker")), {"talker": guest(LOG)})
    return nats_host


@pytest.fixture
def often(monkeypatch: pytest.MonkeyPatch) -> None:
    """Renew leases more often than people would."""
    monkeypatch.setattr(follow, "RENEW", 0.1)


async def test_a_trace_shows_callers_capabilities_and_faults(nats_host: Host, client: Client) -> None:
    await nats_host.deploy_modules(
        application(actor("caller", links=(link("echo"),)), actor("echo"), actor("fragile")),
        {"caller": CALLER, "echo": guest(ECHO), "fragile": guest(TRAP)},
    )
    async with (
        following(client, ActorName("caller"), Watched.TRACE, payloads=True) as calls,
        following(client, ActorName("echo"), Watched.TRACE) as echoes,
        following(client, ActorName("fragile"), Watched.TRACE) as faults,
    ):
        await client.ask("caller", "Op", b"secret")
        with pytest.raises(GuestTrapped):
            await client.ask("fragile", "Break")
        (call,), (echo,), (fault,) = (
            await handled(calls, 1),
            await handled(echoes, 1),
            await handled(faults, 1),
        )
    assert (call.operation, call.size, call.outcome, call.callers) == ("Op", 6, "reply", ())
    assert call.payload == b"secret"
    assert [(each.target, each.operation, each.outcome) for each in call.calls] == [
        ("echo", "Echo", "reply"),
        ("", "", "denied"),
    ]
    assert call.handled_ms >= call.calls[0].ms > 0
    assert (echo.callers, echo.payload, echo.outcome) == (("caller",), None, "reply")
    assert (fault.operation, fault.outcome, fault.reply_size) == ("Break", "trapped", 0)


async def test_a_call_of_a_provider_is_shown_by_its_contract(nats_host: Host, client: Client) -> None:
    await nats_host.deploy(load_manifest(COUNTER.read_bytes(), "counter.yaml"), COUNTER.parent)
    async with following(client, ActorName("counter"), Watched.TRACE) as followed:
        await client.ask("counter", "Increment", msgspec.msgpack.encode({"key": "visits"}))
        with pytest.raises(ActorFailed):
            await client.ask("counter", "Nonsense")
        done, failed = await handled(followed, 2)
    assert [(each.target, each.operation, each.outcome) for each in done.calls] == [
        ("actorhost:keyvalue", "increment", "reply")
    ]
    assert (done.reply_size, failed.outcome, failed.calls) == (1, "actor_error", ())


async def test_many_calls_of_one_message_are_counted(nats_host: Host, client: Client) -> None:
    await nats_host.deploy_modules(
        application(actor("chatty", links=(link("echo"),)), actor("echo")),
        {"chatty": CHATTY, "echo": guest(ECHO)},
    )
    async with following(client, ActorName("chatty"), Watched.TRACE) as followed:
        with pytest.raises(GuestTrapped):
            await client.ask("chatty", "Op")
        (record,) = await handled(followed, 1)
    assert (len(record.calls), record.more_calls, record.outcome) == (SHOWN_CALLS, 5, "trapped")


async def test_nothing_is_published_unless_asked_for_and_a_lease_ends(
    talker: Host, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[str] = []
    for what in Watched:
        subject = watch_subject("default", what, "talker")
        await client.transport.subscribe(subject, lambda subject, _reply, _data: seen.append(subject))
    await talk(client, "unseen")
    await asyncio.sleep(0.1)
    assert seen == []
    monkeypatch.setattr(watch, "LEASE", 0.3)
    for what in Watched:
        assert (await client.control.watch(talker.id, "talker", what)).lease_ms == 300
    await talk(client, "seen")
    await until(lambda: len(seen) == 2)
    one = talker.router.actors["talker"]
    await until(lambda: one.tracer is None and one.log.watch is None)
    await talk(client, "unseen")
    await asyncio.sleep(0.1)
    assert len(seen) == 2


async def test_a_log_is_followed_without_loss_or_repetition(
    talker: Host, client: Client, server: NatsServer, often: None
) -> None:
    """Before and after; from a host that comes later; and when the actor is deployed again."""
    await talk(client, "1", "2")
    async with reading(client) as reader:
        assert reader.texts == ["1", "2"]
        await talk(client, "3", "4")
        assert await reader.until("4") == ["1", "2", "3", "4"]
        async with Host(nats=server.url) as second:
            await second.deploy_modules(application(actor("talker")), {"talker": guest(LOG)})
            await talk(second, "early")
            await reader.until("early")
            await talk(second, "late")
        await reader.until("late")
        await talker.deploy_modules(application(actor("talker")), {"talker": guest(LOG)})
        await talk(talker, "new")
        assert await reader.until("new") == ["1", "2", "3", "4", "early", "late", "new"]
        assert not reader.lines.lost


async def test_a_fast_log_comes_in_batches(talker: Host, client: Client) -> None:
    async with following(client, ActorName("talker"), Watched.LOGS) as followed:
        for number in range(500):
            talker.router.actors["talker"].log.write("console", str(number))
        item = await anext(followed.items)
    assert isinstance(item, LogBatch)
    assert [line.text for line in item.records] == [str(number) for number in range(500)]


async def test_what_is_logged_while_the_watcher_is_cut_off_is_shown_afterwards(
    talker: Host, server: NatsServer, often: None
) -> None:
    async with FaultProxy(server.url) as proxy, Client(proxy.url) as watcher, reading(watcher) as reader:
        await talk(talker, "before")
        await reader.until("before")
        proxy.cut()
        await talk(talker, "meanwhile")
        # Published and gone before the watcher is back.
        await until(lambda: not watcher.transport.statistics().connected)
        await asyncio.sleep(0.1)
        await proxy.restore()
        await talk(talker, "after")
        assert await reader.until("after") == ["before", "meanwhile", "after"]


async def test_an_actor_that_nobody_runs_is_an_error(client: Client, server: NatsServer) -> None:
    with pytest.raises(Unavailable, match="no host of lattice 'default' answers"):
        async with following(client, ActorName("nobody"), Watched.TRACE):
            pass
    async with Host(nats=server.url):
        with pytest.raises(NoRoute, match="no host runs an actor 'nobody'"):
            async with following(client, ActorName("nobody"), Watched.TRACE):
                pass


async def test_a_trap_is_logged_with_the_functions_of_the_guest(
    host: Host, caplog: pytest.LogCaptureFixture
) -> None:
    """As compilers of Rust, mangled, and of AssemblyScript name them."""
    rust = "$_ZN5guest7handler7explode17h0123456789abcdefE"
    module = guest(
        "(call $assembly/index/handle) (i32.const 1)",
        f"(func {rust} unreachable) (func $assembly/index/handle (call {rust}))",
    )
    await host.deploy_modules(application(actor("named")), {"named": module})
    with caplog.at_level(logging.WARNING), pytest.raises(GuestTrapped):
        await host.ask("named", "Op")
    (line,) = [record.getMessage() for record in caplog.records if "instance ended" in record.getMessage()]
    assert "backtrace='in guest::handler::explode" in line
    assert " < assembly/index/handle < " in line
