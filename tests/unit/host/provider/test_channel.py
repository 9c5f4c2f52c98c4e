"""The socket between a host and its process: who asks, what comes back, and what its end means."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from msgspec import msgpack

from actorhost.errors import CallTimeout, Denied, InternalError, OutcomeUnknown, Overloaded, TooLarge
from actorhost.host.provider import channel
from actorhost.host.provider.channel import Channel


async def serve(operation: str, payload: bytes) -> bytes:
    match operation:
        case "hang":
            await asyncio.Event().wait()
        case "refuse":
            raise Denied("not you", hint="ask somebody else")
        case "much":
            return bytes(100)
        case "break":
            raise ZeroDivisionError(payload)
    return payload[::-1]


@asynccontextmanager
async def pair() -> AsyncIterator[tuple[Channel, Channel]]:
    ends = socket.socketpair()
    async with asyncio.TaskGroup() as tasks:
        one, other = [Channel(*await asyncio.open_connection(sock=end), serve) for end in ends]
        tasks.create_task(one.run())
        tasks.create_task(other.run())
        try:
            yield one, other
        finally:
            one.close()
            other.close()


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


async def test_what_is_too_long_for_a_frame_is_refused_and_ends_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(channel, "MAX_FRAME", 100)
    async with pair() as (one, _):
        with pytest.raises(TooLarge, match="100"):
            await one.ask("turn", bytes(100), 2.0)
        with pytest.raises(TooLarge, match="100"):
            await one.ask("much", b"", 2.0)
        assert await one.ask("turn", b"ab", 2.0) == b"ba"


async def test_one_that_asks_on_and_on_is_refused_and_cut_off_if_it_does_not_read(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(channel, "MAX_ASKS", 2)
    async with pair() as (one, _):
        asks = asyncio.gather(*(one.ask("hang", b"", 0.1) for _ in range(5)), return_exceptions=True)
        assert Counter(map(type, await asks)) == {CallTimeout: 2, Overloaded: 3}
    monkeypatch.setattr(channel, "MAX_UNREAD", 1000)
    ours, theirs = socket.socketpair()
    theirs.setblocking(False)
    flooded = Channel(*await asyncio.open_connection(sock=ours), serve)
    running = asyncio.gather(flooded.run())
    body = msgpack.encode([1, "hang", b""])
    frames = (len(body).to_bytes(4, "little") + body) * 100
    unsent = b""
    async with asyncio.timeout(5.0):
        while not running.done():
            with contextlib.suppress(BlockingIOError, BrokenPipeError):
                unsent = unsent or frames
                unsent = unsent[theirs.send(unsent) :]
            await asyncio.sleep(0)
        await running
    flooded.close()
    theirs.close()


LONG = b"\x95\x01\xa0\xc4\x00\xc0" + b"\x91" * 5000 + b"\x01"


@pytest.mark.parametrize(
    "junk",
    [
        b"\xff\xff\xff\xff", b"\x02\x00\x00\x00\xc1\xc1", b"\x05\x00\x00\x00ab",
        b"\x06\x00\x00\x00\x93\x01\xa1\xff\xc4\x00", len(LONG).to_bytes(4, "little") + LONG,
    ],
    ids=["length", "no MessagePack", "cut", "no text", "deep"],
)  # fmt: skip
async def test_bytes_that_are_no_frames_end_it(junk: bytes) -> None:
    ours, theirs = socket.socketpair()
    with theirs:
        broken = Channel(*await asyncio.open_connection(sock=ours), serve)
        theirs.sendall(junk)
        theirs.shutdown(socket.SHUT_WR)
        async with asyncio.timeout(2.0):
            await broken.run()
        broken.close()
