"""``bench capability``: what a guest's key-value get costs, in the host and in a provider's own process.

Four things in turns, each many times in a round: the bare provider call (no guest, no broker), the same get
from a guest in the same host, a NATS round trip to another process that echoes, and the get from a guest
whose provider runs in a process of its own. The echo uses our own transport at both ends: it is quicker
than the client library. ``python -m actorhost.bench.capability URL SUBJECT`` is the echo.
"""

from __future__ import annotations

import asyncio
import statistics
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from actorhost import Host, clock
from actorhost.bench import guests
from actorhost.bench.figures import Measure, spread
from actorhost.contracts.keyvalue import GetParams, KeyValue, SetParams
from actorhost.host import child, loop
from actorhost.ids import ActorName, ContractId
from actorhost.limits import Limits
from actorhost.manifest import ActorSpec, Application, LinkSpec, Place, ProviderSpec
from actorhost.transport import NatsServer, NatsTransport

_KEYVALUE: Final = ContractId("actorhost:keyvalue")
_SUBJECT: Final = "bench.echo"
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
            Host(nats=server.url) as host,
        ):
            module = guests.getting(gets)
            for place in (Place.HOST, Place.PROCESS):
                application = _application(place)
                await host.deploy_modules(application, {"gets": module})
            found = await _rounds(host, rounds, gets)
    middle = {name: statistics.median(values) for name, values in found.items()}
    return {
        "inhost_added_us": round(middle["inhost"] - middle["bare"], 2),
        "process_ratio": round(middle["process"] / (middle["nats"] + middle["bare"]), 3),
        "detail": {f"{name}_us": spread(values) for name, values in found.items()} | {"gets": gets},
    }


async def _rounds(host: Host, rounds: int, gets: int) -> dict[str, list[float]]:
    """Return the microseconds of one get, by kind, in each round."""
    store = host.deployments["here"].providers["store-here"]
    if not isinstance(store, KeyValue):
        raise TypeError("the store is no key-value provider")
    link = host.router.actors["here"].grants.provided()[0].link
    await store.set(link, SetParams("k", b"v" * 32))

    async def bare() -> None:
        params = GetParams("k")
        for _ in range(gets):
            await store.get(link, params)

    async def nats() -> None:
        for _ in range(gets):
            await host.transport.request(_SUBJECT, _REQUEST, _TIMEOUT)

    async def inhost() -> None:
        await host.ask("here", "Get", timeout=_TIMEOUT)

    async def process() -> None:
        await host.ask("there", "Get", timeout=_TIMEOUT)

    kinds = {"bare": bare, "inhost": inhost, "nats": nats, "process": process}
    measures: dict[str, Measure] = {}
    for name, work in kinds.items():

        async def measure(work: Any = work) -> float:
            began = clock.monotonic_ns()
            await work()
            return (clock.monotonic_ns() - began) / gets / 1e3

        measures[name] = measure
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
