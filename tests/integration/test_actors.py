"""The example actors do what their READMEs say: in one host, linked to a key-value store in memory.

Written from the outside: payloads go through the independent `msgpack` package.
"""

from __future__ import annotations

import asyncio
import random
import statistics
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgpack
import pytest

from actorhost.errors import ActorFailed
from actorhost.host import Host
from actorhost.manifest import load_manifest

ACTORS = Path(__file__).resolve().parents[2] / "actors"
MANIFEST = Path(__file__).with_name("actors.yaml")
HOUR = 3600


@asynccontextmanager
async def actors() -> AsyncIterator[Host]:
    """Run the example actors in a host; no fixture, because those begin and end in different tasks."""
    async with Host() as host:
        await host.deploy(load_manifest(MANIFEST.read_bytes(), MANIFEST.name), ACTORS)
        yield host


async def ask(host: Host, actor: str, operation: str, **parameters: object) -> Any:
    """Ask with a map of parameters and return the value answered."""
    return msgpack.unpackb(await host.ask(actor, operation, msgpack.packb(parameters)))


async def refusal(host: Host, actor: str, operation: str, payload: bytes) -> str:
    """Return the words with which an actor refuses a message."""
    with pytest.raises(ActorFailed) as caught:
        await host.ask(actor, operation, payload)
    return caught.value.message


async def test_echo_answers_with_the_payload_whatever_its_size() -> None:
    async with actors() as host:
        for payload in (b"", b"hello", bytes(range(256)) * 1024, b"z" * (768 * 1024), b"small again"):
            assert await host.ask("echo", "Echo", payload) == payload
        assert await host.ask("echo", "Log", b"a line") == b"a line"


async def test_echo_fails_in_the_senders_words_and_names_what_it_does_not_know() -> None:
    async with actors() as host:
        assert "no reason but this" in await refusal(host, "echo", "Fail", b"no reason but this")
        assert "unknown operation Shout" in await refusal(host, "echo", "Shout", b"")


async def test_echo_answers_with_what_its_capability_answered() -> None:
    async with actors() as host:
        assert await ask(host, "echo", "Call", key="counter") is None
        await ask(host, "counter", "Increment", delta=41)
        entry = await ask(host, "echo", "Call", key="counter")
        assert entry["value"] == b"41"
        assert entry["revision"] >= 1
        assert "key" in await refusal(host, "echo", "Call", b"\x80")


async def test_counter_counts_by_name() -> None:
    async with actors() as host:
        assert await ask(host, "counter", "Get") == 0
        assert msgpack.unpackb(await host.ask("counter", "Increment")) == 1
        assert await ask(host, "counter", "Increment", delta=41) == 42
        assert await ask(host, "counter", "Increment", key="ключ " * 20, delta=-(2**40)) == -(2**40)
        assert await ask(host, "counter", "Get", key="ключ " * 20) == -(2**40)
        assert await ask(host, "counter", "Reset") == 0
        assert await ask(host, "counter", "Get") == 0


@pytest.mark.parametrize(
    ("payload", "words"),
    [
        (b"\x90", "should be a map"),
        (b"\xdf\xff\xff\xff\xff", "ends too early"),
        (b"\x81\xa3key\xdb\xff\xff\xff\xff", "ends too early"),
        (b"\x81\xa4junk\xc1", "not MessagePack"),
        (b"\x81\xa4junk" + b"\x91" * 200_000, "ends too early"),
        (b"\x81\xa3key\x03", "should be text"),
        (b"\x81\xa5delta\xcf\xff\xff\xff\xff\xff\xff\xff\xff", "too large"),
        (b"\x81\xa5delta\xa1x", "whole number"),
    ],
)
async def test_counter_refuses_nonsense_and_lives_on(payload: bytes, words: str) -> None:
    async with actors() as host:
        assert words in await refusal(host, "counter", "Increment", payload)
        assert await ask(host, "counter", "Get", later={"a": [1.5, b"x", None]}) == 0


async def test_an_actor_without_a_link_is_told_what_to_change() -> None:
    async with actors() as host:
        assert "contracts" in await refusal(host, "unlinked", "Get", b"")


async def test_alarm_counts_by_sensor() -> None:
    async with actors() as host:
        alarm = {"sensor": "north", "time": "2010-07-01T14:00", "celsius": 30.44, "rule": "high"}
        assert await ask(host, "alarm", "Raise", **alarm) == 1
        assert await ask(host, "alarm", "Raise", **alarm | {"time": -5, "celsius": -0.06, "rule": "low"}) == 2
        assert await ask(host, "alarm", "Count", sensor="north") == 2
        assert await ask(host, "alarm", "Count", sensor="south") == 0
        assert "missing: rule" in await refusal(host, "alarm", "Raise", msgpack.packb({"sensor": "north"}))


async def test_thermostat_agrees_with_figures_computed_directly() -> None:
    async with actors() as host:
        readings = [round(random.Random(n).gauss(12, 9), 1) for n in range(400)]  # noqa: S311 - no secret
        seen: dict[str, Any] = {}
        for n, celsius in enumerate(readings):
            reading = {"sensor": "north", "time": n * HOUR, "celsius": celsius, "high": 25.0, "low": 0}
            seen = await ask(host, "thermostat", "Reading", **reading)
        assert seen == await ask(host, "thermostat", "Statistics", sensor="north")
        beyond = sum(celsius > 25 or celsius < 0 for celsius in readings)
        assert seen == {
            "sensor": "north",
            "count": len(readings),
            "mean": pytest.approx(statistics.fmean(readings)),
            "min": min(readings),
            "max": max(readings),
            "alarms": beyond,
            "stddev": pytest.approx(statistics.stdev(readings)),
            "mean-24h": pytest.approx(statistics.fmean(readings[-24:])),
        }
        assert await ask(host, "alarm", "Count", sensor="north") == beyond


async def test_thermostat_loses_no_reading_to_another_instance() -> None:
    async with actors() as host:
        sensors = [f"sensor-{n}" for n in range(4)]
        await asyncio.gather(
            *(
                ask(host, "thermostat", "Reading", sensor=sensors[n % 4], time=n, celsius=20)
                for n in range(200)
            )
        )
        counts = [(await ask(host, "thermostat", "Statistics", sensor=sensor))["count"] for sensor in sensors]
        assert counts == [50] * 4


async def test_thermostat_reads_times_as_text() -> None:
    async with actors() as host:
        times = ("2010-07-01T14:00", "2010/07/02 13:59:59Z", "2010-07-02T14:00")
        means = [
            (await ask(host, "thermostat", "Reading", sensor="s", time=time, celsius=celsius))["mean-24h"]
            for celsius, time in enumerate(times, start=1)
        ]
        assert means == [1.0, 1.5, 2.5]  # in the end the first is a day old
        assert await ask(host, "thermostat", "Statistics", sensor="unknown") is None


@pytest.mark.parametrize(
    ("parameters", "words"),
    [
        ({}, "missing: sensor"),
        ({"sensor": "s"}, "missing: time"),
        ({"sensor": "s", "time": 1}, "celsius"),
        ({"sensor": "s", "time": 1, "celsius": float("nan")}, "celsius"),
        ({"sensor": "s", "time": "noon", "celsius": 1}, "not noon"),
        ({"sensor": "s", "time": "2010-07-02T14:00+02:00", "celsius": 1}, "+02:00"),
        ({"sensor": 5, "time": 1, "celsius": 1}, "should be text"),
    ],
)
async def test_thermostat_refuses_what_is_no_reading(parameters: dict[str, object], words: str) -> None:
    async with actors() as host:
        assert words in await refusal(host, "thermostat", "Reading", msgpack.packb(parameters))
        assert await ask(host, "thermostat", "Statistics", sensor="s") is None
