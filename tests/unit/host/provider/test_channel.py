"""The socket between a host and its process: who asks, what comes back, and what its end means."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from actorhost.errors import CallTimeout, Denied, InternalError, OutcomeUnknown
from actorhost.host.provider.channel import Channel


async def serve(operation: str, payload: bytes) -> bytes:
    match operation:
        case "hang":
            await asyncio.Event().wait()
        case "refuse":
            raise Denied("not you", hint="ask somebody else")
        case "break":
            raise ZeroDivisionError(payload)
    return payload[::-1]


@asynccontextmanager
async def pair() -> AsyncIterator[tuple[Channel, Channel]]:
    ends = socket.socketpair()
    async with asyncio.TaskGroup() as tasks:
        channels = [Channel(*await asyncio.open_connection(sock=end), serve) for end in ends]
        for channel in channels:
            tasks.create_task(channel.run())
        try:
            yield channels[0], channels[1]
        finally:
            for channel in channels:
                channel.close()


async def test_both_sides_ask_at_once_and_each_gets_its_own_answers() -> None:
    async with pair() as (one, other):
        asks = [side.ask("turn", str(n).encode(), 2.0) for n in range(100) for side in (one, other)]
        assert await asyncio.gather(*asks) == [str(n).encode()[::-1] for n in range(100) for _ in range(2)]
        assert one.heard == other.heard == 200


async def test_errors_are_what_they_were_and_bugs_say_nothing() -> None:
    async with pair() as (one, _):
        with pytest.raises(Denied, match="not you") as refused:
            await one.ask("refuse", b"", 2.0)
        assert refused.value.hint == "ask somebody else"
        with pytest.raises(InternalError) as broken:
            await one.ask("break", b"hunter2", 2.0)
        assert "hunter2" not in str(broken.value)


async def test_an_ask_ends_at_its_time_out_and_with_the_other_side() -> None:
    async with pair() as (one, other):
        with pytest.raises(CallTimeout):
            await one.ask("hang", b"", 0.01)
        hanging = asyncio.gather(one.ask("hang", b"", 5.0), return_exceptions=True)
        await asyncio.sleep(0.01)
        other.close()
        assert [type(end) for end in await hanging] == [OutcomeUnknown]
        with pytest.raises(OutcomeUnknown):
            await one.ask("turn", b"", 5.0)


@pytest.mark.parametrize("junk", [b"\xff\xff\xff\xff", b"\x02\x00\x00\x00\xc1\xc1", b"\x05\x00\x00\x00ab"])
async def test_bytes_that_are_no_frames_end_it(junk: bytes) -> None:
    ours, theirs = socket.socketpair()
    with theirs:
        channel = Channel(*await asyncio.open_connection(sock=ours), serve)
        theirs.sendall(junk)
        theirs.shutdown(socket.SHUT_WR)
        async with asyncio.timeout(2.0):
            await channel.run()
        channel.close()
