"""The examples of the README do what it says, and go on doing it when the manifest alone is changed."""

from __future__ import annotations

import asyncio
import json
import tempfile
import urllib.error
import urllib.request
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import msgpack
import pytest

from actorhost import Host
from actorhost.errors import ActorhostError
from actorhost.limits import Limits
from actorhost.manifest import load_manifest
from actorhost.transport import NatsServer
from tests.integration.test_cli import ROOT
from tests.servers import postgres_server, redis_server
from tests.transports import PATIENCE

Changes = dict[str, str]

IN_PROCESS = {
    "provider: keyvalue-memory": "place: process, provider: keyvalue-memory",
    "provider: http-server": "place: process\n        provider: http-server",
}
SQL_IN_PROCESS = {"provider: sql-sqlite": "provider: sql-sqlite\n        place: process"}


@asynccontextmanager
async def running(name: str, folder: Path, *changes: Changes) -> AsyncIterator[Host]:
    """Run the example `name`, whose manifest is changed in nothing but the texts of `changes`."""
    text = (ROOT / "manifests" / f"{name}.yaml").read_text()
    for old, new in (change for some in changes for change in some.items()):
        assert text.count(old) == 1, f"{old!r} is not once in {name}.yaml"
        text = text.replace(old, new)
    text = text.replace(f"path: {name}.sqlite", f"path: {folder}/{name}.sqlite")
    async with NatsServer(folder / name, limits=Limits()) as server, Host(nats=server.url) as host:
        await host.deploy(load_manifest(text.encode(), name), ROOT / "manifests")
        yield host


async def http(method: str, url: str, body: bytes = b"") -> tuple[int, str]:
    """Return status and body, as curl would show them."""

    def send() -> tuple[int, str]:
        request = urllib.request.Request(url, body or None, method=method)  # noqa: S310 - our own URL
        try:
            with urllib.request.urlopen(request, timeout=PATIENCE) as answer:  # noqa: S310 - likewise
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read().decode()

    return await asyncio.to_thread(send)


@pytest.fixture
def port(unused_tcp_port: int) -> Changes:
    return {"port: 8080": f"port: {unused_tcp_port}"}


def base(port: Changes) -> str:
    """Return the URL of the port that the manifest says."""
    return f"http://127.0.0.1:{port['port: 8080'].rpartition(' ')[2]}"


@asynccontextmanager
async def backend(name: str, folder: Path) -> AsyncIterator[list[Changes]]:
    """Yield what makes of an example's manifest one for the backend `name`, whose server runs meanwhile."""
    async with AsyncExitStack() as stack:
        if name == "redis":
            server = await stack.enter_async_context(redis_server(folder / "redis"))
            old = "properties: {provider: keyvalue-memory, contract: actorhost:keyvalue}"
            new = f"{{provider: keyvalue-redis, contract: actorhost:keyvalue, config: {{url: {server.url}}}}}"
            yield [{old: f"properties: {new}"}]
        elif name == "postgres":
            # The server's user must be able to enter, which it cannot under the tests' own folder.
            place = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="actorhost-")))
            await asyncio.to_thread(place.chmod, 0o755)
            database = await stack.enter_async_context(postgres_server(place / "postgres"))
            provider = {"provider: sql-sqlite": "provider: sql-postgres"}
            yield [provider, {"config: {path: devices.sqlite}": f'config: {{url: "{database.url}"}}'}]
        else:
            yield []


@pytest.mark.parametrize(
    ("store", "place"),
    [("memory", {}), ("memory", IN_PROCESS), pytest.param("redis", {}, marks=pytest.mark.needs_redis)],
    ids=["memory", "memory and server in processes", "redis"],
)
async def test_counters_over_http(tmp_path: Path, port: Changes, store: str, place: Changes) -> None:
    door = f"{base(port)}/counters/door"
    async with backend(store, tmp_path) as changes, running("visits", tmp_path, port, place, *changes):
        assert await http("POST", door) == (200, "1\n")
        assert await asyncio.gather(*(http("POST", door) for _ in range(10)))
        assert await http("GET", door) == (200, "11\n")
        assert await http("GET", f"{base(port)}/counters/window") == (200, "0\n")
        assert await http("DELETE", door) == (200, "0\n")
        assert (await http("PUT", door))[0] == 405
        assert (await http("GET", f"{base(port)}/elsewhere"))[0] == 404


@pytest.mark.parametrize(
    ("database", "place"),
    [
        ("sqlite", {}),
        ("sqlite", SQL_IN_PROCESS),
        pytest.param("postgres", {}, marks=pytest.mark.needs_postgres),
        pytest.param("postgres", SQL_IN_PROCESS, marks=pytest.mark.needs_postgres),
    ],
    ids=["sqlite", "sqlite in a process", "postgres", "postgres in a process"],
)
async def test_a_registry_of_devices(tmp_path: Path, port: Changes, database: str, place: Changes) -> None:
    devices = f"{base(port)}/devices"
    lamp = {"id": "lamp", "model": 'model "8"', "updates": 2}
    async with backend(database, tmp_path) as changes, running("devices", tmp_path, port, place, *changes):
        assert await http("GET", devices) == (200, "[]\n")
        status, text = await http("PUT", f"{devices}/lamp", b"model 7")
        assert (status, json.loads(text)["updates"]) == (200, 1)
        assert json.loads((await http("PUT", f"{devices}/lamp", b'model "8"'))[1]) == lamp
        injection = b"'); drop table devices; --"
        assert (await http("PUT", f"{devices}/door", injection))[0] == 200
        assert json.loads((await http("GET", f"{devices}/lamp"))[1]) == lamp
        assert [one["id"] for one in json.loads((await http("GET", devices))[1])] == ["door", "lamp"]
        assert json.loads((await http("GET", f"{devices}?after=door"))[1]) == [lamp]
        assert await http("DELETE", f"{devices}/door") == (204, "")
        assert await http("DELETE", f"{devices}/door") == (404, "there is no device door\n")
        assert (await http("PUT", f"{devices}/door"))[0] == 400


async def test_a_request_sent_for_others(tmp_path: Path, port: Changes) -> None:
    allowed = {
        'config: {allow: ["https://example.com/*"]}': f'config: {{allow: ["{base(port)}/counters/*"],'
        " allow-private: true}"
    }
    url = msgpack.packb(f"{base(port)}/counters/door")
    async with running("visits", tmp_path, port), running("fetch", tmp_path, allowed) as host:
        response = msgpack.unpackb(await host.ask("fetch", "Get", url))
        assert (response["status"], response["body"]) == (200, b"0\n")
        for elsewhere in (f"{base(port)}/devices", "https://example.com/", "http://169.254.169.254/"):
            with pytest.raises(ActorhostError, match="denied: "):
                await host.ask("fetch", "Get", msgpack.packb(elsewhere))


async def test_a_cache_between_an_actor_and_its_store(tmp_path: Path) -> None:
    async with running("cached", tmp_path) as host:
        for n in (1, 2, 3):
            assert msgpack.unpackb(await host.ask("tally", "Increment", b"")) == n
            for _ in range(5):
                assert msgpack.unpackb(await host.ask("tally", "Get", b"")) == n
        counted = host.capability_statistics()
        behind = counted["cache", "actorhost:keyvalue", "behind", "get"]
        assert counted["tally", "actorhost:keyvalue", "default", "get"].answered == 15
        assert behind.answered == 3, "the others were answered by the cache"
        await asyncio.sleep(1.0)
        assert msgpack.unpackb(await host.ask("tally", "Get", b"")) == 3
        assert behind.answered == 4
