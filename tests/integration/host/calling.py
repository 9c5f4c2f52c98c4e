"""Applications with one actor and one odd store, and calls in the actor's name with any bytes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from msgspec import msgpack

from actorhost import Host
from actorhost.capability import Caller
from actorhost.clock import monotonic
from actorhost.host.provider.remote import RemoteProvider
from actorhost.ids import ActorName, ContractId, LinkName
from actorhost.lifecycle import RestartPolicy
from actorhost.manifest import ActorSpec, Application, LinkSpec, Place, ProviderSpec
from tests.integration.host.conftest import KEYVALUE
from tests.integration.host.odd_stores import OddStore
from tests.wat import ECHO, guest

ODD = {"odd": OddStore}
MODULE = guest(ECHO)


def odd_application(
    told: Path,
    *,
    place: Place = Place.PROCESS,
    link: LinkSpec | None = None,
    restarts: RestartPolicy | None = None,
    **config: object,
) -> Application:
    """Return an application of actor ``a`` and the odd store; `told` is the store's file."""
    link = link or LinkSpec(target=ActorName("store"), namespace=KEYVALUE)
    spec = ActorSpec(
        name=ActorName("a"), module="a", contracts=(KEYVALUE,), links=(link,), mailbox_count=1000
    )
    given = {} if place is Place.LATTICE else {"told": str(told), **config}
    store = ProviderSpec(
        name=ActorName("store"), provider="odd", contract=KEYVALUE, place=place, config=given,
        restarts=restarts or RestartPolicy(),
    )  # fmt: skip
    return Application(name=ActorName("app"), actors=(spec,), providers=(store,))


def remote(host: Host) -> RemoteProvider:
    """Return what stands for the store."""
    found = host.deployments["app"].providers["store"]
    assert isinstance(found, RemoteProvider)
    return found


async def call(host: Host, operation: str, *, timeout: float = 2.0, **params: Any) -> Any:
    """Call `operation` of the store in the name of the actor, and return the decoded reply."""
    return msgpack.decode(await raw_call(host, operation, msgpack.encode(params), timeout=timeout) or b"\xc0")


async def raw_call(
    host: Host,
    operation: str,
    payload: bytes,
    *,
    timeout: float = 2.0,
    binding: str = LinkName("default"),
    namespace: str = ContractId(KEYVALUE),
) -> bytes:
    """Call what a guest may name, as the actor."""
    actor = host.router.actors["a"]
    caller = Caller(actor.spec.name, actor.grants, monotonic() + timeout, (), actor.spec.max_message)
    return await host._services.broker.call(caller, binding, namespace, operation, payload)
