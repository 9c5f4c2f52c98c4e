"""What a host and a client do with arguments that cannot be sent: they say so, and send nothing."""

from __future__ import annotations

from typing import Any, cast

import pytest

from actorhost import Client, Host
from actorhost.errors import InvalidInput, InvalidLimit, InvalidName
from tests.integration.host.conftest import actor, application
from tests.wat import ECHO, guest


@pytest.mark.parametrize("timeout", [0, -1, float("nan"), float("inf"), 1e308, 3601, "5"])
async def test_a_timeout_out_of_range_is_refused_before_anything_is_sent(
    nats_host: Host, client: Client, timeout: Any
) -> None:
    for face in (nats_host, client):
        with pytest.raises(InvalidLimit, match="a timeout of"):
            await face.ask("echo", "Echo", timeout=timeout)


async def test_arguments_of_the_wrong_type_are_refused_by_name(nats_host: Host, client: Client) -> None:
    await nats_host.deploy_modules(application(actor("echo")), {"echo": guest(ECHO)})
    wrong: Any = "hello"
    for face in (nats_host, client):
        for send in (face.ask, face.tell):
            with pytest.raises(InvalidInput, match="bytes, not str"):
                await send("echo", "Echo", wrong)
            with pytest.raises(InvalidName, match="b'echo' is not an actor name"):
                await send(cast("str", b"echo"), "Echo")
            with pytest.raises(InvalidName, match="None is not an operation name"):
                await send("echo", cast("str", None))
        assert await face.ask("echo", "Echo", cast("bytes", bytearray(b"hello"))) == b"hello"
