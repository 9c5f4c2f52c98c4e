"""The process that offers load: keeps a schedule and writes down how each message ended.

``python -m actorhost.bench.generator`` reads a :class:`~actorhost.bench.load.Plan` from standard
input and writes an :class:`~actorhost.bench.load.Outcome` to standard output.
"""

from __future__ import annotations

import gc
import math
import os
import sys

import msgspec

from actorhost import clock
from actorhost.bench.load import REPLY, UNANSWERED, Outcome, Plan
from actorhost.bench.nats_socket import NatsSocket, Received
from actorhost.errors import ProtocolError
from actorhost.wire.codec import decode

_SETTLE = 0.05
_TICK = 0.00025
"""Seconds between looks at what is due. Waking for each message would take the processors that server
and host need, and what leaves late for it counts against them."""
_SLICE = 0.05
"""Seconds between looks at whether everything was answered."""


class Generator:
    """Sends what `plan` says through `connection`."""

    def __init__(self, plan: Plan, connection: NatsSocket) -> None:
        self._plan = plan
        self._connection = connection
        self._inbox = f"_INBOX.{os.urandom(8).hex()}"
        count = max(2, round(plan.rate * plan.seconds))
        self._sent = [0.0] * count
        self._ended = [math.nan] * count
        self._ends = [0] * count
        self._sources = [0] * count
        self._codes = {UNANSWERED: 0}
        self._hosts = {"": 0}
        self._started = 0.0
        self._repeated = 0
        turns = len(plan.messages)
        self._missing = sum(plan.messages[n % turns].ask for n in range(count))

    def run(self) -> Outcome:
        """Send everything on schedule, wait for the last answers, and return what came of it."""
        self._connection.subscribe(f"{self._inbox}.*")
        self._started = clock.monotonic() + _SETTLE
        count = len(self._sent)
        done = 0
        while done < count:
            done = self._send_due(done)
            if done < count:
                now = clock.monotonic()
                self._note(self._connection.receive(max(self._due(done) - now, _TICK)))
        until = clock.monotonic() + self._plan.patience
        while self._missing and clock.monotonic() < until:
            self._note(self._connection.receive(_SLICE))
        self._connection.flush()
        return Outcome(
            started=self._started,
            rate=self._plan.rate,
            turns=len(self._plan.messages),
            sent=self._sent,
            ended=self._ended,
            ends=self._ends,
            sources=self._sources,
            codes=list(self._codes),
            hosts=list(self._hosts),
            repeated=self._repeated,
        )

    def _due(self, number: int) -> float:
        return self._started + number / self._plan.rate

    def _send_due(self, done: int) -> int:
        """Send the messages that are due, numbers from `done` on, and return the next one's."""
        now = clock.monotonic()
        last = done
        frames = []
        while last < len(self._sent) and self._due(last) <= now:
            frames.append(self._frame(last))
            last += 1
        if frames:
            self._connection.send(b"".join(frames))
            self._sent[done:last] = [now - self._started] * (last - done)
        return last

    def _frame(self, number: int) -> bytes:
        message = self._plan.messages[number % len(self._plan.messages)]
        reply = f" {self._inbox}.{number}" if message.ask else ""
        head = f"PUB {message.subject}{reply} {len(message.data)}\r\n"
        return b"%b%b\r\n" % (head.encode(), message.data)

    def _note(self, received: list[Received]) -> None:
        now = clock.monotonic() - self._started
        for subject, headers, data in received:
            number = int(subject[subject.rfind(b".") + 1 :])
            code, host = _end(headers, data)
            if not math.isnan(self._ended[number]):
                self._repeated += 1
                continue
            self._missing -= 1
            self._ended[number] = now
            self._ends[number] = self._codes.setdefault(code, len(self._codes))
            self._sources[number] = self._hosts.setdefault(host, len(self._hosts))


def _end(headers: bytes, data: bytes) -> tuple[str, str]:
    """Return how a call ended, and which host says so."""
    if headers.startswith(b"NATS/1.0 503"):
        return "no_route", ""
    try:
        envelope = decode(data)
    except ProtocolError:
        return REPLY, ""  # a bare responder
    return (REPLY if envelope.fault is None else envelope.fault.code), envelope.source


def main() -> None:
    """Run the plan in standard input."""
    plan = msgspec.msgpack.decode(sys.stdin.buffer.read(), type=Plan)
    gc.disable()  # a collection would be late messages that nobody but the generator caused
    with NatsSocket(plan.url) as connection:
        outcome = Generator(plan, connection).run()
    # sys.stdout.buffer itself may take a part only, under PYTHONUNBUFFERED.
    with open(sys.stdout.fileno(), "wb", closefd=False) as output:
        output.write(msgspec.msgpack.encode(outcome))


if __name__ == "__main__":
    main()
