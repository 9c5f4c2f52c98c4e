"""``bench capability``: what a guest's key-value get costs, in the host and in a provider's own process.

Five things in turns, each many times in a round: the bare provider call (no guest, no broker), the same get
from a guest in the same host, the get from a guest whose provider runs in a process of its own, and two
NATS round trips to a process that echoes: with nats-py at both ends, as in ``bench echo``, and with our own
transport at both ends, which is leaner. ``python -m actorhost.bench.capability URL SUBJECT`` is the latter.
"""

from __future__ import annotations

import asyncio
import functools
import statistics
import sys
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from actorhost import Host, clock
from actorhost.bench import bare, guests
from actorhost.bench.bare import Client
from actorhost.bench.figures import Measure, spread
from actorhost.capability import Broker, Caller
from actorhost.contracts.keyvalue import CONTRACT, GetParams, KeyValue, SetParams
from actorhost.host import child, loop
from actorhost.ids import ActorName, ContractId
from actorhost.limits import Limits
from actorhost.manifest import ActorSpec, Application, LinkSpec, Place, ProviderSpec
from actorhost.transport import NatsServer, NatsTransport

_KEYVALUE: Final = ContractId("actorhost:keyvalue")
_SUBJECT: Final = "bench.echo"
_BARE_SUBJECT: Final = "bench.bare"
_REQUEST: Final = bytes(110)
"""As long as the envelope of a get."""
_TIMEOUT: Final = 30.0
_HERE: Final = ActorName("here")
_THERE: Final = ActorName("there")


async def run(*, rounds: int, gets: int) -> dict[str, Any]:
    """Return ``inhost_added_us`` and ``process_ratio``; a round is `gets` gets of each kind."""
    with TemporaryDirectory() as folder:
        async with (
            NatsServer(Path(folder) / "nats", limits=Limits()) as server,
            child.started("actorhost.bench.capability", server.url, _SUBJECT),
            child.started("actorhost.bench.bare", server.url, _BARE_SUBJECT),
            Host(nats=server.url) as host,
        ):
            module = guests.getting(gets)
            for place in (Place.HOST, Place.PROCESS):
                application = _application(place)
                await host.deploy_modules(application, {"gets": module})
            await _fill(host)
            client = await bare.connect(server.url)
            try:
                found = await _rounds(host, client, rounds, gets)
            finally:
                await client.close()
    return {
        "inhost_added_us": round(_middle(found["inhost"], found["bare"], lambda got, bare: got - bare), 2),
        "process_ratio": _ratio(found, "nats"),
        "own_transport_ratio": _ratio(found, "own_transport"),
        "detail": {f"{name}_us": spread(values) for name, values in found.items()} | {"gets": gets},
    }


def _middle(ours: Sequence[float], theirs: Sequence[float], of: Callable[[float, float], float]) -> float:
    """Return the median of a figure that is made round by round: a machine has faster rounds and slower."""
    return statistics.median(of(mine, their) for mine, their in zip(ours, theirs, strict=True))


def _ratio(found: dict[str, list[float]], trip: str) -> float:
    floor = [nats + bare for nats, bare in zip(found[trip], found["bare"], strict=True)]
    return round(_middle(found["process"], floor, lambda got, least: got / least), 3)


async def _fill(host: Host) -> None:
    """Store what is to be got, in both places."""
    payload = CONTRACT.operation("set").encode_params(SetParams("k", b"v" * 32))
    for name in (_HERE, _THERE):
        grants = host.router.actors[name].grants
        caller = Caller(name, grants, clock.monotonic() + _TIMEOUT, (), len(payload) + 1024)
        await Broker(host.router.call_actor).call(caller, "", _KEYVALUE, "set", payload)


class _Gets:
    """One get of each kind, `count` times: the methods whose name is a kind."""

    def __init__(self, host: Host, client: Client, count: int) -> None:
        self._host = host
        self._client = client
        self._count = count

    async def bare(self) -> None:
        store = self._host.deployments["here"].providers["store-here"]
        if not isinstance(store, KeyValue):
            raise TypeError("the store is no key-value provider")
        link, params = self._host.router.actors["here"].grants.provided()[0].link, GetParams("k")
        for _ in range(self._count):
            await store.get(link, params)

    async def nats(self) -> None:
        for _ in range(self._count):
            await self._client.request(_BARE_SUBJECT, _REQUEST, timeout=_TIMEOUT)

    async def own_transport(self) -> None:
        for _ in range(self._count):
            await self._host.transport.request(_SUBJECT, _REQUEST, _TIMEOUT)

    async def inhost(self) -> None:
        await self._host.ask("here", "Get", timeout=_TIMEOUT)

    async def process(self) -> None:
        await self._host.ask("there", "Get", timeout=_TIMEOUT)


async def _rounds(host: Host, client: Client, rounds: int, gets: int) -> dict[str, list[float]]:
    """Return the microseconds of one get, by kind, in each round."""
    kind = _Gets(host, client, gets)

    async def measured(work: Callable[[], Awaitable[None]]) -> float:
        began = clock.monotonic_ns()
        await work()
        return (clock.monotonic_ns() - began) / gets / 1e3

    measures: dict[str, Measure] = {
        work.__name__: functools.partial(measured, work)
        for work in (kind.bare, kind.inhost, kind.nats, kind.own_transport, kind.process)
    }
    return await _in_turns(rounds, measures)


async def _in_turns(rounds: int, measures: dict[str, Measure]) -> dict[str, list[float]]:
    found: dict[str, list[float]] = {name: [] for name in measures}
    for number in range(rounds + 1):
        for name, measure in measures.items():
            value = await measure()
            if number:  # the first round does not count
                found[name].append(value)
    return found


def _application(place: Place) -> Application:
    name = _HERE if place is Place.HOST else _THERE
    target = ActorName(f"store-{name}")
    spec = ActorSpec(
        name=name,
        module="gets",
        timeout=_TIMEOUT,
        contracts=(_KEYVALUE,),
        links=(LinkSpec(target=target, namespace=_KEYVALUE),),
    )
    store = ProviderSpec(name=target, provider="keyvalue-memory", contract=_KEYVALUE, place=place)
    return Application(name=name, actors=(spec,), providers=(store,))


async def _echo(url: str, subject: str) -> None:
    transport = NatsTransport(url, name="echo")
    await transport.start()

    def answer(_subject: str, reply: str, data: bytes) -> None:
        transport.send_now(reply, data)

    await transport.subscribe(subject, answer)
    child.tell_parent({"event": "ready"})
    await asyncio.Event().wait()


if __name__ == "__main__":
    loop.run(_echo(*sys.argv[1:]))
