"""``bench recovery``: the NATS server is killed and started again, and an actor traps on each message.

First half: callers ask an echo actor without pause while the server is killed (SIGKILL), stays away
for a while and starts again on the same port and store. Recovery counts from when the server answers
until a call of a client that was connected before succeeds: client and host have found it again. A
call is past its deadline when it ends later than its time-out, the quarter of a second that callers
wait for the receiver's last word, and 50 ms for the machine. Second half: see ``storm.py``.
"""

from __future__ import annotations

import asyncio
import os
import signal
import statistics
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import anyio

from actorhost import Client, clock
from actorhost.bench import process, storm
from actorhost.bench.figures import shown, spread
from actorhost.errors import ActorhostError
from actorhost.examples import example
from actorhost.host.remote import GRACE
from actorhost.transport import NatsServer

_TIMEOUT: Final = 1.0
_SLACK: Final = 0.05
_CALLERS: Final = 20
_PAUSE: Final = 0.01
"""Seconds a caller waits after a failure: what fails at once would be a busy loop."""
_STEADY: Final = 2.0
"""Seconds of calls before the server is killed, and after it is back."""
_PATIENCE: Final = 30.0


@dataclass(frozen=True)
class Sizes:
    """How often the server is killed, and the seconds it stays away."""

    rounds: int
    away: float
    storm: storm.Sizes


@dataclass
class _Calls:
    """Each call: when it started and ended, and how ("" is well)."""

    found: list[tuple[float, float, str]] = field(default_factory=list)
    over: bool = False

    def first_after(self, at: float) -> float:
        """Return the end of the first call that succeeded after `at`; infinite if none did."""
        return min((end for _, end, code in self.found if not code and end > at), default=float("inf"))


async def run(sizes: Sizes) -> dict[str, Any]:
    """Return ``back_s``, ``past_deadline`` and the figures of the storm."""
    with process.place() as place:
        backs, calls = await _killed_servers(place, sizes)
        stormy, detail = await storm.run(place, sizes.storm)
    past = [end - start for start, end, _ in calls.found if end - start > _TIMEOUT + GRACE + _SLACK]
    return {
        "back_s": shown(statistics.median(backs)),
        "past_deadline": len(past),
        **stormy,
        "detail": {
            "back_s": spread(backs),
            "calls": len(calls.found),
            "ends": dict(Counter(code or "reply" for _, _, code in calls.found)),
            "longest_call_s": round(max(end - start for start, end, _ in calls.found), 3),
            **detail,
        },
    }


async def _killed_servers(place: process.Place, sizes: Sizes) -> tuple[list[float], _Calls]:
    """Kill the server again and again; return the seconds until a call succeeded, and all calls."""
    manifest = place.manifest({"echo": example("actors/echo/echo.wasm")})
    server = NatsServer(place.folder / "server")
    await server.start()
    url = server.url
    try:
        async with place.up(manifest, nats=url), Client(url) as client, anyio.create_task_group() as tasks:
            calls, backs = _Calls(), list[float]()
            for _ in range(_CALLERS):
                tasks.start_soon(_keep_calling, client, calls)
            for _ in range(sizes.rounds):
                await asyncio.sleep(_STEADY)
                server = await _replaced(server, place.folder / "server", sizes.away)
                backs.append(await _back(calls))
            await asyncio.sleep(_STEADY)
            calls.over = True
    finally:
        await server.stop()
    return backs, calls


async def _replaced(server: NatsServer, folder: Path, away: float) -> NatsServer:
    """Kill the server, and return its successor on the same port when that answers."""
    port = urlsplit(server.url).port or 0
    os.kill(server.pid, signal.SIGKILL)
    await server.wait()
    await server.stop()
    await asyncio.sleep(away)
    successor = NatsServer(folder, port=port)
    await successor.start()
    return successor


async def _back(calls: _Calls) -> float:
    """Return the seconds from now until a call has succeeded; infinite after half a minute."""
    since = clock.monotonic()
    with anyio.move_on_after(_PATIENCE):
        while calls.first_after(since) == float("inf"):  # noqa: ASYNC110 - many calls, no one event
            await asyncio.sleep(_PAUSE)
    return calls.first_after(since) - since


async def _keep_calling(client: Client, calls: _Calls) -> None:
    while not calls.over:
        started = clock.monotonic()
        try:
            await client.ask("echo", "Echo", b"x" * 64, timeout=_TIMEOUT)
        except ActorhostError as error:
            code = str(error.code)
        else:
            code = ""
        calls.found.append((started, clock.monotonic(), code))
        await asyncio.sleep(_PAUSE)
