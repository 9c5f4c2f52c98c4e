"""``bench echo``: an actor over NATS against a bare nats-py responder.

Client, server, host and responder are processes of their own; the host is what ``actorhost up``
starts, with default limits. The same nats-py client sends the same bytes to both, so the ratios
measure the host and not a client of ours. Rounds are short and many: they take turns faster than the
machine's speed drifts.

Closed loop: as many requests on their way as asked for, the next one sent when one was answered. Open
loop: a generator of its own sends at a fixed rate, half of what the actor answered closed loop in this
run, and each latency counts from when the message was due, so that waiting behind a pause counts too
(coordinated omission). The responder gets the same rate, to show what the machine adds.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Final

from actorhost.bench import bare, load, process
from actorhost.bench.bare import Client
from actorhost.bench.figures import Rounds, in_turns, percentile, shown, spread
from actorhost.bench.load import Message, Plan
from actorhost.bench.process import Measured
from actorhost.wire.codec import encode
from actorhost.wire.envelope import VERSION, Envelope, Kind
from actorhost.wire.subject import rpc_subject

_BARE = "bench.bare.echo"
_ACTOR = rpc_subject("default", "echo", "Echo")
_PAYLOAD = b"x" * 64


_PERCENTILES: Final = {"p50": 0.5, "p99": 0.99, "p999": 0.999}


@dataclass(frozen=True)
class OpenLoop:
    """How often and how long, in seconds, a fixed rate is offered; None is half of capacity."""

    rounds: int
    seconds: float
    rate: float | None


async def run(*, rounds: int, requests: int, at_once: int, open_loop: OpenLoop) -> dict[str, Any]:
    """Return ``throughput_ratio``, ``host_cpu_ratio``, ``p50_ratio`` and the open loop's percentiles.

    A percentile is None when so many messages got no reply.
    """
    data = encode(Envelope(VERSION, Kind.ASK, "0123456789abcdef", _PAYLOAD, "bench", 10_000))
    async with process.host() as host, process.responder(host.url, _BARE) as responder:
        client = await bare.connect(host.url)
        try:
            many, cpu = await _throughput(client, data, (host, responder), (rounds, requests, at_once))
            single = await _latency(client, data, rounds, max(100, requests // 40))
        finally:
            await client.close()
        rate = statistics.median(many.ours) / 2 if open_loop.rate is None else open_loop.rate
        opened = await _open_loop(host.url, data, open_loop, rate)
    return {
        "throughput_ratio": round(many.ratio, 3),
        "host_cpu_ratio": round(cpu.ratio, 3),
        "p50_ratio": round(single.ratio, 3),
        "open_loop_rate": round(rate),
        **{f"open_loop_{name}_ms": shown(statistics.median(opened[_ACTOR][name])) for name in _PERCENTILES},
        "detail": {
            "requests_per_second": many.detail(),
            "cpu_us_per_message": cpu.detail(),
            "p50_us": single.detail(),
            "in_flight": at_once,
            "requests": requests,
            **{
                f"open_loop_{side}_{name}_ms": spread(opened[subject][name])
                for side, subject in (("actor", _ACTOR), ("bare", _BARE))
                for name in _PERCENTILES
            },
        },
    }


async def _open_loop(
    url: str, data: bytes, sizes: OpenLoop, rate: float
) -> dict[str, dict[str, list[float]]]:
    """Return the percentiles in milliseconds, round by round, of the actor and of the responder."""
    found: dict[str, dict[str, list[float]]] = {
        subject: {name: [] for name in _PERCENTILES} for subject in (_ACTOR, _BARE)
    }
    for _ in range(sizes.rounds):
        for subject, percentiles in found.items():
            plan = Plan(url, (Message(subject, data, ask=True),), rate, sizes.seconds)
            outcome = await load.offer(plan)
            # A fault is no answer to an echo: it counts as one that never came.
            answered = set(outcome.which(load.REPLY))
            taken = outcome.from_schedule(range(len(outcome.sent)))
            latencies = [ms if n in answered else math.inf for n, ms in enumerate(taken)]
            for name, fraction in _PERCENTILES.items():
                percentiles[name].append(percentile(latencies, fraction))
    return found


async def _throughput(
    client: Client, data: bytes, sides: tuple[Measured, Measured], sizes: tuple[int, int, int]
) -> tuple[Rounds, Rounds]:
    """Return requests a second, and processor time for each message in microseconds."""
    rounds, requests, at_once = sizes
    used: tuple[list[float], list[float]] = ([], [])

    def measure(side: int, subject: str) -> Callable[[], Awaitable[float]]:
        async def one() -> float:
            before = sides[side].cpu_seconds()
            rate = await bare.throughput(client, subject, data, requests=requests, at_once=at_once)
            used[side].append((sides[side].cpu_seconds() - before) / requests * 1e6)
            return rate

        return one

    many = await in_turns(rounds, measure(0, _ACTOR), measure(1, _BARE))
    return many, Rounds(used[0][1:], used[1][1:])  # without the round that does not count


async def _latency(client: Client, data: bytes, rounds: int, requests: int) -> Rounds:
    async def ours() -> float:
        return statistics.median(await bare.latencies(client, _ACTOR, data, requests=requests))

    async def theirs() -> float:
        return statistics.median(await bare.latencies(client, _BARE, data, requests=requests))

    return await in_turns(rounds, ours, theirs)
