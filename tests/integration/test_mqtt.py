"""Devices that speak MQTT, through a real client library, to actors: each quality of service, once each."""

from __future__ import annotations

import json
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import anyio
import anyio.to_thread
import msgpack
import pytest
from paho.mqtt.client import Client as Device
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode, MQTTProtocolVersion

from actorhost import Client, Host, clock
from actorhost.errors import ServerUnavailable
from actorhost.ids import OperationName, SubjectPattern
from actorhost.limits import Limits
from actorhost.manifest import IngestSpec, PayloadFormat
from actorhost.transport import NatsServer
from tests.integration.host.conftest import actor, application, until
from tests.integration.host.test_overload import letters
from tests.integration.test_cli import going_up, run
from tests.wat import guest

PATIENCE = 10.0
LOG = """(call $request (i32.const 0) (i32.const 1024)) (call $log (i32.const 1024) (local.get $m))
(call $respond (i32.const 0) (i32.const 0)) (i32.const 1)"""
Messages = list[tuple[str, bytes, int]]
"""Topics, payloads and qualities of service."""


@contextmanager
def device(url: str, name: str) -> Iterator[Device]:
    """A connected device, which is gone afterwards with its thread."""
    address = urlsplit(url)
    client = Device(CallbackAPIVersion.VERSION2, client_id=name, protocol=MQTTProtocolVersion.MQTTv311)
    assert address.hostname is not None
    assert address.port is not None
    client.connect(address.hostname, address.port)
    client.loop_start()
    try:
        yield client
    finally:
        client.disconnect()
        client.loop_stop()


def publish_all(url: str, name: str, messages: Messages) -> None:
    """Publish `messages` and return when the server has them, as far as their quality tells."""
    with device(url, name) as client:
        sent = [client.publish(topic, payload, qos) for topic, payload, qos in messages]
        for each in sent:
            each.wait_for_publish(PATIENCE)
            assert each.is_published()
            assert each.rc is MQTTErrorCode.MQTT_ERR_SUCCESS


async def publish(server: NatsServer, *messages: tuple[str, bytes, int], name: str = "device") -> None:
    await anyio.to_thread.run_sync(publish_all, server.mqtt_url, name, list(messages))


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[NatsServer]:
    async with NatsServer(tmp_path / "nats", mqtt_port=0, limits=Limits()) as running:
        yield running


@pytest.fixture
async def host(server: NatsServer) -> AsyncIterator[Host]:
    async with Host(nats=server.url) as running:
        yield running


def lines(*hosts: Host) -> list[str]:
    """Return what the actors ``sink`` of these hosts have logged."""
    return sorted(line.text for host in hosts for line in host.router.actors["sink"].log.tail(1000))


async def deploy(host: Host, subject: str, **options: Any) -> None:
    """Run an actor ``sink`` that logs what comes from `subject`."""
    ingest = IngestSpec(subject=SubjectPattern(subject), operation=OperationName("Log"), **options)
    await host.deploy_modules(application(actor("sink", ingests=(ingest,))), {"sink": guest(LOG)})


async def test_every_quality_of_service_arrives_once(server: NatsServer, host: Host) -> None:
    await deploy(host, "sensors.*.temp", payload=PayloadFormat.RAW)
    await publish(server, *((f"sensors/a{qos}/temp", b"reading %d" % qos, qos) for qos in (0, 1, 2)))
    await until(lambda: len(lines(host)) == 3)
    await publish(server, ("sensors/b/temp", b"reading 3", 1))
    await until(lambda: len(lines(host)) >= 4)
    assert lines(host) == [f"reading {n}" for n in range(4)]


async def test_a_topic_is_the_subject_with_dots_for_slashes(server: NatsServer, host: Host) -> None:
    await deploy(host, "sensors.>", payload=PayloadFormat.RAW, with_subject=True)
    for topic in ("sensors/küche/temp", "sensors/a.b/temp", "sensors/a", "other/a"):
        await publish(server, (topic, b"", 1))
    await until(lambda: len(lines(host)) == 3)
    packed = [
        msgpack.packb({"subject": subject, "payload": b""})
        for subject in ("sensors.küche.temp", "sensors.a//b.temp", "sensors.a")
    ]
    assert lines(host) == sorted(_as_logged(each) for each in packed)


def _as_logged(data: bytes) -> str:
    text = data.decode("utf-8", "replace")
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


async def test_devices_that_publish_together_reach_one_host_each_time(server: NatsServer, host: Host) -> None:
    async with Host(nats=server.url) as other:
        for each in (host, other):
            await deploy(each, "load.*", payload=PayloadFormat.RAW)
        async with anyio.create_task_group() as tasks:
            for number in range(4):
                messages = [(f"load/{number}", f"{number}-{n:03}".encode(), n % 3) for n in range(100)]
                tasks.start_soon(_publish_as, server, f"device-{number}", messages)
        await until(lambda: len(lines(host, other)) >= 400)
        assert lines(host, other) == [f"{number}-{n:03}" for number in range(4) for n in range(100)]
        assert lines(host)
        assert lines(other)


async def _publish_as(server: NatsServer, name: str, messages: Messages) -> None:
    await publish(server, *messages, name=name)


async def test_what_a_device_gets_wrong_is_counted_and_kept(server: NatsServer, host: Host) -> None:
    await deploy(host, "sensors.*.temp")
    await publish(
        server,
        ("sensors/kitchen/temp", b'{"celsius": NaN}', 0),
        ("sensors/attic/temp", b"\xff", 1),
        ("sensors/attic/temp", b'{"celsius": 21.5}', 1),
    )
    async with Client(server.url) as client:
        found = await letters(client, 2)
        assert [(each.source, each.code, each.payload) for each in found] == [
            ("sensors.kitchen.temp", "bad_request", b'{"celsius": NaN}'),
            ("sensors.attic.temp", "bad_request", b"\xff"),
        ]
        assert all(each.reason.startswith("the payload is not JSON") for each in found)
        (status,) = await client.control.actors(host.id)
        assert (status.ingested, status.malformed, status.dead) == (1, 2, 2)


async def test_what_is_published_while_no_host_listens_is_gone(server: NatsServer, host: Host) -> None:
    """The server confirms quality 1 and keeps the message for MQTT subscribers; a host is none."""
    await publish(server, ("sensors/a/temp", b"early", 1))
    await deploy(host, "sensors.*.temp", payload=PayloadFormat.RAW)
    await publish(server, ("sensors/a/temp", b"late", 1))
    await until(lambda: bool(lines(host)))
    assert lines(host) == ["late"]


async def test_an_mqtt_port_that_is_taken_is_named(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        server = NatsServer(tmp_path, mqtt_port=port, limits=Limits())
        with pytest.raises(ServerUnavailable, match="MQTT") as caught:
            await server.start()
        assert caught.value.hint.startswith(f"port {port} is taken")
    await server.start()
    assert server.mqtt_url == f"mqtt://127.0.0.1:{port}"
    await server.stop()


async def test_without_a_port_for_it_there_is_no_mqtt(tmp_path: Path) -> None:
    for mqtt_port, there in ((0, True), (None, False), (0, True)):
        async with NatsServer(tmp_path, mqtt_port=mqtt_port, limits=Limits()) as server:
            assert bool(server.mqtt_url) is there


def test_the_example_takes_readings_over_mqtt(tmp_path: Path) -> None:
    with going_up(tmp_path, "--mqtt-port", "0", "manifests/sensors.yaml") as up:
        assert up.ready["mqtt"].startswith("mqtt://127.0.0.1:")
        readings = [
            {"sensor": "kitchen", "time": 60 * n, "celsius": celsius}
            for n, celsius in enumerate((20.5, 21.5, 33))
        ]
        messages = [("sensors/kitchen/temperature", json.dumps(each).encode(), 1) for each in readings]
        publish_all(up.ready["mqtt"], "kitchen", [*messages, ("sensors/kitchen/temperature", b"21.5 C", 1)])

        def statistics() -> Any:
            return json.loads(up.run("call", "thermostat", "Statistics", '{"sensor": "kitchen"}').stdout)

        _until(lambda: statistics() is not None and statistics()["count"] == 3)
        assert (statistics()["max"], statistics()["alarms"]) == (33, 1)
        (host,) = up.json("ps")["hosts"]
        counts = {each["name"]: (each["ingested"], each["malformed"]) for each in host["actors"]}
        assert counts["thermostat"] == (3, 1)
        assert "the payload is not JSON" in up.run("dead", "list").stdout


def _until(condition: Callable[[], bool]) -> None:
    deadline = clock.monotonic() + PATIENCE
    while not condition():
        assert clock.monotonic() < deadline


def test_the_command_line_says_what_is_wrong_with_an_mqtt_port(tmp_path: Path) -> None:
    done = run("up", "--nats", "nats://127.0.0.1:9", "--mqtt-port", "1883")
    assert done.returncode == 2
    assert "--mqtt-port" in done.stderr
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        done = run("up", "--port", "0", "--store", str(tmp_path), "--mqtt-port", port)
    assert done.returncode == 3
    assert f"cannot start a NATS server: port {port} for MQTT is taken" in done.stderr
    assert "--mqtt-port 0 takes a free one" in done.stderr
