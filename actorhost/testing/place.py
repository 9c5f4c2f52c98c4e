"""Runs a provider in a process of its own for a test, and calls it there as if it were here.

Owned by the block that :func:`own_process` is used for: the process ends with it. What is yielded is of the
provider's class, so that the same rules can be put to it in both places; its calls go the way that
a guest's calls go, through a grant, over NATS and back.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, TypeVar, cast

from actorhost import limits as limits_module
from actorhost.capability.grants import Caller, Grants, ProviderGrant, grant_link
from actorhost.capability.secrets import Secrets
from actorhost.clock import monotonic
from actorhost.contracts.base import Operation, Params
from actorhost.contracts.provider import Link, Provider, Surroundings
from actorhost.host.events import Events
from actorhost.host.provider.child import ProcessProvider
from actorhost.host.provider.remote import Around
from actorhost.ids import ActorName, HostId, LatticeName
from actorhost.limits import Limits
from actorhost.manifest import Place, ProviderSpec
from actorhost.transport import NatsTransport

P = TypeVar("P", bound=Provider)

_NAME = ActorName("tested")


@asynccontextmanager
async def own_process(
    model: P, nats: str, *, surroundings: Surroundings | None = None, timeout: float = 10.0
) -> AsyncIterator[P]:
    """Run a provider like `model` in a process of its own, on the NATS server at `nats`; yields its face.

    Another process must be able to import the class of `model`. The face is one of that class whose
    operations, `linked` and `unlinked` happen over there; each call has `timeout` seconds. Raises what the
    provider's start does.
    """
    limits = limits_module.load()
    transport = NatsTransport(nats, name="own-process", limits=limits)
    await transport.start()
    try:
        stand = _stand(model, transport, nats, limits)
        stand.surroundings = surroundings or Surroundings(nats)
        try:
            await stand.start()
            yield _face(model, stand, timeout)
        finally:
            await stand.stop()
    finally:
        await transport.close()


def _stand(model: Provider, transport: NatsTransport, nats: str, limits: Limits) -> ProcessProvider:
    lattice, host = LatticeName("default"), HostId.new()
    spec = ProviderSpec(
        name=_NAME, provider="tested", contract=model.contract.id, config=model.config, place=Place.PROCESS
    )
    around = Around(
        transport=transport,
        lattice=lattice,
        host=host,
        limits=limits,
        events=Events(transport, lattice, host),
        nats=nats,
        hidden=(),
        offered={"tested": type(model)},
    )
    return ProcessProvider(spec, model, around)


def _face(model: P, stand: ProcessProvider, timeout: float) -> P:
    """Return a provider of `model`'s class whose operations are those of `stand`."""
    grants: dict[Link, ProviderGrant] = {}
    limits = limits_module.load()

    def granted(link: Link) -> ProviderGrant:
        if link not in grants:
            grants[link] = grant_link(stand, _NAME, link, Secrets())
        return grants[link]

    def method(operation: Operation) -> Callable[[Provider, Link, Params], Any]:
        async def call(_self: Provider, link: Link, params: Params) -> Any:
            bounds = monotonic() + timeout, (), limits.max_message
            caller = Caller(link.actor, Grants(link.actor, (), {}), *bounds)
            payload = operation.encode_params(params)
            return operation.decode_result(await stand.forward(caller, granted(link), operation, payload))

        return call

    async def linked(_self: Provider, link: Link) -> None:
        await stand.linked(granted(link).link)

    async def unlinked(_self: Provider, link: Link) -> None:
        await stand.unlinked(granted(link).link)

    made: dict[str, Any] = {
        operation.method: method(operation) for operation in model.contract.operations.values()
    }
    made |= {"linked": linked, "unlinked": unlinked}
    kind = type(f"{type(model).__name__}InItsOwnProcess", (type(model),), made)
    return cast("P", kind(model.config))
