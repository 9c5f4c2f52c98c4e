"""Headers, which JetStream takes its instructions from: they arrive, and they count."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from actorhost.errors import TooLarge
from actorhost.limits import MIB, Limits
from actorhost.transport import NatsTransport
from actorhost.transport.server import NatsServer
from tests.transports import PATIENCE


async def test_instructions_to_jetstream_arrive(tmp_path: Path) -> None:
    async with NatsServer(tmp_path / "server", limits=Limits()) as server:
        transport = NatsTransport(server.url, name="test", limits=Limits())
        await transport.start()
        try:
            await transport.request("$JS.API.STREAM.CREATE.S", b'{"name":"S","subjects":["s"]}', PATIENCE)
            await transport.publish("s", b"once", headers={"Nats-Msg-Id": "é"})
            answer = await transport.request("s", b"once", PATIENCE, headers={"Nats-Msg-Id": "é"})
            assert msgspec.json.decode(answer)["duplicate"] is True
        finally:
            await transport.close()


async def test_headers_count_as_part_of_a_message(tmp_path: Path) -> None:
    async with NatsServer(tmp_path / "server", limits=Limits()) as server:
        transport = NatsTransport(server.url, name="test", limits=Limits())
        await transport.start()
        try:
            with pytest.raises(TooLarge):
                await transport.publish("s", bytes(MIB), headers={"A": "b"})
            await transport.publish("s", bytes(MIB - 50), headers={"A": "b"})
            await transport.flush(PATIENCE)
            assert transport.statistics().server_errors == 0
        finally:
            await transport.close()
