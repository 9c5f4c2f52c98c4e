"""Open-loop load: messages sent on a schedule, whether or not answers come, by a process of its own.

The parent describes it as a :class:`Plan` and gets an :class:`Outcome`; both are plain data in
MessagePack. Times are of the monotonic clock, which processes of one machine share.
"""

from __future__ import annotations

import asyncio
import math
import sys
from collections.abc import Iterable
from typing import Final

import msgspec

from actorhost.bench.figures import percentile
from actorhost.errors import Unavailable
from actorhost.wire.codec import encode
from actorhost.wire.envelope import VERSION, Envelope, Kind
from actorhost.wire.subject import rpc_subject

UNANSWERED: Final = ""
"""How an ask ended that got no answer, and every tell."""
REPLY: Final = "reply"
"""How an ask ended that was answered; any other word is the code of a fault."""


class Message(msgspec.Struct, frozen=True):
    """What to send; `ask` says that an answer is waited for."""

    subject: str
    data: bytes
    ask: bool


class Plan(msgspec.Struct, frozen=True):
    """Send `messages` in turn, `rate` a second for `seconds`; then wait up to `patience` for answers."""

    url: str
    messages: tuple[Message, ...]
    rate: float
    seconds: float
    patience: float = 6.0


class Outcome(msgspec.Struct, frozen=True):
    """What came of it, by message: message `n` was due at ``started + n / rate``.

    `sent` and `ended` are seconds since `started`, `ended` not a number for what got no answer;
    `ends` and `sources` index into `codes` and `hosts`. `repeated` counts second answers to one ask.
    """

    started: float
    rate: float
    turns: int
    sent: list[float]
    ended: list[float]
    ends: list[int]
    sources: list[int]
    codes: list[str]
    hosts: list[str]
    repeated: int

    def which(self, *codes: str, turns: Iterable[int] | None = None) -> list[int]:
        """Return the messages that ended with one of `codes`, of these `turns` of the plan, or of all."""
        wanted = {self.codes.index(code) for code in codes if code in self.codes}
        chosen = set(range(self.turns) if turns is None else turns)
        return [n for n, end in enumerate(self.ends) if end in wanted and n % self.turns in chosen]

    def from_sending(self, messages: Iterable[int]) -> list[float]:
        """Return the milliseconds from sending to the answer."""
        return [(self.ended[n] - self.sent[n]) * 1e3 for n in messages]

    def from_schedule(self, messages: Iterable[int]) -> list[float]:
        """Return the milliseconds from when a message was due; an answer that never came is infinite.

        What the generator sends late, because the system held it up, counts: leaving it out is the
        coordinated omission that makes a stalled system look quick.
        """
        return [
            math.inf if math.isnan(self.ended[n]) else (self.ended[n] - n / self.rate) * 1e3 for n in messages
        ]

    def lateness_ms(self) -> float:
        """Return the 99th percentile of how late messages left, in milliseconds."""
        return percentile([(at - n / self.rate) * 1e3 for n, at in enumerate(self.sent)], 0.99)

    def offered(self) -> float:
        """Return the messages sent in a second, as it really was."""
        return (len(self.sent) - 1) / (self.sent[-1] - self.sent[0])


def message(actor: str, operation: str, payload: bytes, *, ask: bool = True, patience: float = 0) -> Message:
    """Return a message to `actor`; `patience` is the time it has in seconds, 0 for the host's default."""
    kind = Kind.ASK if ask else Kind.TELL
    envelope = Envelope(VERSION, kind, "0123456789abcdef", payload, "bench", round(patience * 1000))
    return Message(rpc_subject("default", actor, operation), encode(envelope), ask)


async def offer(plan: Plan) -> Outcome:
    """Send what `plan` says from another process; raises :class:`Unavailable` when that fails."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "actorhost.bench.generator",
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        output, _ = await process.communicate(msgspec.msgpack.encode(plan))
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode:
        raise Unavailable(f"the load generator ended with status {process.returncode}")
    return msgspec.msgpack.decode(output, type=Outcome)
