"""A guest reaches nothing that it was not linked to: every operation of every contract, in each place."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Final

import pytest

from actorhost import Host
from actorhost.capability import Caller
from actorhost.clock import monotonic
from actorhost.contracts.base import Contract
from actorhost.errors import ActorhostError, BadRequest, Denied, NoRoute, ProviderFailed
from actorhost.host.provider.remote import RemoteProvider
from actorhost.ids import ActorName, new_call_id
from actorhost.manifest import ActorSpec, Application, LinkSpec, Place, ProviderSpec
from actorhost.transport import NatsServer, NatsTransport
from actorhost.wire.codec import decode, encode
from actorhost.wire.envelope import VERSION, Envelope, Kind
from actorhost.wire.subject import ProviderBranch, provider_subject
from tests.integration.host.reached import CONTRACTS, REACHED
from tests.wat import ECHO, guest

MODULE: Final = guest(ECHO)
CALLED: Final = tuple(contract for contract in CONTRACTS if contract.operations)
"""Contracts that an actor can call."""


def name_of(contract: Contract) -> ActorName:
    return ActorName(str(contract.id).replace(":", "-"))


def application(place: Place) -> Application:
    """Return a provider of each contract, an actor linked to it alone, and two with less."""
    kinds = {contract.id: name for name, contract in zip(REACHED, CONTRACTS, strict=True)}
    actors = [
        ActorSpec(name=ActorName("stranger"), module="a"),
        ActorSpec(name=ActorName("declared"), module="a", contracts=tuple(each.id for each in CALLED)),
    ]
    providers = []
    for contract in CALLED:
        name = name_of(contract)
        link = LinkSpec(target=ActorName(f"p-{name}"), namespace=contract.id)
        actors.append(ActorSpec(name=name, module="a", contracts=(contract.id,), links=(link,)))
        providers.append(
            ProviderSpec(name=link.target, provider=kinds[contract.id], contract=contract.id, place=place)
        )
    return Application(name=ActorName("reach"), actors=tuple(actors), providers=tuple(providers))


def forged(contract: Contract) -> Iterator[tuple[str, str, str]]:
    """Yield callers, bindings and namespaces that must not lead to a provider of `contract`."""
    own, here = str(name_of(contract)), str(contract.id)
    for actor in ("stranger", "declared"):
        for binding in ("", "default", "other"):
            yield actor, binding, here
    for binding in ("other", "Default", "default ", "*", f"p-{own}", "default\0"):
        yield own, binding, here
    for namespace in ("", "*", here.upper(), f"{here} ", f"{here}@0.1.0", f"p-{own}", own, "declared", ":"):
        yield own, "default", namespace
    for other in CALLED:
        if other is not contract:
            yield own, "default", str(other.id)


async def outcome(host: Host, actor: str, binding: str, namespace: str, operation: str) -> ActorhostError:
    """Return what a call with these names ends with, which is an error in any case here."""
    runs = host.router.actors[actor]
    caller = Caller(runs.spec.name, runs.grants, monotonic() + 2.0, (), runs.spec.max_message)
    with pytest.raises(ActorhostError) as caught:
        await host._services.broker.call(caller, binding, namespace, operation, b"\x80")
    return caught.value


@pytest.mark.parametrize("place", [Place.HOST, Place.PROCESS])
async def test_no_operation_is_reached_without_its_link(server: NatsServer, place: Place) -> None:
    async with Host(nats=server.url, providers=REACHED) as host:
        await host.deploy_modules(application(place), {"a": MODULE})
        for contract in CALLED:
            own = str(name_of(contract))
            for operation, (actor, binding, namespace) in itertools.product(
                contract.operations, forged(contract)
            ):
                error = await outcome(host, actor, binding, namespace, operation)
                assert isinstance(error, Denied), (actor, binding, namespace, operation, error)
            for operation in contract.operations:
                linked = await outcome(host, own, "default", str(contract.id), operation)
                assert isinstance(linked, ProviderFailed | BadRequest)
            unknown = await outcome(host, own, "default", str(contract.id), "no-such-operation")
            assert isinstance(unknown, BadRequest)
        if place is Place.PROCESS:
            await check_over_nats(host, server.url)


async def check_over_nats(host: Host, url: str) -> None:
    """Check that whoever can send to the providers reaches nothing without the token of a link."""
    stranger = NatsTransport(url, name="stranger")
    await stranger.start()
    try:
        for contract, stand in zip(CALLED, host.deployments["reach"].providers.values(), strict=True):
            assert isinstance(stand, RemoteProvider)
            for operation, key in itertools.product(contract.operations, ("", "default", "0" * 32)):
                request = encode(Envelope(VERSION, Kind.ASK, new_call_id(), b"\x80", "x", 1000, key=key))
                where = stand.spec.name, stand._instance, operation
                calls = provider_subject("default", ProviderBranch.CALLS, *where)
                answer = decode(await stranger.request(calls, request, 2.0))
                assert answer.fault is not None
                assert answer.fault.code == Denied.code
                control = provider_subject("default", ProviderBranch.CONTROL, *where)
                with pytest.raises(NoRoute):
                    await stranger.request(control, request, 2.0)
    finally:
        await stranger.close()
