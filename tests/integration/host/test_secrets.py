"""Secrets on a host: read when an application starts, seen by its providers and by nobody else."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from actorhost import Client, Host
from actorhost.contracts.keyvalue import Entry, GetParams
from actorhost.contracts.provider import Link
from actorhost.errors import ActorFailed, BadRequest, ProviderFailed, ProviderRefused
from actorhost.host.control_messages import DeployRequest, encode
from actorhost.host.remote_control import modules_by_digest
from actorhost.transport.server import NatsServer
from actorhost_providers.kv.memory import MemoryKeyValue

ECHO = Path(__file__).resolve().parents[3] / "actors/echo/echo.wasm"
SECRET = "correct-horse"  # noqa: S105 - of this test alone
MANIFEST = """\
apiVersion: core.oam.dev/v1beta1
kind: Application
metadata: {name: app, annotations: {version: VERSION}}
spec:
  components:
    - name: echo
      type: actor
      properties: {module: echo.wasm, contracts: [actorhost:keyvalue]}
      traits:
        - type: link
          properties: {target: store, contract: actorhost:keyvalue, config: {bucket: "env:TEST_BUCKET"}}
    - name: store
      type: provider
      properties: {provider: leaky, contract: actorhost:keyvalue}
"""


class Leaky(MemoryKeyValue):
    """Says in every error what the link's configuration is; takes no bucket in capitals."""

    def check_link(self, link: Link) -> None:
        if str(link.config["bucket"]).isupper():
            raise ProviderRefused(f"there is no bucket {link.config['bucket']!r}")

    async def get(self, link: Link, params: GetParams) -> Entry | None:  # noqa: ARG002 - not looked at
        raise ProviderFailed(f"cannot open {link.config['bucket']} for {link!r}")


@pytest.fixture
async def leaky_host(server: NatsServer) -> AsyncIterator[Host]:
    async with Host(nats=server.url, providers={"leaky": Leaky}) as running:
        yield running


async def deploy(client: Client, host: Host, version: str) -> None:
    digests, modules = modules_by_digest({"echo.wasm": ECHO.read_bytes()})
    request = DeployRequest(MANIFEST.replace("VERSION", version).encode(), "app.yaml", digests)
    await client.control.deploy(host.id, request, modules)


async def test_a_missing_secret_stops_nothing_that_runs(
    leaky_host: Host, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TEST_BUCKET", SECRET)
    await deploy(client, leaky_host, "v1")
    before = leaky_host.deployments["app"]
    monkeypatch.delenv("TEST_BUCKET")
    with pytest.raises(
        BadRequest, match=r"config.bucket: the environment variable of env:TEST_BUCKET is not set"
    ):
        await deploy(client, leaky_host, "v2")
    assert leaky_host.deployments["app"] is before
    assert await client.ask("echo", "Echo", b"still there") == b"still there"


async def test_nobody_but_the_provider_sees_a_secret(
    leaky_host: Host, client: Client, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    monkeypatch.setenv("TEST_BUCKET", SECRET)
    await deploy(client, leaky_host, "v1")
    with pytest.raises(ActorFailed, match=r"cannot open \*\*\* for Link\(actor='echo'") as caught:
        await client.ask("echo", "Call", b"\x81\xa3key\xa1a")
    said = [
        caught.value.message,
        caught.value.hint,
        caplog.text,
        repr(leaky_host.deployments["app"].application),
    ]
    said += [repr(await client.control.hosts()), repr(await client.control.actors(leaky_host.id))]
    said += [
        repr(leaky_host.router.actors["echo"].log.tail(1000)),
        encode(caught.value.message).decode("latin-1"),
    ]
    assert not [text for text in said if SECRET in text]


async def test_a_provider_that_refuses_a_secret_does_not_say_it(
    leaky_host: Host, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TEST_BUCKET", SECRET.upper())
    with pytest.raises(BadRequest, match=r"there is no bucket '\*\*\*'"):
        await deploy(client, leaky_host, "v1")
    assert not leaky_host.deployments
