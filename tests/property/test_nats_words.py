"""However a server's bytes are cut, what is delivered is what nats-py's own parser finds in the whole."""

from __future__ import annotations

import asyncio
from functools import partial

from hypothesis import given
from hypothesis import strategies as st
from nats.errors import Error, ProtocolError
from nats.protocol.parser import Parser

from actorhost.transport.nats.parser import Reading, Receiver, StrictParser

Delivered = tuple[int, bytes, bytes, bytes, bytes | None]

_NUMBERS = (1, 22, 333)
subjects = st.from_regex(rb"[a-z*.>\x80-\xff]{1,12}", fullmatch=True)
bodies = st.binary(max_size=40) | st.sampled_from(
    [b"MSG a 1 2\r\nhi\r\n", b"\r\n", b"PING\r\n", b"x" * 70_000]
)
blanks = st.sampled_from([b" ", b"  ", b"\t"])


class Seen:
    """Stands for the connection: remembers what it is told."""

    def __init__(self) -> None:
        self.delivered: list[Delivered] = []
        self.words: list[object] = []

    def deliver(self, sid: int, subject: bytes, reply: bytes, data: bytes, headers: bytes | None) -> None:
        self.delivered.append((sid, subject, reply, data, headers))

    async def _process_msg(
        self, sid: int, subject: bytes, reply: bytes, data: bytes, headers: bytes | None
    ) -> None:
        self.deliver(sid, subject, reply, data, headers)

    async def _process_ping(self) -> None:
        self.words.append("ping")

    async def _process_pong(self) -> None:
        self.words.append("pong")

    async def _process_err(self, text: str) -> None:
        self.words.append(text)

    async def _process_info(self, info: object) -> None:
        self.words.append(info)


@st.composite
def messages(draw: st.DrawFn) -> bytes:
    blank, sid, body = draw(blanks), draw(st.sampled_from(_NUMBERS)), draw(bodies)
    words = [b"MSG", draw(subjects), b"%d" % sid, *draw(st.lists(subjects, max_size=1)), b"%d" % len(body)]
    return blank.join(words) + b"\r\n" + body + b"\r\n"


@st.composite
def messages_with_headers(draw: st.DrawFn) -> bytes:
    headers, body = b"NATS/1.0\r\n\r\n", draw(bodies)
    sizes = b"%d %d" % (len(headers), len(headers) + len(body))
    return b"HMSG %s 22 %s\r\n" % (draw(subjects), sizes) + headers + body + b"\r\n"


words = st.sampled_from([b"PING\r\n", b"PONG\r\n", b"+OK\r\n", b"-ERR 'oh no'\r\n", b'INFO {"a":1}\r\n'])
streams = st.lists(messages() | messages() | messages_with_headers() | words, max_size=12).map(b"".join)


@st.composite
def chunks(draw: st.DrawFn, stream: st.SearchStrategy[bytes] = streams) -> list[bytes]:
    whole = draw(stream)
    cuts = sorted(draw(st.lists(st.integers(0, len(whole)), max_size=12)))
    return [whole[a:b] for a, b in zip([0, *cuts], [*cuts, len(whole)], strict=True) if a < b]


async def fed(seen: Seen, pieces: list[bytes]) -> list[Exception]:
    """Give `pieces` to the parser as a socket and the read loop would; return the errors it reported."""
    failures: list[Exception] = []
    receivers = {sid: partial(seen.deliver, sid) for sid in _NUMBERS}
    parser = StrictParser(
        seen, dict[int, Receiver](receivers), Reading(lambda: None, lambda: None, failures.append)
    )
    for piece in pieces:
        left = parser.take(piece)
        if left:
            await parser.parse(left)
    return failures


async def found_by_theirs(whole: bytes) -> Seen:
    seen = Seen()
    await Parser(seen).parse(whole)
    return seen


@given(chunks())
def test_every_way_to_cut_it_gives_what_the_whole_gives(pieces: list[bytes]) -> None:
    seen = Seen()
    assert asyncio.run(fed(seen, pieces)) == []
    theirs = asyncio.run(found_by_theirs(b"".join(pieces)))
    assert (seen.delivered, seen.words) == (theirs.delivered, theirs.words)


@given(chunks(streams), chunks(st.binary(min_size=1, max_size=60)))
def test_nonsense_is_refused_or_waited_for_and_what_came_before_is_delivered(
    pieces: list[bytes], nonsense: list[bytes]
) -> None:
    seen, failures = Seen(), list[Exception]()

    async def all_of_it() -> None:
        try:
            failures.extend(await fed(seen, [*pieces, *nonsense]))
        except ProtocolError as error:
            failures.append(error)

    asyncio.run(all_of_it())
    theirs = asyncio.run(found_by_theirs(b"".join(pieces)))
    assert seen.delivered[: len(theirs.delivered)] == theirs.delivered
    assert all(isinstance(error, Error) for error in failures)
