"""What a host says about its providers and about who is linked to what: read from the parts, nothing kept.

Pure reading; whoever asks owns the answer.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator, Mapping

from actorhost.capability.broker import Counted, Tally
from actorhost.host.control_messages import (
    LinksReply,
    LinksRequest,
    LinkStatus,
    ProvidersReply,
    ProvidersRequest,
    ProviderStatus,
)
from actorhost.host.deployment import Deployment
from actorhost.host.provider.remote import RemoteProvider
from actorhost.manifest import LinkSpec, Place
from actorhost.telemetry.histogram import Durations

Tallies = Mapping[Counted, Tally]


def providers_page(deployments: Mapping[str, Deployment], request: ProvidersRequest) -> ProvidersReply:
    """Return the page of providers that was asked for."""
    found = list(_providers(deployments))
    page = tuple(found[request.skip : request.skip + request.count])
    return ProvidersReply(page, more=len(found) > request.skip + len(page))


def links_page(deployments: Mapping[str, Deployment], tallies: Tallies, request: LinksRequest) -> LinksReply:
    """Return the page of links that was asked for, with what came of their calls."""
    found = [
        (deployment, str(actor.spec.name), link)
        for deployment in deployments.values()
        for actor in deployment.actors
        for link in actor.spec.links
    ]
    chosen = found[request.skip : request.skip + request.count]
    page = tuple(_link(deployment, actor, link, tallies) for deployment, actor, link in chosen)
    return LinksReply(page, more=len(found) > request.skip + len(page))


def _providers(deployments: Mapping[str, Deployment]) -> Iterator[ProviderStatus]:
    for name, deployment in deployments.items():
        links = Counter(link.target for actor in deployment.application.actors for link in actor.links)
        for spec in deployment.application.providers:
            running = deployment.providers.get(spec.name)
            remote = running if isinstance(running, RemoteProvider) else None
            yield ProviderStatus(
                name=spec.name,
                application=name,
                provider=spec.provider,
                contract=spec.contract,
                place=spec.place,
                pid=remote.pid if remote is not None else os.getpid(),
                state=remote.state if remote is not None else "running",
                restarts=remote.restarts if remote is not None else 0,
                links=links[spec.name],
            )


def _link(deployment: Deployment, actor: str, link: LinkSpec, tallies: Tallies) -> LinkStatus:
    took, answered, failed = Durations(), 0, Counter[str]()
    for (*counted, _operation), tally in tallies.items():
        if counted == [actor, link.namespace, link.name]:
            took.merge(tally.took)
            answered += tally.answered
            failed.update({str(code): count for code, count in tally.ended.items()})
    p50, p99 = took.percentiles((0.5, 0.99))
    places = {spec.name: spec.place for spec in deployment.application.providers}
    return LinkStatus(
        actor=actor,
        application=deployment.application.name,
        name=link.name,
        namespace=link.namespace,
        target=link.target,
        place="actor" if link.is_actor else places.get(link.target, Place.HOST),
        calls=answered + failed.total(),
        failed=dict(failed),
        p50_ms=round(1000 * p50, 3),
        p99_ms=round(1000 * p99, 3),
    )
