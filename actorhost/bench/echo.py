"""``bench echo``: an actor over NATS against a bare nats-py responder.

Client, server, host and responder are processes of their own; the host is what ``actorhost up``
starts, with default limits. The same nats-py client sends the same bytes to both, so the ratios
measure the host and not a client of ours. Rounds are short and many: they take turns faster than the
machine's speed drifts.
"""

from __future__ import annotations

import statistics
from collections.abc import Awaitable, Callable
from typing import Any

from actorhost.bench import bare, process
from actorhost.bench.bare import Client
from actorhost.bench.figures import Rounds, in_turns
from actorhost.bench.process import Measured
from actorhost.wire.codec import encode
from actorhost.wire.envelope import VERSION, Envelope, Kind
from actorhost.wire.subject import rpc_subject

_BARE = "bench.bare.echo"
_ACTOR = rpc_subject("default", "echo", "Echo")
_PAYLOAD = b"x" * 64


async def run(*, rounds: int, requests: int, at_once: int) -> dict[str, Any]:
    """Return ``throughput_ratio``, ``host_cpu_ratio`` and ``p50_ratio``."""
    data = encode(Envelope(VERSION, Kind.ASK, "0123456789abcdef", _PAYLOAD, "bench", 10_000))
    async with process.host() as host, process.responder(host.url, _BARE) as responder:
        client = await bare.connect(host.url)
        try:
            many, cpu = await _throughput(client, data, (host, responder), (rounds, requests, at_once))
            single = await _latency(client, data, rounds, max(100, requests // 40))
        finally:
            await client.close()
    return {
        "throughput_ratio": round(many.ratio, 3),
        "host_cpu_ratio": round(cpu.ratio, 3),
        "p50_ratio": round(single.ratio, 3),
        "detail": {
            "requests_per_second": many.detail(),
            "cpu_us_per_message": cpu.detail(),
            "p50_us": single.detail(),
            "in_flight": at_once,
            "requests": requests,
        },
    }


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
