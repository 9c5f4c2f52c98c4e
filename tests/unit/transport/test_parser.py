"""A length that is wrong is found, whichever way, before the connection is deaf for long."""

from __future__ import annotations

import pytest
from nats.errors import ProtocolError

from actorhost.transport.nats.parser import Reading, StrictParser


class Words:
    """What a parser was given and found: the client, and the only receiver."""

    def __init__(self) -> None:
        self.bodies: list[bytes] = []
        self.failures: list[Exception] = []
        self.pongs = 0
        self.parser = StrictParser(
            self, {1: self.receive}, Reading(lambda: None, lambda: None, self.failures.append)
        )

    def receive(self, _subject: bytes, _reply: bytes, data: bytes, _headers: bytes | None) -> None:
        self.bodies.append(data)

    async def _process_msg(self, _sid: int, subject: bytes, reply: bytes, data: bytes, headers: None) -> None:
        self.receive(subject, reply, data, headers)

    async def _process_pong(self) -> None:
        self.pongs += 1

    async def come(self, data: bytes) -> None:
        left = self.parser.take(data)
        if left:
            await self.parser.parse(left)


@pytest.fixture
def words() -> Words:
    return Words()


@pytest.mark.parametrize("length", [900, 900_000])
async def test_answers_to_pings_within_a_message_end_the_connection(words: Words, length: int) -> None:
    await words.come(b"MSG q 1 %d\r\n" % length + b"x" * 100 + b"\r\n")
    words.parser.pinged()
    await words.come(b"PONG\r\n")
    await words.come(b"MSG q 1 2\r\nPONG\r\n")
    words.parser.pinged()
    with pytest.raises(ProtocolError):
        await words.come(b"PONG\r\n")
    assert [str(error) for error in words.failures] == [
        "nats: a message that does not end holds the answers to pings"
    ]
    words.parser.reset()
    await words.come(b"MSG q 1 2\r\nhi\r\n")
    assert words.bodies == [b"hi"]


@pytest.mark.parametrize("size", [600, 200_000])
async def test_a_message_about_pings_may_take_its_time(words: Words, size: int) -> None:
    body = (b"PONG\r\n" * (size // 6))[:size].ljust(size)
    message = b"MSG q 1 %d\r\n" % size + body + b"\r\n"
    third = len(message) // 3
    await words.come(message[:third])
    words.parser.pinged()
    await words.come(message[third : 2 * third])
    await words.come(message[2 * third :] + b"PONG\r\n")
    for _ in range(3):
        words.parser.pinged()
        await words.come(b"MSG q 1 2\r\nhi\r\nPONG\r\n")
    assert words.bodies == [body, b"hi", b"hi", b"hi"]
    assert words.pongs == 4
    assert words.failures == []


@pytest.mark.parametrize("size", [100, 300_000])
async def test_a_message_that_goes_on_after_its_end_is_not_delivered(words: Words, size: int) -> None:
    data = b"MSG q 1 %d\r\n" % size + b"x" * (size + 10) + b"\r\n"
    *first, last = (data[at : at + 150_000] for at in range(0, len(data), 150_000))
    for piece in first:
        await words.come(piece)
    with pytest.raises(ProtocolError):
        await words.come(last)
    assert [str(error) for error in words.failures] == ["nats: a message that does not end where it says"]
    assert words.bodies == []
